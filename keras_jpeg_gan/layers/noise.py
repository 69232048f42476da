"""Injected noise: one more input channel of a convolution, times a learned scalar."""

from typing import Any

import keras
import numpy as np
from keras import ops

# The noise rows of a kernel start this much smaller than the others, so that a sampler that
# starts from a regression, trained without noise, is nearly the regression at first. One that
# starts from fresh weights does without: see `enlarge_noise_rows`.
NOISE_ROW_SCALE = 1 / 20


@keras.saving.register_keras_serializable("keras_jpeg_gan")
class NoisyConv2D(keras.layers.Layer):
    """A 3x3 convolution, stride 1, zero padding, over features and one channel of noise.

    The kernel is [3, 3, C + 1, filters]; its last input channel is the noise's. Without noise
    that channel is left out, which equals noise of zeros.

    Args:
        filters: how many output channels.
        kernel_initializer: for the whole kernel; its noise rows are then scaled down.
    """

    def __init__(self, filters: int, kernel_initializer: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.filters = filters
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def build(self, features_shape: tuple, noise_shape: tuple | None = None) -> None:
        """Make the kernel for features [B, H, W, C]; the noise channel is always there."""
        channels = features_shape[-1]

        def initializer(shape: tuple, dtype: str | None = None) -> Any:
            rows = ops.reshape(ops.arange(channels + 1) < channels, (1, 1, channels + 1, 1))
            scale = ops.where(rows, 1.0, NOISE_ROW_SCALE)
            return self.kernel_initializer(shape, dtype=dtype) * ops.cast(scale, dtype or "float32")

        self.kernel = self.add_weight(
            name="kernel", shape=(3, 3, channels + 1, self.filters), initializer=initializer
        )
        self.bias = self.add_weight(name="bias", shape=(self.filters,), initializer="zeros")

    def call(self, features: Any, noise: Any = None) -> Any:
        """Convolve features [B, H, W, C] and noise [B, H, W, 1], or none: [B, H, W, filters]."""
        if noise is None:
            kernel = self.kernel[:, :, :-1, :]
        else:
            # Convolving both apart and adding them was measured: it is no faster, though the
            # channels then stay a multiple of 16.
            kernel = self.kernel
            features = ops.concatenate([features, noise], axis=-1)
        return ops.conv(features, kernel, padding="same") + self.bias

    def compute_output_shape(
        self, features_shape: tuple, noise_shape: tuple | None = None
    ) -> tuple:
        """[B, H, W, C] -> [B, H, W, filters]."""
        return (*features_shape[:-1], self.filters)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        initializer = keras.initializers.serialize(self.kernel_initializer)
        return {**super().get_config(), "filters": self.filters, "kernel_initializer": initializer}


def enlarge_noise_rows(model: keras.Model) -> None:
    """Give the noise rows of all fresh kernels in a model the scale of the other rows."""
    for layer in model._flatten_layers():
        if isinstance(layer, NoisyConv2D):
            kernel = np.array(layer.kernel)
            kernel[:, :, -1] /= NOISE_ROW_SCALE
            layer.kernel.assign(kernel)


def scaled_noise(scale: Any, noise: Any) -> Any:
    """A block's noise [B, H, W, 1] times its learned scalar, or none if there is no noise."""
    return None if noise is None else scale * ops.cast(noise, scale.dtype)
