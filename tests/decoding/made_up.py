"""A network that needs no framework, and a card for it."""

import pathlib
from collections.abc import Callable

import numpy as np

from keras_jpeg_gan.decoding import tiles
from keras_jpeg_gan.models import cards
from keras_jpeg_gan.system import file_sha256


def run_tiled(
    network: Callable[[np.ndarray, int, int], np.ndarray], pixels: np.ndarray, halo: int, tile: int
) -> np.ndarray:
    """All of `tiles.bands` as one image, [H, W, C] float32."""
    result = np.empty(pixels.shape, np.float32)
    for top, band in tiles.bands(network, pixels, halo, tile):
        result[top : top + len(band)] = band
    return result


class ShiftedBlur:
    """A quick runtime in NumPy alone: it blurs a little, so that levels change.

    Noise, if there is any, is added to the right half of the image.
    """

    halo = 16
    noise_strides = (2,)

    def restore(self, pixels, tables, noise=None) -> np.ndarray:
        padded = np.pad(pixels, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
        around = padded[:, 1:-1, 2:] + padded[:, 1:-1, :-2] + padded[:, 2:, 1:-1]
        blurred = 0.6 * pixels + 0.1 * (around + padded[:, :-2, 1:-1]) + 0.01 * pixels[..., ::-1]
        if noise is not None:
            (field,) = noise
            grain = 5 * field.repeat(2, axis=1).repeat(2, axis=2)
            blurred[:, :, pixels.shape[2] // 2 :] += grain[:, :, pixels.shape[2] // 2 :]
        return blurred.astype(np.float32)


def write_card(weights: pathlib.Path, kind: str = "regression") -> None:
    """Write a card beside the weights."""
    name = weights.name.removesuffix(cards.WEIGHTS_SUFFIX)
    card = cards.ModelCard(
        name=name,
        preset="mobile",
        kind=kind,
        sha256=file_sha256(weights),
        trained={},
        validation={},
        limits="untrained",
    )
    card.write(weights.with_name(f"{name}.json"))
