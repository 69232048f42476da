"""Whether a file's tables explain its blocking; where not, it was likely saved before.

A picture saved coarsely, then finely, bears blocks that the fine tables do not explain: on the
grid of the file, or on another if it was cropped between. Then the levels say little of the
photograph, and restoring to them restores the old blocks.

Blocking is seen in third differences, which smooth shading hardly moves: their mean at each of
the eight phases of the grid. What the file's own tables explain is measured on the picture
itself: moved by half a block, so that old blocks fall inside new ones, and compressed with these
tables (the calibration of Fridrich, Goljan and Hogea, "Steganalysis of JPEG Images", 2002).
Another grid is seen without that: to left and right of its own, a grid alone looks the same.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from keras_jpeg_gan.jpeg import encoder
from keras_jpeg_gan.jpeg.file import decode
from keras_jpeg_gan.jpeg.sampling import Sampling

_SMALLEST_SIDE, _LARGEST_SIDE = 48, 1024  # of the middle part, which is looked at
_GRID = 16
_GROUPS = 16  # of blocks, whose spread tells the error of a mean
_FEWEST_BLOCKS = 32  # of a group
_CAP = 40  # grey levels: above are edges

# Logarithms of ratios, and their means in standard errors, from where on there is a remark. Of
# 24 photographs at 7 qualities and of 23 files of cameras none reaches these.
_ON_GRID, _ON_GRID_ERRORS = 0.2, 4.5
_OFF_GRID, _OFF_GRID_ERRORS = 0.06, 6


def resaving_remark(
    pixels: np.ndarray, tables: Sequence[np.ndarray], sampling: Sampling
) -> str | None:
    """What the blocking of a file's decode says of its past, in a line, or None.

    Args:
        pixels: [H, W] or [H, W, 3] uint8, the decode.
        tables: [8, 8] steps for each component; sampling: of the file.
    """
    part = _middle(pixels)
    if min(part.shape[:2]) < _SMALLEST_SIDE or not sampling.can_encode:
        return None
    found = _by_phase(part)
    again = encoder.encode(np.ascontiguousarray(part[4:-4, 4:-4]), tables, sampling)
    explained = _by_phase(decode(again))
    if found is None or explained is None:
        return None
    pairs = zip(found, explained, strict=True)
    on_grid = [_blocking(ours) - _blocking(theirs) for ours, theirs in pairs]
    if all(_is_above(excess, _ON_GRID, _ON_GRID_ERRORS) for excess in on_grid):
        return (
            "its blocks stand out more than its tables explain: it was likely saved before at a "
            "lower quality; --assume_quality restores from that"
        )
    off_grid = (sign * excess for ours in found for excess in _lopsided(ours) for sign in (-1, 1))
    if any(_is_above(excess, _OFF_GRID, _OFF_GRID_ERRORS) for excess in off_grid):
        return (
            "it bears blocks of another grid than its own: it was likely saved, cropped or moved, "
            "and saved again; what stands between those blocks is not restored"
        )
    return None


def _middle(pixels: np.ndarray) -> np.ndarray:
    """The middle part, on the file's grid."""
    parts = []
    for length in pixels.shape[:2]:
        size = min(length, _LARGEST_SIDE) // _GRID * _GRID
        start = (length - size) // 2 // _GRID * _GRID
        parts.append(slice(start, start + size))
    return pixels[tuple(parts)]


def _by_phase(pixels: np.ndarray) -> list[np.ndarray] | None:
    """Logarithms [groups, 8] of the mean jump before each phase, across and down, if enough."""
    gray = pixels.astype(np.float32)
    if gray.ndim == 3:
        gray = gray @ np.array([0.299, 0.587, 0.114], np.float32)
    found = []
    for plane in (gray, gray.T):
        jumps = np.abs(plane[:, :-3] - 3 * (plane[:, 1:-2] - plane[:, 2:-1]) - plane[:, 3:])
        jumps = np.minimum(jumps, _CAP)[:, 6:]  # from the jump before column 8 on
        rows, columns = (length // 8 for length in jumps.shape)
        if rows * columns < _GROUPS * _FEWEST_BLOCKS:
            return None
        blocks = jumps[: 8 * rows, : 8 * columns].reshape(rows, 8, columns, 8).mean(axis=1)
        groups = np.array_split(blocks.reshape(-1, 8), _GROUPS)
        found.append(np.log(np.stack([group.mean(axis=0) for group in groups]) + 1e-3))
    return found


def _blocking(phases: np.ndarray) -> np.ndarray:
    """How much [groups] the file's own grid stands out."""
    return phases[:, 0] - np.median(phases[:, [2, 3, 5, 6]], axis=1)


def _lopsided(phases: np.ndarray) -> Iterator[np.ndarray]:
    """How much [groups] a phase stands out against its mirror image. Of a grid half a block off
    nothing is seen.
    """
    for phase in (1, 2, 3):
        yield phases[:, phase] - phases[:, 8 - phase]


def _is_above(excess: np.ndarray, least: float, errors: float) -> bool:
    error = excess.std(ddof=1) / np.sqrt(len(excess))
    return bool(excess.mean() > max(least, errors * error))
