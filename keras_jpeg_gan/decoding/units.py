"""What a file's sampling asks of its restoration: where bands may begin, and which projection."""

import math

import numpy as np

from keras_jpeg_gan.decoding import tiles
from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.jpeg import emulator, encoder
from keras_jpeg_gan.jpeg.file import JpegFile


def grid(file: JpegFile) -> int:
    """What bands begin on multiples of: no unit of the projection is cut."""
    if not file.levels:
        return tiles.GRID
    return math.lcm(
        tiles.GRID, 8 * max(down for _, down in emulator.reduced_factors(file.sampling))
    )


def levels_between(file: JpegFile, top: int, end: int) -> list[np.ndarray]:
    """The levels of rows of pixels, which begin and, but for the last, end with a unit."""
    if not file.levels:
        return []
    factors = emulator.reduced_factors(file.sampling)
    unit = 8 * max(down for _, down in factors)
    return [
        part[top // unit * down : -(-end // unit) * down]
        for part, (_, down) in zip(file.levels, factors, strict=True)
    ]


def feasible(projection: str, file: JpegFile) -> tuple[str, list[str]]:
    """The projection that a file allows, and what to say of it."""
    sampling = file.sampling
    if not file.levels:
        return "none", []
    if encoder.can_encode(sampling):
        return projection, []
    try:
        emulator.ratios(sampling)
    except ConfigError:
        feasible = "none"
    else:
        feasible = "none" if projection == "none" else "float"
    said = f"sampling {sampling} is none that libjpeg's encoder can write: no certificate"
    if feasible != projection:
        said += f", projection {feasible} instead of {projection}"
    return feasible, [said]
