"""Which projection a file allows, and where the bands that are projected may begin."""

import math

from keras_jpeg_gan.decoding import tiles
from keras_jpeg_gan.jpeg.file import JpegFile

PROJECTIONS = ("exact", "float", "none")


def grid(file: JpegFile) -> int:
    """The number of rows of which bands begin on multiples, so that no unit is cut."""
    if file.quantized is None:
        return tiles.GRID
    return math.lcm(tiles.GRID, file.quantized.sampling.unit_height)


def feasible(projection: str, file: JpegFile) -> tuple[str, list[str]]:
    """The projection to use where one of `PROJECTIONS` is wanted, and warnings about it."""
    if file.quantized is None:
        return "none", []
    sampling = file.quantized.sampling
    if sampling.can_encode:
        return projection, []
    said = f"libjpeg's encoder cannot write sampling {sampling}: no certificate"
    if projection != "exact":
        return projection, [said]
    return "float", [f"{said}, projection float instead of exact"]
