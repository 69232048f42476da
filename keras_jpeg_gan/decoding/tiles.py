"""Running a network over an image of any size in tiles, with the same result as at once.

The image is padded to the grid by repeating its edge, and cut into windows on the grid. Only the
part of each window's result that no cut can have affected is kept: `halo` pixels are dropped on
every side that is not an edge of the image. If the halo is at least the network's receptive
radius, the tiles equal the whole, whatever their size.
"""

import dataclasses
from collections.abc import Callable, Iterator

import numpy as np

# Windows begin and end on multiples of this, which is a multiple of the 8x8 blocks, of the minimum
# coded unit of 4:2:0, and of every network's alignment.
GRID = 16


@dataclasses.dataclass(frozen=True)
class Span:
    """A window along one axis: the network sees [start, stop), and [first, last) is kept."""

    start: int
    stop: int
    first: int
    last: int


def round_up(size: int, grid: int = GRID) -> int:
    """The smallest multiple of grid that is at least size."""
    return -(-size // grid) * grid


def spans(size: int, tile: int, halo: int, grid: int = GRID) -> list[Span]:
    """Windows of equal length that together keep every position of an axis once.

    Args:
        size: length of the axis, a multiple of GRID.
        tile: the most positions to keep of a window, a multiple of grid.
        halo: how many positions to drop at each cut, a multiple of GRID.
        grid: the kept parts begin on multiples of this, which is a multiple of GRID.
    """
    if size <= tile + 2 * halo:
        return [Span(0, size, 0, size)]
    step = round_up(-(-size // -(-size // tile)), grid)
    length = step + 2 * halo
    found = []
    for first in range(0, size, step):
        start = min(max(first - halo, 0), size - length)
        found.append(Span(start, start + length, first, min(first + step, size)))
    return found


def bands(
    network: Callable[[np.ndarray, int, int], np.ndarray],
    pixels: np.ndarray,
    halo: int,
    tile: int,
    grid: int = GRID,
    progress: Callable[[int], None] | None = None,
) -> Iterator[tuple[int, np.ndarray]]:
    """Run a network over an image, one band of rows after the other.

    Args:
        network: maps a window [1, h, w, C], with any h and w on the grid, and the row and column
            where it begins, to [1, h, w, C] float32.
        pixels: [H, W, C], of any type that the network takes.
        halo: at least the network's receptive radius, a multiple of GRID.
        tile: the largest side of a tile, a multiple of grid.
        grid: bands begin on multiples of this, which is a multiple of GRID.
        progress: called after each window with the number of the image's pixels that it gave.

    Yields:
        The row where each band begins, and its [h, W, C] float32.
    """
    height, width, channels = pixels.shape
    columns = round_up(width)
    across = spans(columns, tile, halo)
    for y in spans(round_up(height), tile, halo, grid):
        strip = pixels[y.start : y.stop]
        margins = ((0, y.stop - y.start - len(strip)), (0, columns - width), (0, 0))
        strip = np.pad(strip, margins, mode="edge")
        band = np.empty((y.last - y.first, columns, channels), np.float32)
        rows = slice(y.first - y.start, y.last - y.start)
        for x in across:
            window = network(strip[None, :, x.start : x.stop], y.start, x.start)[0]
            band[:, x.first : x.last] = window[rows, x.first - x.start : x.last - x.start]
            if progress is not None:
                progress((min(y.last, height) - y.first) * (min(x.last, width) - x.first))
        yield y.first, band[: height - y.first, :width]
