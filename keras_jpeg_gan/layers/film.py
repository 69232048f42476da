"""FiLM from the quantization tables: every block's features, scaled and shifted by channel.

Perez et al., "FiLM: Visual Reasoning with a General Conditioning Layer", 2018.
"""

import math
from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("keras_jpeg_gan")
class TablesEmbedding(keras.layers.Layer):
    """An embedding of a file's tables: tables [B, 2, 8, 8] in steps -> [B, width].

    log(tables) / log(255), then two dense layers with SiLU. All modulations share it.
    """

    def __init__(self, width: int = 128, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.width = width
        self.dense = [
            keras.layers.Dense(width, activation="silu", name=f"dense_{i}") for i in range(2)
        ]

    def build(self, tables_shape: tuple) -> None:
        """Make both dense layers for the 128 entries of two tables."""
        self.dense[0].build((None, math.prod(tables_shape[1:])))
        self.dense[1].build((None, self.width))

    def call(self, tables: Any) -> Any:
        """[B, 2, 8, 8] (luma, chroma; natural order; steps >= 1) -> [B, width]."""
        entries = ops.log(ops.reshape(tables, (-1, math.prod(tables.shape[1:])))) / math.log(255)
        return self.dense[1](self.dense[0](entries))

    def compute_output_shape(self, tables_shape: tuple) -> tuple:
        """[B, 2, 8, 8] -> [B, width]."""
        return (tables_shape[0], self.width)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "width": self.width}


@keras.saving.register_keras_serializable("keras_jpeg_gan")
class Modulation(keras.layers.Layer):
    """features (1 + gamma) + beta, both linear in the embedding and zero at the start."""

    def build(self, features_shape: tuple, embedding_shape: tuple) -> None:
        """Make the dense layer from the embedding to gamma and beta."""
        self.dense = keras.layers.Dense(
            2 * features_shape[-1], kernel_initializer="zeros", name="dense"
        )
        self.dense.build(embedding_shape)

    def call(self, features: Any, embedding: Any) -> Any:
        """Modulate features [B, H, W, C] by embedding [B, E]."""
        # Not [:, None, None]: that is a strided slice, which phones' GPUs do not support.
        scales = ops.reshape(self.dense(embedding), (-1, 1, 1, 2 * features.shape[-1]))
        gamma, beta = ops.split(scales, 2, axis=-1)
        return features * (1 + gamma) + beta

    def compute_output_shape(self, features_shape: tuple, embedding_shape: tuple) -> tuple:
        """The features' shape."""
        return features_shape
