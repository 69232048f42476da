"""The blocks of the generators' bodies: residual-in-residual dense, and plain residual.

RRDB: Wang et al., "ESRGAN", 2018; here each dense block gets its own noise (Man et al.,
arXiv 2211.11827). Both kinds of block take a list of noise fields, one for each injection, or
none.
"""

from typing import Any

import keras
from keras import ops

from keras_jpeg_gan.layers.noise import NoisyConv2D, scaled_noise

NEGATIVE_SLOPE = 0.2
RESIDUAL_SCALE = 0.2
DENSE_CONVS = 5


def _residual_initializer() -> keras.initializers.Initializer:
    """Kaiming-normal (fan-in, gain sqrt 2) times 0.1."""
    return keras.initializers.VarianceScaling(2.0 * 0.1**2, "fan_in", "untruncated_normal")


@keras.saving.register_keras_serializable("keras_jpeg_gan")
class DenseBlock(keras.layers.Layer):
    """Five convolutions, each of which sees the noise and the results of all before it."""

    def __init__(self, growth: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.growth = growth

    def build(self, features_shape: tuple, noise_shape: tuple | None = None) -> None:
        """Make the convolutions and the noise's scalar."""
        channels = features_shape[-1]
        self.convs = []
        for i in range(DENSE_CONVS):
            filters = self.growth if i < DENSE_CONVS - 1 else channels
            conv = NoisyConv2D(filters, _residual_initializer(), name=f"conv_{i}")
            conv.build((*features_shape[:-1], channels + i * self.growth))
            self.convs.append(conv)
        self.noise_scale = self.add_weight(name="noise_scale", shape=(), initializer="ones")

    def call(self, features: Any, noise: Any = None) -> Any:
        """features [B, H, W, C], noise [B, H, W, 1] or none -> [B, H, W, C]."""
        noise = scaled_noise(self.noise_scale, noise)
        seen = features
        for conv in self.convs[:-1]:
            grown = ops.leaky_relu(conv(seen, noise), NEGATIVE_SLOPE)
            seen = ops.concatenate([seen, grown], axis=-1)
        return features + RESIDUAL_SCALE * self.convs[-1](seen, noise)

    def compute_output_shape(
        self, features_shape: tuple, noise_shape: tuple | None = None
    ) -> tuple:
        """The features' shape."""
        return features_shape

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "growth": self.growth}


@keras.saving.register_keras_serializable("keras_jpeg_gan")
class RRDB(keras.layers.Layer):
    """Three dense blocks in a residual; takes three noise fields."""

    noise_fields = 3

    def __init__(self, growth: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.growth = growth
        self.dense_blocks = [
            DenseBlock(growth, name=f"dense_block_{i}") for i in range(self.noise_fields)
        ]

    def build(self, features_shape: tuple, noise_shape: Any = None) -> None:
        """Make the dense blocks."""
        for block in self.dense_blocks:
            block.build(features_shape)

    def call(self, features: Any, noise: Any = None) -> Any:
        """features [B, H, W, C], noise three [B, H, W, 1] or none -> [B, H, W, C]."""
        result = features
        for i, block in enumerate(self.dense_blocks):
            result = block(result, None if noise is None else noise[i])
        return features + RESIDUAL_SCALE * result

    def compute_output_shape(self, features_shape: tuple, noise_shape: Any = None) -> tuple:
        """The features' shape."""
        return features_shape

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "growth": self.growth}


@keras.saving.register_keras_serializable("keras_jpeg_gan")
class ResidualBlock(keras.layers.Layer):
    """Two convolutions in a residual; takes one noise field, which both see."""

    noise_fields = 1

    def build(self, features_shape: tuple, noise_shape: Any = None) -> None:
        """Make the convolutions and the noise's scalar."""
        channels = features_shape[-1]
        self.convs = [
            NoisyConv2D(channels, initializer, name=f"conv_{i}")
            for i, initializer in enumerate(["he_normal", _residual_initializer()])
        ]
        for conv in self.convs:
            conv.build(features_shape)
        self.noise_scale = self.add_weight(name="noise_scale", shape=(), initializer="ones")

    def call(self, features: Any, noise: Any = None) -> Any:
        """features [B, H, W, C], noise one [B, H, W, 1] in a list or none -> [B, H, W, C]."""
        field = scaled_noise(self.noise_scale, None if noise is None else noise[0])
        hidden = ops.leaky_relu(self.convs[0](features, field), NEGATIVE_SLOPE)
        return features + self.convs[1](hidden, field)

    def compute_output_shape(self, features_shape: tuple, noise_shape: Any = None) -> tuple:
        """The features' shape."""
        return features_shape
