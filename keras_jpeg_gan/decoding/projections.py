"""Which projection a file allows, where its bands may begin, and what came of it."""

import math

import numpy as np

from keras_jpeg_gan.decoding import tiles
from keras_jpeg_gan.errors import ModelError
from keras_jpeg_gan.jpeg import encoder
from keras_jpeg_gan.jpeg.file import JpegFile
from keras_jpeg_gan.jpeg.levels import Quantized
from keras_jpeg_gan.jpeg.projection import border, floating
from keras_jpeg_gan.jpeg.projection.earlier import Agreement
from keras_jpeg_gan.metrics.violation import Violation
from keras_jpeg_gan.models.cards import ModelCard

PROJECTIONS = ("exact", "float", "none")
UNITS_OF_16_BITS = 257  # per grey level

# Grey levels by which the mean may change, beyond what a quantization step allows: more than any
# clipping or noise changes it.
_BRIGHTNESS = 32


def grid(file: JpegFile) -> int:
    """The number of rows of which bands begin on multiples, so that no unit is cut."""
    if file.quantized is None:
        return tiles.GRID
    return math.lcm(tiles.GRID, file.quantized.sampling.unit_height)


def feasible(projection: str, file: JpegFile) -> tuple[str, list[str]]:
    """The projection to use where one of `PROJECTIONS` is wanted, and warnings about it."""
    if file.earlier is not None:
        # Estimated levels bind in real arithmetic; where there are none, nothing does.
        return "none" if file.earlier.possible is None or projection == "none" else "float", []
    if file.quantized is None:
        return "none", []
    sampling = file.quantized.sampling
    if sampling.can_encode:
        return projection, []
    said = f"libjpeg's encoder cannot write sampling {sampling}: no certificate"
    if projection != "exact":
        return projection, [said]
    return "float", [f"{said}, projection float instead of exact"]


def certified(
    final: np.ndarray, file: JpegFile
) -> tuple[encoder.Certificate | None, Violation | None, Agreement | None]:
    """What libjpeg gives back of a file, or for 16 bits how far coefficients are from it.

    As of an earlier save, there is only the agreement with that.

    Args:
        final: as projected: with its hidden border, or its margin, if the file has one.
        file: what it is to be consistent with.
    """
    eight = final.dtype == np.uint8
    quantized = file.quantized
    if file.earlier is not None:
        return None, None, file.earlier.agreement(final, 1 if eight else UNITS_OF_16_BITS)
    if quantized is None or not quantized.sampling.can_encode:
        return None, None, None
    whole = border.completed(final, quantized)
    if eight:
        return encoder.certify(whole, quantized), None, None
    pixels = whole.astype(np.float32) / UNITS_OF_16_BITS
    return None, Violation.of(floating.violations(pixels, quantized)), None


def in_16_bits(pixels: np.ndarray, quantized: Quantized | None) -> np.ndarray:
    """Round to units of 1/257 grey level, int32; what is seen is clipped to 0..65535."""
    found = np.rint(UNITS_OF_16_BITS * pixels).astype(np.int32)
    height, width = (quantized and quantized.visible) or found.shape[:2]
    seen = found[:height, :width]
    np.clip(seen, 0, 65535, out=seen)
    return found


def cropped(final: np.ndarray, file: JpegFile) -> np.ndarray:
    """What is seen of an image that was projected, or that the network gave."""
    top, left = (0, 0) if file.earlier is None else file.earlier.margin
    return final[top : top + file.height, left : left + file.width]


def check_brightness(mean: float, file: JpegFile, card: ModelCard) -> None:
    """Refuse an image that cannot be a restoration of the file, such as a black one.

    The levels give the mean of each block to half a step of DC, so that the image's mean must be
    near that of libjpeg's decode.

    Raises:
        ModelError: the means are too far apart.
    """
    change = abs(mean - float(file.pixels.mean()))
    step = max(int(table[0, 0]) for table in file.tables)
    if not change <= _BRIGHTNESS + step / 16:
        raise ModelError(
            f"model {card.name}: its output is {change:.0f} grey levels off the file's mean: the "
            "model is broken, or --temperature too high"
        )
