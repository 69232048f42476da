"""The generator x^ = G(z, y): an RRDB network with injected noise, modulated by the tables.

Man, Ohayon, Adrai, Elad, "High-Perceptual Quality JPEG Decoding via Posterior Sampling"
(arXiv 2211.11827); the network is Real-ESRGAN's, at half resolution. Without noise, the same
network is the regression.
"""

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.layers import (
    RRDB,
    Modulation,
    NoisyConv2D,
    TablesEmbedding,
    pixel_unshuffle,
    scaled_noise,
    upsample_nearest,
)
from keras_jpeg_gan.layers.rrdb import NEGATIVE_SLOPE
from keras_jpeg_gan.models.base import BLOCK_SIZE, BaseGenerator, of_layer
from keras_jpeg_gan.models.costs import Convolution


def _uniform() -> keras.initializers.Initializer:
    """Uniform in +-1 / sqrt(fan-in)."""
    return keras.initializers.VarianceScaling(1 / 3, "fan_in", "uniform")


def _conv(filters: int, name: str, **options: Any) -> keras.layers.Conv2D:
    return keras.layers.Conv2D(
        filters, 3, padding="same", kernel_initializer=_uniform(), name=name, **options
    )


@keras.saving.register_keras_serializable("keras_jpeg_gan")
class Upsampling(keras.layers.Layer):
    """Nearest upsampling by 2, a convolution that sees noise, LeakyReLU, modulation."""

    def build(
        self, features_shape: tuple, embedding_shape: tuple, noise_shape: tuple | None = None
    ) -> None:
        """Make the convolution, the noise's scalar and the modulation."""
        self.conv = NoisyConv2D(features_shape[-1], _uniform(), name="conv")
        self.conv.build(features_shape)
        self.noise_scale = self.add_weight(name="noise_scale", shape=(), initializer="ones")
        self.modulation = Modulation(name="modulation")
        self.modulation.build(features_shape, embedding_shape)

    def call(self, features: Any, embedding: Any, noise: Any = None) -> Any:
        """features [B, H, W, C], embedding [B, E], noise [B, 2 H, 2 W, 1] or none."""
        field = scaled_noise(self.noise_scale, noise)
        features = ops.leaky_relu(self.conv(upsample_nearest(features), field), NEGATIVE_SLOPE)
        return self.modulation(features, embedding)

    def compute_output_shape(
        self, features_shape: tuple, embedding_shape: tuple, noise_shape: tuple | None = None
    ) -> tuple:
        """[B, H, W, C] -> [B, 2 H, 2 W, C]."""
        batch, height, width, channels = features_shape
        return (batch, height and 2 * height, width and 2 * width, channels)


@keras.saving.register_keras_serializable("keras_jpeg_gan")
class Generator(BaseGenerator):
    """The paper's generator; the defaults are the paper's.

    Args:
        features: channels of the body.
        blocks: how many RRDBs the body has.
        growth: channels that each convolution of a dense block adds.
        unshuffle: 2 or 4, side of the square of pixels that goes into one position of the body.
        table_width: width of the tables' embedding.

    Raises:
        ConfigError: unshuffle is not 2 or 4.
    """

    def __init__(
        self,
        features: int = 64,
        blocks: int = 23,
        growth: int = 32,
        unshuffle: int = 2,
        table_width: int = 128,
        **kwargs: Any,
    ) -> None:
        if unshuffle not in (2, 4):
            raise ConfigError(f"unshuffle {unshuffle}: 2 or 4")
        config = {
            "features": features,
            "blocks": blocks,
            "growth": growth,
            "unshuffle": unshuffle,
            "table_width": table_width,
        }
        super().__init__(config, **kwargs)
        self.embedding = TablesEmbedding(table_width, name="embedding")
        self.first = _conv(features, "first")
        self.body = [RRDB(growth, name=f"block_{i}") for i in range(blocks)]
        self.modulations = [Modulation(name=f"modulation_{i}") for i in range(blocks)]
        self.body_end = _conv(features, "body_end")
        self.upsamplings = [
            Upsampling(name=f"upsampling_{i}") for i in range(int(math.log2(unshuffle)))
        ]
        self.head_hidden = _conv(features, "head_hidden")
        self.last = _conv(3, "last", dtype="float32")

    @property
    def alignment(self) -> int:
        """As `BaseGenerator`."""
        return self.config["unshuffle"]

    def build(self, image_shape: tuple, tables_shape: tuple, noise_shape: Any = None) -> None:
        """Make all weights; their paths depend on the configuration alone."""
        features, table_width = self.config["features"], self.config["table_width"]
        shape, embedded = (None, None, None, features), (None, table_width)
        self.embedding.build((None, 2, BLOCK_SIZE, BLOCK_SIZE))
        self.first.build((None, None, None, 3 * self.config["unshuffle"] ** 2))
        for block, modulation in zip(self.body, self.modulations, strict=True):
            block.build(shape)
            modulation.build(shape, embedded)
        for upsampling in self.upsamplings:
            upsampling.build(shape, embedded)
        for conv in (self.body_end, self.head_hidden, self.last):
            conv.build(shape)

    def call(self, image: Any, tables: Any, noise: Sequence[Any] | None = None) -> Any:
        """As `BaseGenerator`."""
        fields = None if noise is None else list(noise)
        embedding = self.embedding(tables)
        features = self.first(pixel_unshuffle(ops.cast(image, "float32"), self.config["unshuffle"]))
        result = features
        for block, modulation in zip(self.body, self.modulations, strict=True):
            own = None
            if fields is not None:
                own, fields = fields[: block.noise_fields], fields[block.noise_fields :]
            result = modulation(block(result, own), embedding)
        result = features + self.body_end(result)
        for i, upsampling in enumerate(self.upsamplings):
            result = upsampling(result, embedding, None if fields is None else fields[i])
        return self.last(ops.leaky_relu(self.head_hidden(result), NEGATIVE_SLOPE))

    @property
    def noise_strides(self) -> tuple[int, ...]:
        """As `BaseGenerator`."""
        unshuffle = self.config["unshuffle"]
        in_body = sum(block.noise_fields for block in self.body)
        upsampled = tuple(unshuffle >> (i + 1) for i in range(len(self.upsamplings)))
        return (unshuffle,) * in_body + upsampled

    def convolutions(self) -> list[Convolution]:
        """As `BaseGenerator`."""
        unshuffle = self.config["unshuffle"]
        dense_blocks = (block for rrdb in self.body for block in rrdb.dense_blocks)
        body = [conv for block in dense_blocks for conv in block.convs]
        found = [of_layer(conv, unshuffle) for conv in (self.first, *body, self.body_end)]
        for i, upsampling in enumerate(self.upsamplings):
            found.append(of_layer(upsampling.conv, unshuffle >> (i + 1)))
        return found + [of_layer(conv, 1) for conv in (self.head_hidden, self.last)]
