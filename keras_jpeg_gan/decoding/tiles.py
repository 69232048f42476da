"""A network over an image of any size, piece by piece, with the result of the whole at once.

The image is padded to the grid by repeating its edge, and cut into windows on the grid. Of each
window's result only the part is kept that no cut can have touched: `halo` pixels are dropped on
every side that is not the image's own. Where the halo is at least the network's receptive
radius, the pieces equal the whole, whatever the tile.
"""

import dataclasses
from collections.abc import Callable

import numpy as np

# Windows begin and end on multiples of this: of the 8x8 blocks, of the minimal coded unit of
# 4:2:0, and of what the network unshuffles.
GRID = 16

# Largest side of what a window contributes; bounds memory, and costs (1 + 2 halo / TILE)^2.
TILE = 1024


@dataclasses.dataclass(frozen=True)
class Span:
    """A window along one axis: the network sees [start, stop), [first, last) of it is kept."""

    start: int
    stop: int
    first: int
    last: int


def round_up(size: int, grid: int = GRID) -> int:
    """The least multiple of grid that is at least size."""
    return -(-size // grid) * grid


def spans(size: int, tile: int, halo: int) -> list[Span]:
    """Windows of one length that keep every position of an axis once.

    Args:
        size: length of the axis, a multiple of GRID.
        tile: the most that a window contributes, a multiple of GRID.
        halo: positions to drop at each cut, a multiple of GRID.
    """
    if size <= tile + 2 * halo:
        return [Span(0, size, 0, size)]
    step = round_up(-(-size // -(-size // tile)))
    length = step + 2 * halo
    found = []
    for first in range(0, size, step):
        start = min(max(first - halo, 0), size - length)
        found.append(Span(start, start + length, first, min(first + step, size)))
    return found


def run_tiled(
    network: Callable[[np.ndarray, int, int], np.ndarray],
    pixels: np.ndarray,
    halo: int,
    tile: int = TILE,
) -> np.ndarray:
    """Run a network over an image.

    Args:
        network: from a window [1, h, w, C] of any h and w on the grid, and the row and column
            where it begins, to [1, h, w, C] float32.
        pixels: [H, W, C], of any type that the network takes.
        halo: at least the network's receptive radius, a multiple of GRID.
        tile: largest side of a piece, a multiple of GRID.

    Returns:
        [H, W, C] float32.
    """
    height, width = pixels.shape[:2]
    rows, columns = round_up(height), round_up(width)
    padded = np.pad(pixels, ((0, rows - height), (0, columns - width), (0, 0)), mode="edge")
    result = np.empty(padded.shape, np.float32)
    for y in spans(rows, tile, halo):
        for x in spans(columns, tile, halo):
            part = padded[None, y.start : y.stop, x.start : x.stop]
            window = network(part, y.start, x.start)[0]
            result[y.first : y.last, x.first : x.last] = window[
                y.first - y.start : y.last - y.start, x.first - x.start : x.last - x.start
            ]
    return result[:height, :width]
