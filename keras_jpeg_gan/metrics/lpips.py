"""LPIPS: a learned distance between deep features (Zhang et al. 2018), version 0.1."""

from typing import TYPE_CHECKING

import numpy as np

from keras_jpeg_gan.errors import ConfigError, ModelError

if TYPE_CHECKING:
    from keras_jpeg_gan.models.features import FeatureNetwork

# The smallest side for which AlexNet's last tap has a pixel.
SMALLEST_SIDE = 32

_EPSILON = 1e-10


def lpips(network: "FeatureNetwork", pixels: np.ndarray, original: np.ndarray) -> float:
    """How different two images look; 0 for equal ones.

    At each tap, features are normalized over the channels at every pixel; their squared
    differences are weighted by channel and averaged over the pixels. The distance is the sum
    over the taps.

    Args:
        network: a network with linear weights.
        pixels, original: [H, W, 3] in [0, 255], of the same shape, at least SMALLEST_SIDE per side.

    Raises:
        ModelError: the network has no linear weights.
        ConfigError: the images are too small.
    """
    if network.linear is None:
        raise ModelError(f"{network.name}: its file has no LPIPS weights (lin1, lin2, ...)")
    height, width, _ = original.shape
    if min(height, width) < SMALLEST_SIDE:
        raise ConfigError(f"LPIPS of {height}x{width} pixels: {SMALLEST_SIDE} a side at least")
    total = 0.0
    for tap, reference, linear in zip(
        _taps(network, pixels), _taps(network, original), network.linear, strict=True
    ):
        total += float((((tap - reference) ** 2) @ linear).mean(dtype=np.float64))
    return total


def _taps(network: "FeatureNetwork", pixels: np.ndarray) -> list[np.ndarray]:
    """The features [h, w, C] at each tap, with length 1 at every pixel."""
    taps = network(pixels[None].astype(np.float32) / np.float32(255))
    return [_normalized(np.asarray(tap)[0]) for tap in taps]


def _normalized(features: np.ndarray) -> np.ndarray:
    length = np.sqrt(np.sum(features**2, axis=-1, keepdims=True))
    return features / (length + np.float32(_EPSILON))
