"""Small networks of each class, and inputs for them."""

import numpy as np

from keras_jpeg_gan.models.base import BaseGenerator
from keras_jpeg_gan.models.networks import NETWORKS

SIZE = (16, 24)
PAPER = ("Generator", {"features": 8, "blocks": 2, "growth": 4, "table_width": 16})
MULTISCALE = (
    "MultiscaleGenerator",
    {"widths": (6, 8, 10), "depths": (1, 1, 2, 1, 1), "table_width": 16},
)
PLAIN = ("PlainGenerator", {"widths": (8,), "depths": (2,), "table_width": 16})
ALL = {
    "paper": PAPER,
    "paper by 4": (PAPER[0], {**PAPER[1], "unshuffle": 4}),
    "multiscale": MULTISCALE,
    "plain": PLAIN,
}


def make(network: str, options: dict) -> BaseGenerator:
    """Built, with fresh weights."""
    generator = NETWORKS[network](**options)
    generator.build((None, None, None, 3), (None, 2, 8, 8))
    return generator


def inputs(seed: int = 0, size: tuple[int, int] = SIZE) -> tuple[np.ndarray, np.ndarray]:
    """Two images and their tables."""
    rng = np.random.default_rng(seed)
    image = rng.random((2, *size, 3), np.float32)
    return image, rng.uniform(1, 99, (2, 2, 8, 8)).astype(np.float32)


def noise_for(
    generator: BaseGenerator, size: tuple[int, int] = SIZE, seed: int = 1
) -> list[np.ndarray]:
    """All noise fields for two images."""
    rng = np.random.default_rng(seed)
    sizes = generator.noise_sizes(*size)
    return [rng.standard_normal((2, h, w, 1)).astype(np.float32) for h, w in sizes]
