"""Samples below and to the right of the image, which a file's last units hold but nobody sees.

libjpeg's encoder repeats the edge there. Hardware encoders write zeros or black, and a lossless
crop leaves the picture that was there. Repeating the edge of such a file would drag the edge
towards what is hidden, so its hidden samples are free: the image is extended to whole units
(`extended`), projected and certified at that size, and cropped.

A file is taken for one of these only if no image whose edge is repeated has its levels, as the
alternating projection finds. An image that libjpeg compressed always has them.
"""

import dataclasses

import numpy as np

from keras_jpeg_gan.jpeg.levels import Quantized
from keras_jpeg_gan.jpeg.projection import alternating
from keras_jpeg_gan.jpeg.projection.budget import Budget
from keras_jpeg_gan.jpeg.projection.grid import Grid, scatter
from keras_jpeg_gan.jpeg.projection.units import unit
from keras_jpeg_gan.system import one_blas_thread

_ITERATIONS = 60


def is_free(quantized: Quantized, height: int, width: int) -> bool:
    """Whether no image whose edge is repeated has the levels.

    Args:
        quantized: of the file, as it was read.
        height, width: of the image, in pixels.
    """
    return any(_is_free(part.quantized, height, width) for part in quantized.parts)


def _is_free(quantized: Quantized, height: int, width: int) -> bool:
    channels = quantized.sampling.components
    shape = (height, width) if channels == 1 else (height, width, channels)
    grid, free = Grid(shape, quantized), dataclasses.replace(quantized, visible=(height, width))
    whole = Grid(whole_shape(shape, free), free)
    full = unit(quantized.sampling, quantized.sampling.unit_height, quantized.sampling.unit_width)
    budget = Budget(height * width)
    budget.allow(height * width)
    with one_blas_thread():
        for part, places in grid.shapes():
            if not part.cut:
                continue
            visible = (full.rows <= part.rows.max()) & (full.columns <= part.columns.max())
            given = alternating.centre(full, whole.cells(full, places))[:, visible]
            cells = grid.cells(part, places)
            boxes = alternating.boxes(cells, np.zeros((64, len(part.blocks))))
            bounds = alternating.unbounded(given)
            found = alternating.project(part, given, boxes, _ITERATIONS, budget, bounds)
            if (alternating.distance(part, found, cells) > alternating.FAR).any():
                return True
    return False


def whole_shape(shape: tuple[int, ...], quantized: Quantized) -> tuple[int, ...]:
    """The shape of the pixels to project if those to be seen have this one."""
    if quantized.visible is None:
        return shape
    return (*quantized.sampling.whole_units(*shape[:2]), *shape[2:])


def extended(pixels: np.ndarray, quantized: Quantized) -> np.ndarray:
    """An image with a free border, extended to whole units by what the levels say is hidden.

    Args:
        pixels: [H, W], [H, W, 3] or [H, W, 4], 0..255.
        quantized: of the file, or of the band of rows that the pixels are; its border is free.

    Returns:
        float32, of `whole_shape`; not clipped, since chroma of zero is beyond RGB.
    """
    return quantized.by_parts(_extended, pixels)


def _extended(pixels: np.ndarray, quantized: Quantized) -> np.ndarray:
    height, width = pixels.shape[:2]
    shape = whole_shape(pixels.shape, quantized)
    result = np.empty(shape, np.float32)
    grid = Grid(shape, quantized)
    for part, places in grid.shapes():
        hides = (places == np.array(grid.size) - 1) & (np.array(shape[:2]) > (height, width))
        places = places[hides.any(axis=1)]
        found = alternating.centre(part, grid.cells(part, places))
        scatter(found, grid.index(part, places), result)
    result[:height, :width] = pixels
    return result


def completed(pixels: np.ndarray, quantized: Quantized) -> np.ndarray:
    """Pixels that were projected onto luma alone, as many as the file's components need.

    Chroma's units may be larger; what is missing is the edge once more.
    """
    shape = (
        pixels.shape
        if quantized.visible is None
        else (*quantized.sampling.whole_units(*quantized.visible), *pixels.shape[2:])
    )
    margins = [(0, more - size) for size, more in zip(pixels.shape, shape, strict=True)]
    return np.pad(pixels, margins, mode="edge") if any(map(any, margins)) else pixels
