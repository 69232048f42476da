"""Deep features of small patches, whose distributions Fréchet distances compare."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from keras_jpeg_gan.models.features import FeatureNetwork

PATCH = 64  # pixels a side


def patches(pixels: np.ndarray) -> np.ndarray:
    """Cut an image into whole patches, side by side from the top left.

    Args:
        pixels: [H, W, 3].

    Returns:
        [N, PATCH, PATCH, 3], N = (H // PATCH) (W // PATCH). What is left over at the right and at
        the bottom belongs to no patch.
    """
    down, across = pixels.shape[0] // PATCH, pixels.shape[1] // PATCH
    cut = pixels[: down * PATCH, : across * PATCH].reshape(down, PATCH, across, PATCH, 3)
    return cut.swapaxes(1, 2).reshape(-1, PATCH, PATCH, 3)


def patch_features(network: "FeatureNetwork", batch: np.ndarray) -> np.ndarray:
    """The network's deepest tap, averaged over each patch.

    Args:
        network: AlexNet or VGG16.
        batch: [N, PATCH, PATCH, 3] in [0, 255], N at least 1.

    Returns:
        [N, C] float64.
    """
    deepest = network(batch.astype(np.float32) / np.float32(255))[-1]
    return np.asarray(deepest, np.float64).mean(axis=(1, 2))
