"""Where samples of one file differ from each other: deviation by texture."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

_BLOCK = 8
_WHITE_TO_BLACK = 64.0  # grey levels


class Spread:
    """Mean and deviation of images that pass by (Welford 1962).

    Attributes:
        count: images so far.
        mean: [H, W] or [H, W, 3] float64, once there is one.
    """

    def __init__(self, images: Iterable[np.ndarray] = ()) -> None:
        self.count = 0
        self.mean: np.ndarray = np.zeros(())
        self._squares: np.ndarray = np.zeros(())
        for image in images:
            self.add(image)

    def add(self, pixels: np.ndarray) -> None:
        """Take in an image; all are of one shape."""
        self.count += 1
        change = pixels - self.mean
        self.mean = self.mean + change / self.count
        self._squares = self._squares + change * (pixels - self.mean)

    @property
    def deviation(self) -> np.ndarray:
        """[H, W] float64 in grey levels: root of the variance (unbiased), averaged over RGB.

        There are two images or more.
        """
        variance = self._squares / (self.count - 1)
        return np.sqrt(variance if variance.ndim == 2 else variance.mean(axis=-1))


def deviation_map(deviation: np.ndarray) -> np.ndarray:
    """[H, W] in grey levels -> [H, W] uint8: white 0, black from 64 on, the fourth root between.

    As the paper's figure 9, but for where black is, which it does not tell.
    """
    dark = np.minimum(deviation / _WHITE_TO_BLACK, 1) ** 0.25
    return np.rint(255 * (1 - dark)).astype(np.uint8)


class ByTexture(NamedTuple):
    """Mean deviation in grey levels over the blocks of the textured and of the flat third."""

    textured: float
    flat: float


def deviation_by_texture(deviation: np.ndarray, original: np.ndarray) -> ByTexture:
    """How far samples differ where the original has texture, and where it has none.

    The original's 8x8 blocks are ranked by their variance (of the mean of the channels): the
    upper third is textured, the lower third flat.

    Args:
        deviation: [H, W], as `Spread.deviation`.
        original: [H, W] or [H, W, 3]; 8 pixels or more a side.
    """
    gray = original.astype(np.float64)
    gray = gray if gray.ndim == 2 else gray.mean(axis=-1)
    order = np.argsort(_blocks(gray).var(axis=1), kind="stable")
    means = _blocks(deviation).mean(axis=1)[order]
    third = max(1, len(order) // 3)
    return ByTexture(float(means[-third:].mean()), float(means[:third].mean()))


def _blocks(plane: np.ndarray) -> np.ndarray:
    """[H, W] -> [N, 64]: the whole blocks."""
    down, across = plane.shape[0] // _BLOCK, plane.shape[1] // _BLOCK
    cut = plane[: down * _BLOCK, : across * _BLOCK].reshape(down, _BLOCK, across, _BLOCK)
    return cut.swapaxes(1, 2).reshape(-1, _BLOCK * _BLOCK)
