"""How much samples of one file differ, and where: deviation, its map, and by texture."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

_BLOCK = 8
_ROWS = 128
_WHITE_TO_BLACK = 64.0  # grey levels


class Spread:
    """Mean and deviation of a stream of images, from sums, which are exact for 8-bit images.

    Attributes:
        count: images so far.
    """

    def __init__(self, images: Iterable[np.ndarray] = ()) -> None:
        self.count = 0
        self._sum: np.ndarray = np.zeros(())
        # Summed over the channels too, since the deviation covers all of them.
        self._squares: np.ndarray = np.zeros(())
        for image in images:
            self.add(image)

    def add(self, pixels: np.ndarray) -> None:
        """Add an image; all have the same shape and type."""
        if not self.count:
            kind = np.uint32 if pixels.dtype == np.uint8 else np.float64
            self._sum = np.zeros(pixels.shape, kind)
            self._squares = np.zeros(pixels.shape[:2], kind)
        self.count += 1
        for rows in _rows(pixels):
            part = pixels[rows].astype(self._sum.dtype)
            self._sum[rows] += part
            part *= part
            self._squares[rows] += part if part.ndim == 2 else part.sum(axis=2, dtype=part.dtype)

    @property
    def mean(self) -> np.ndarray:
        """[H, W] or [H, W, 3] float32; needs an image."""
        return (self._sum / np.float32(self.count)).astype(np.float32)

    @property
    def deviation(self) -> np.ndarray:
        """[H, W] float32 in grey levels: root of the unbiased variance, averaged over RGB.

        Needs at least two images.
        """
        result = np.empty(self._squares.shape, np.float32)
        for rows in _rows(result):
            total = self._sum[rows].astype(np.float64)
            squares = total**2 if total.ndim == 2 else (total**2).sum(axis=2)
            channels = 1 if total.ndim == 2 else total.shape[2]
            scatter = np.maximum(self._squares[rows] - squares / self.count, 0)
            result[rows] = np.sqrt(scatter / ((self.count - 1) * channels))
        return result


def _rows(image: np.ndarray) -> Iterator[slice]:
    """Some rows at a time, so that temporary arrays stay small."""
    return (slice(top, top + _ROWS) for top in range(0, len(image), _ROWS))


def deviation_map(deviation: np.ndarray) -> np.ndarray:
    """Map [H, W] in grey levels to [H, W] uint8: 0 is white, 64 or more black.

    Darkness is the fourth root, as in the paper's figure 9, which does not say what black stands
    for.
    """
    dark = np.minimum(deviation / _WHITE_TO_BLACK, 1) ** 0.25
    return np.rint(255 * (1 - dark)).astype(np.uint8)


class ByTexture(NamedTuple):
    """Mean deviation in grey levels over the most and the least textured third of the blocks."""

    textured: float
    flat: float


def deviation_by_texture(deviation: np.ndarray, original: np.ndarray) -> ByTexture:
    """How much samples differ where the original has texture, and where it has none.

    The original's 8x8 blocks are ranked by their variance (of the channels' mean): the upper
    third is textured, the lower third flat.

    Args:
        deviation: [H, W], as `Spread.deviation`.
        original: [H, W] or [H, W, 3], at least 8 pixels per side.
    """
    gray = original.astype(np.float64)
    gray = gray if gray.ndim == 2 else gray.mean(axis=-1)
    order = np.argsort(_blocks(gray).var(axis=1), kind="stable")
    means = _blocks(deviation).mean(axis=1)[order]
    third = max(1, len(order) // 3)
    return ByTexture(float(means[-third:].mean()), float(means[:third].mean()))


def _blocks(plane: np.ndarray) -> np.ndarray:
    """Split [H, W] into its whole blocks: [N, 64]."""
    down, across = plane.shape[0] // _BLOCK, plane.shape[1] // _BLOCK
    cut = plane[: down * _BLOCK, : across * _BLOCK].reshape(down, _BLOCK, across, _BLOCK)
    return cut.swapaxes(1, 2).reshape(-1, _BLOCK * _BLOCK)
