"""Deep features of small patches, whose distribution is what Fréchet distances compare."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from keras_jpeg_gan.models.features import FeatureNetwork

PATCH = 64  # pixels a side

# Patches that go through the network at once.
_BATCH = 64


def feature_name(network: "FeatureNetwork") -> str:
    """What distances of `patch_features` are called: never FID, which is another network's."""
    return f"{network.name}-{PATCH}"


def patches(pixels: np.ndarray) -> np.ndarray:
    """The whole patches of an image, side by side from the top left.

    Args:
        pixels: [H, W, 3].

    Returns:
        [N, PATCH, PATCH, 3], N = (H // PATCH) (W // PATCH): what is left at the right and at
        the bottom is in none.
    """
    down, across = pixels.shape[0] // PATCH, pixels.shape[1] // PATCH
    cut = pixels[: down * PATCH, : across * PATCH].reshape(down, PATCH, across, PATCH, 3)
    return cut.swapaxes(1, 2).reshape(-1, PATCH, PATCH, 3)


def patch_features(network: "FeatureNetwork", pixels: np.ndarray) -> np.ndarray:
    """The deepest tap of each patch, which passes the network by itself, averaged over it.

    Args:
        network: AlexNet or VGG16.
        pixels: [H, W, 3] in [0, 255].

    Returns:
        [N, C] float64, N as of `patches`.
    """
    rows = [np.empty((0, network.tap_channels[-1]))]
    for batch in _batches(patches(pixels)):
        deepest = np.asarray(network(batch.astype(np.float32) / np.float32(255))[-1], np.float64)
        rows.append(deepest.mean(axis=(1, 2)))
    return np.concatenate(rows)


def _batches(images: np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, len(images), _BATCH):
        yield images[start : start + _BATCH]
