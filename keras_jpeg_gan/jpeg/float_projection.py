"""The float projection in NumPy, of one image: the nearest that is consistent in real arithmetic.

What `consistency.project` is to tensors in a graph, for the decoder, which needs no framework.
"""

from collections.abc import Sequence

import numpy as np

from keras_jpeg_gan.jpeg import exact_float
from keras_jpeg_gan.jpeg.exact_grid import Grid, gather, scatter
from keras_jpeg_gan.jpeg.exact_units import one_blas_thread

# Steps kept from the borders of the cells, on which rounding is a toss.
MARGIN = 0.02

# Pixels of a batch of units.
_BATCH = 1 << 18
# Where the image's border cuts a unit: steps of the alternating projection, at most.
_EDGE_ITERATIONS = 150


def project(
    pixels: np.ndarray,
    levels: Sequence[np.ndarray],
    tables: Sequence[np.ndarray],
    sampling: str,
    margin: float = MARGIN,
) -> np.ndarray:
    """The float projection of an image. Nothing is clipped: it may leave 0..255.

    Cells are those of libjpeg's encoder, whose constants of rounding are counted in. In whole
    units one step is the orthogonal projection; where the border cuts a unit, many steps lead
    to a consistent image that is not quite the nearest.

    Args:
        pixels: [H, W] (gray) or [H, W, 3] (RGB), 0..255, float or uint8.
        levels, tables, sampling: as `exact_grid.Grid`.
        margin: by how many steps, 0 to 1/2, to stay within the cells.

    Returns:
        float32, of the shape of pixels.

    Raises:
        ConfigError: as `exact_grid.Grid`.
    """
    grid = Grid(pixels.shape, levels, tables, sampling)
    pixels = np.ascontiguousarray(pixels)
    result = np.empty(pixels.shape, np.float32)
    with one_blas_thread():
        for shape, places in grid.shapes():
            margins = np.stack(
                [margin * grid.tables[b.component].reshape(64) for b in shape.blocks], axis=1
            )
            size = max(1, _BATCH // len(shape.rows))
            for start in range(0, len(places), size):
                some = places[start : start + size]
                index = grid.index(shape, some)
                given = gather(pixels, shape, index)
                boxes = exact_float.boxes(grid.cells(shape, some), margins)
                anything = np.broadcast_to(np.float32(np.inf), given.shape)
                bounds = (-anything, anything)
                found = exact_float.project(shape, given, boxes, _EDGE_ITERATIONS, bounds)
                scatter(found, index, result)
    return result
