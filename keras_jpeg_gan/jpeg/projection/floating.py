"""The float projection of one image: the nearest one that is consistent in real arithmetic.

It is the decoder's counterpart of `tensors.consistency.project`, in NumPy alone.
"""

import functools
from collections.abc import Iterator

import numpy as np

from keras_jpeg_gan.jpeg.levels import Quantized
from keras_jpeg_gan.jpeg.projection import alternating
from keras_jpeg_gan.jpeg.projection.budget import Budget
from keras_jpeg_gan.jpeg.projection.grid import Grid, gather, scatter
from keras_jpeg_gan.jpeg.projection.units import Unit
from keras_jpeg_gan.system import one_blas_thread

# Distance in steps from the borders of the cells, where rounding may go either way.
MARGIN = 0.02

# Pixels in a batch of units.
_BATCH = 1 << 18
# The most steps of the alternating projection where the image's border cuts a unit.
_EDGE_ITERATIONS = 150


def project(pixels: np.ndarray, quantized: Quantized, margin: float = MARGIN) -> np.ndarray:
    """The float projection of an image. Nothing is clipped: the result may leave 0..255.

    It accounts for the constants that the encoder adds in downsampling. In whole units a single
    step is the orthogonal projection; where the border cuts a unit, many steps lead to a
    consistent image that is not quite the nearest.

    Args:
        pixels: [H, W] (gray), [H, W, 3] (RGB) or [H, W, 4] (inks), 0..255, float or uint8.
        quantized: of the file.
        margin: how many steps, 0 to 1/2, to stay within the cells.

    Returns:
        float32, of the shape of pixels.

    Raises:
        ConfigError: shapes do not match.
    """
    return quantized.by_parts(functools.partial(_project_part, margin=margin), pixels)


def _project_part(pixels: np.ndarray, quantized: Quantized, margin: float) -> np.ndarray:
    grid = Grid(pixels.shape, quantized)
    result = np.empty(pixels.shape, np.float32)
    budget = Budget(pixels.shape[0] * pixels.shape[1])
    budget.allow(pixels.shape[0] * pixels.shape[1])
    for shape, places in _batches(grid):
        index = grid.index(shape, places)
        given = gather(pixels, shape, index)
        wanted, steps = grid.levels(shape, places), grid.steps(shape)
        reach = np.where(grid.bound(shape, places), np.float32(0.5 - margin), np.float32(np.inf))
        boxes = alternating.Boxes((wanted - reach) * steps, (wanted + reach) * steps)
        bounds = alternating.unbounded(given)
        found = alternating.project(shape, given, boxes, _EDGE_ITERATIONS, budget, bounds)
        scatter(found, index, result)
    return result


def violations(pixels: np.ndarray, quantized: Quantized) -> np.ndarray:
    """How far each coefficient of an image is from its level, in steps: [N] float32.

    Consistent means <= 1/2. Arguments and errors as `project`.
    """
    parts = quantized.parts
    if len(parts) > 1:
        return np.concatenate([violations(part.coded(pixels), part.quantized) for part in parts])
    grid = Grid(pixels.shape, quantized)
    found = []
    for shape, places in _batches(grid):
        planes = shape.components(gather(pixels, shape, grid.index(shape, places)))
        wanted, steps = grid.levels(shape, places), grid.steps(shape)
        bound = grid.bound(shape, places)
        for number, block in enumerate(shape.blocks):
            own = block.coefficients(planes[block.component]) / steps[:, number]
            found.append(np.abs(own - wanted[:, number])[:, bound[number]].ravel())
    return np.concatenate(found)


def _batches(grid: Grid) -> Iterator[tuple[Unit, np.ndarray]]:
    """Yield all units by shape, some at a time: their shape and places."""
    with one_blas_thread():
        for shape, places in grid.shapes():
            size = max(1, _BATCH // len(shape.rows))
            for start in range(0, len(places), size):
                yield shape, places[start : start + size]
