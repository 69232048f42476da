"""A picture as an earlier save left it: what its pixels say about that save's luma levels.

The last save, or the rounding of pixels, moved each DCT coefficient on the earlier grid by no more
than a bound, nearly always. So a few levels are possible for each, mostly one. From these follow
the earlier save's own decode, nearly, which the network sees, and the cells that the original's
coefficients lie in. Of chroma the pixels do not say how it was sampled, so it is left as it is.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from keras_jpeg_gan.jpeg import combs
from keras_jpeg_gan.jpeg.levels import Quantized
from keras_jpeg_gan.jpeg.projection.floating import MARGIN
from keras_jpeg_gan.jpeg.resaved import EarlierSave, luma, luma_blocks
from keras_jpeg_gan.jpeg.tables import network_tables

# Deviations of a coefficient's change that count as possible.
_REACH = 2.0
_PIXELS_AT_ONCE = 1 << 18

# Coefficients tell whether a save shows if their steps are this many times as wide as what lies
# within reach of a level: at most a quarter is there by chance. The save shows in a block if a
# third of these are, and in the picture if it does in a share of the blocks with enough of them;
# and also if there are too few to tell.
_TELLING, _THIRD, _FEWEST_IN_BLOCK = 4.0, 1 / 3, 3
_FEWEST_BLOCKS, _SHARE_OF_BLOCKS = 16, 0.2


@dataclass(frozen=True)
class Agreement:
    """How much of an earlier save an image agrees with.

    Attributes:
        save: that one.
        inside: how many of the image's luma coefficients are within their cells: those of the
            levels that were possible.
        total: of how many.
        shown: the share of whole blocks that do not contradict the save; only these count.
    """

    save: EarlierSave
    inside: int
    total: int
    shown: float = 1.0

    @property
    def share(self) -> float:
        """The share that is inside; 1 of none."""
        return self.inside / self.total if self.total else 1.0

    def __str__(self) -> str:
        # Rounded so that nothing short of all is 100 %, and no exception 0 %.
        inside, without = (math.floor(1000 * share) / 10 for share in (self.share, self.shown))
        where = "" if self.shown == 1 else f", except in {100 - without:.3g} % of the blocks"
        return (
            f"restored as of an earlier save with {self.save}{where}: {inside:g} % of its "
            "estimated luma coefficients within their cells"
        )


@dataclass(frozen=True, eq=False)
class Earlier:
    """A picture on the grid of an earlier save.

    It is framed: rows and columns that repeat its edge stand before it, so that the grid begins
    at its corner.

    Attributes:
        save: the earlier one.
        margin: how many rows and columns are before the picture, 0..7 each.
        pixels: [H', W'] or [H', W', 3] uint8, the framed picture as the save left it.
        tables: [2, 8, 8] float32, for the network: the save's, or where the last save has the
            same grid the coarser step of both.
        steps: [8, 8] float32, those of luma's levels.
        bound: [H' // 8, W' // 8] bool, the blocks in which the save shows, and which the picture
            shows whole. Others, such as those of text beside a photograph, are left alone.
        possible: [H' // 8, W' // 8, 8, 8] int16 each, the lowest and the highest level that is
            possible; None if the save does not show in the picture.
    """

    save: EarlierSave
    margin: tuple[int, int]
    pixels: np.ndarray
    tables: np.ndarray
    steps: np.ndarray
    bound: np.ndarray
    possible: tuple[np.ndarray, np.ndarray] | None

    @classmethod
    def of(cls, save: EarlierSave, pixels: np.ndarray, last: Quantized | None = None) -> "Earlier":
        """Find the levels that are possible.

        Args:
            save: the earlier one.
            pixels: [H, W] or [H, W, 3] uint8, the picture.
            last: the levels of the JPEG file that has the picture; None for another format.
        """
        x, y = save.offset
        margin = -y % 8, -x % 8
        framed = _framed(pixels, margin)
        own = (save.luma, save.chroma, save.chroma)[: 1 if pixels.ndim == 2 else 3]
        tables: Sequence[np.ndarray] = own
        steps, changes = save.luma.astype(np.float32), np.full((8, 8), combs.ROUNDING, np.float32)
        known = None
        if last is not None and save.offset == (0, 0):
            tables = [np.maximum(mine, its) for mine, its in zip(own, last.tables, strict=True)]
            steps, its = tables[0].astype(np.float32), np.asarray(last.tables[0], np.float32)
            # The last file's own levels where they bind more tightly.
            changes = np.where(its < save.luma, its / (2 * _REACH) + changes, 0)
            known = last.levels[0] * its
        elif last is not None:
            changes = np.hypot(combs.carried(np.asarray(last.tables[0]) ** 2 / 12, (y, x)), changes)
        reach = _REACH * changes
        whole = np.ones((framed.shape[0] // 8, framed.shape[1] // 8), bool)
        whole[: margin[0] > 0] = whole[:, : margin[1] > 0] = False
        found = cls(save, margin, framed, network_tables(tables), steps, whole, None)
        shown = found._shown(reach, known)
        if shown is None:
            return found
        found = replace(found, bound=shown, possible=found._levels(reach, known))
        return replace(found, pixels=found._saved())

    def framed(self, pixels: np.ndarray) -> np.ndarray:
        """Other pixels of the picture, [H, W, ...], with as much before them."""
        return _framed(pixels, self.margin)

    def project(self, pixels: np.ndarray, top: int) -> np.ndarray:
        """The nearest pixels with luma coefficients within their cells; nothing is clipped.

        Args:
            pixels: [h, W'] or [h, W', 3] float32, a band of framed pixels, 0..255.
            top: its first row, a multiple of 8.

        Returns:
            float32; pixels that belong to no whole block are as they were.
        """
        result = pixels.astype(np.float32)
        if self.possible is None:
            return result
        for rows, part in self._strips(result):
            own = _coefficients_of(part)
            first = top // 8 + rows.start // 8
            changes = np.clip(own, *self._cells(first, len(own), MARGIN)) - own
            changes[~self.bound[first : first + len(own)]] = 0
            _add(part, changes)
        return result

    def agreement(self, pixels: np.ndarray, scale: int = 1) -> Agreement | None:
        """How much of the save an image agrees with; None if it does not show in the picture.

        Args:
            pixels: framed, [H', W'] or [H', W', 3], 0..255 times the scale.
            scale: units in a grey level.
        """
        if self.possible is None:
            return None
        inside = total = 0
        for rows, part in self._strips(pixels):
            own = _coefficients_of(part.astype(np.float32) / scale)
            low, high = self._cells(rows.start // 8, len(own), 0)
            bound = self.bound[rows.start // 8 : rows.stop // 8]
            inside += int(np.count_nonzero(((own >= low) & (own <= high))[bound]))
            total += 64 * int(np.count_nonzero(bound))
        whole = self.bound[self.margin[0] > 0 :, self.margin[1] > 0 :]
        return Agreement(self.save, inside, total, float(whole.mean()) if whole.size else 1.0)

    def _strips(self, pixels: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
        """Whole rows of blocks, some at a time: which rows they are, and their pixels."""
        height, width = (length // 8 * 8 for length in pixels.shape[:2])
        rows = max(_PIXELS_AT_ONCE // (8 * max(width, 1)), 1) * 8
        for top in range(0, height, rows):
            part = slice(top, min(top + rows, height))
            yield part, pixels[part, :width]

    def _cells(self, first: int, count: int, margin: float) -> tuple[np.ndarray, np.ndarray]:
        """Lowest and highest coefficients of rows of blocks, `margin` steps within their cells."""
        assert self.possible is not None
        low, high = (levels[first : first + count] for levels in self.possible)
        half = np.float32(0.5 - margin)
        return (low - half) * self.steps, (high + half) * self.steps

    def _coefficients(self, known: np.ndarray | None) -> Iterator[tuple[slice, np.ndarray]]:
        """Rows of blocks: their numbers, and their coefficients.

        Args:
            known: [Hb, Wb, 8, 8], the picture's coefficients where a file has them.
        """
        for rows, part in self._strips(self.pixels):
            blocks = slice(rows.start // 8, rows.stop // 8)
            if known is None:
                yield blocks, _coefficients_of(part)
            else:
                yield blocks, known[blocks, : part.shape[1] // 8].astype(np.float32)

    def _levels(self, reach: np.ndarray, known: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        """The lowest and the highest level that are possible.

        Args:
            reach: [8, 8], how far coefficients may have moved; known: as `_coefficients`.
        """
        shape = (*self.bound.shape, 8, 8)
        low, high = np.empty(shape, np.int16), np.empty(shape, np.int16)
        for blocks, own in self._coefficients(known):
            nearest = np.rint(own / self.steps)
            low[blocks] = np.minimum(np.ceil((own - reach) / self.steps), nearest)
            high[blocks] = np.maximum(np.floor((own + reach) / self.steps), nearest)
        return low, high

    def _shown(self, reach: np.ndarray, known: np.ndarray | None) -> np.ndarray | None:
        """The whole blocks in which coefficients are near multiples of the steps.

        Arguments as `_levels`. None if that is chance.
        """
        telling = (reach > 0) & (self.steps > _TELLING * 2 * reach)
        shown, telling_blocks, showing = self.bound.copy(), 0, 0
        for blocks, own in self._coefficients(known):
            away = np.abs(own - self.steps * np.rint(own / self.steps))
            counted = telling & (np.abs(own) > self.steps / 2) & self.bound[blocks, :, None, None]
            counts = np.count_nonzero(counted, axis=(2, 3))
            nears = np.count_nonzero(counted & (away <= reach), axis=(2, 3))
            enough = counts >= _FEWEST_IN_BLOCK
            shown[blocks] &= ~enough | (nears >= _THIRD * counts)
            telling_blocks += int(np.count_nonzero(enough))
            showing += int(np.count_nonzero(enough & shown[blocks]))
        few = telling_blocks < _FEWEST_BLOCKS
        return shown if few or showing >= _SHARE_OF_BLOCKS * telling_blocks else None

    def _saved(self) -> np.ndarray:
        """The framed picture with coefficients in the middle of what is possible, uint8."""
        assert self.possible is not None
        result = self.pixels.copy()
        for rows, part in self._strips(result):
            blocks = slice(rows.start // 8, rows.stop // 8)
            low, high = (levels[blocks].astype(np.float32) for levels in self.possible)
            changed = part.astype(np.float32)
            changes = (low + high) / 2 * self.steps - _coefficients_of(changed)
            changes[~self.bound[blocks]] = 0
            _add(changed, changes)
            part[:] = np.clip(np.rint(changed), 0, 255)
        return result


def _framed(pixels: np.ndarray, margin: tuple[int, int]) -> np.ndarray:
    """Pixels [H, W, ...] with rows and columns before them that repeat the edge."""
    margins = [(before, 0) for before in margin] + [(0, 0)] * (pixels.ndim - 2)
    return np.pad(pixels, margins, mode="edge") if any(margin) else pixels


def _coefficients_of(pixels: np.ndarray) -> np.ndarray:
    """Luma's [Hb, Wb, 8, 8] of [H, W] or [H, W, 3]; a gray picture's may be either."""
    return luma_blocks(luma(pixels, gray=pixels.ndim == 2))


def _add(pixels: np.ndarray, changes: np.ndarray) -> None:
    """Add changes [Hb, Wb, 8, 8] of luma's coefficients to pixels [8 Hb, 8 Wb, ...], in place."""
    height, width = pixels.shape[:2]
    samples = combs.BASIS.T @ changes @ combs.BASIS
    plane = samples.transpose(0, 2, 1, 3).reshape(height, width)
    pixels += plane.reshape(plane.shape + (1,) * (pixels.ndim - 2))
