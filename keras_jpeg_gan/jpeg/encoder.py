"""libjpeg's encoder itself, as the judge of what is consistent exactly.

Pillow's libjpeg-turbo writes the samplings that Pillow can name; jpeglib's writes the others.
Both use the "islow" DCT and plain (not smoothed) downsampling, and agree level for level.
"""

import contextlib
import io
import pathlib
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass

import jpeglib
import numpy as np
from PIL import Image

from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.jpeg import coefficients, emulator
from keras_jpeg_gan.system import captured_standard_error

# Pillow's number for each sampling that it writes. Grayscale has no choice.
_PILLOW_SUBSAMPLING = {
    ((1, 1),): 0,
    ((1, 1), (1, 1), (1, 1)): 0,
    ((2, 1), (1, 1), (1, 1)): 1,
    ((2, 2), (1, 1), (1, 1)): 2,
}
_TURBO = "turbo210"  # jpeglib's newest libjpeg-turbo

# ITU-T T.81, B.2.3: the most blocks in an interleaved minimal coded unit.
_MAX_UNIT_BLOCKS = 10


@dataclass(frozen=True)
class Certificate:
    """How much of a file an image gives back when libjpeg compresses it again.

    Attributes:
        levels_equal: levels of the file that the encoder returned.
        levels_total: levels of the file.
        largest_violation: the largest distance in steps of an unrounded coefficient from the
            file's level; at most 1/2 where all levels are equal.
    """

    levels_equal: int
    levels_total: int
    largest_violation: float

    @property
    def exact(self) -> bool:
        """Whether every level is the file's."""
        return self.levels_equal == self.levels_total

    def __str__(self) -> str:
        return (
            f"{'exact' if self.exact else 'not exact'}: {self.levels_equal} of "
            f"{self.levels_total} levels equal, largest violation "
            f"{self.largest_violation:.2f} steps"
        )


# Whose coefficients are computed at once, in whole rows of units.
_PIXELS_AT_ONCE = 1 << 20


def can_encode(sampling: str) -> bool:
    """Whether libjpeg's encoder has the sampling: whole ratios, not too many blocks in a unit.

    Where it has not, no image is consistent exactly, and `encode`, `certify` and
    `exact.project` raise ConfigError.
    """
    try:
        emulator.ratios(sampling)
    except ConfigError:
        return False
    return sum(h * v for h, v in emulator.reduced_factors(sampling)) <= _MAX_UNIT_BLOCKS


def encode(pixels: np.ndarray, tables: Sequence[np.ndarray], sampling: str) -> bytes:
    """Compress as libjpeg does, with tables and sampling of another file.

    Args:
        pixels: [H, W] (gray) or [H, W, 3] (RGB) uint8.
        tables: [8, 8] steps in 1..65535 for each component, natural order. libjpeg writes
            those above 32767 as 32767: of 8-bit pixels the levels are 0 either way.
        sampling: a name or factors (`emulator.factors`).

    Returns:
        A JPEG file, sequential.

    Raises:
        ConfigError: libjpeg's encoder cannot write the sampling, or shapes do not match.
    """
    if not can_encode(sampling):
        raise ConfigError(
            f"sampling {sampling}: libjpeg's encoder cannot write it; use the float projection"
        )
    parts = emulator.reduced_factors(sampling)
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    if not len(parts) == len(tables) == channels:
        raise ConfigError(
            f"pixels of shape {pixels.shape} do not fit sampling {sampling} "
            f"with {len(tables)} tables"
        )
    steps = np.stack([np.asarray(table, np.int64).reshape(8, 8) for table in tables])
    if steps.min() < 1 or steps.max() > 65535:
        raise ConfigError("a quantization step is not in 1..65535: libjpeg cannot write it")
    by_pillow = parts in _PILLOW_SUBSAMPLING
    # libjpeg remarks on steps above 255, and jpeglib's choice of version is the process's own.
    alone = steps.max() > 255 or not by_pillow
    with captured_standard_error() if alone else contextlib.nullcontext():
        if by_pillow:
            return _encode_by_pillow(pixels, steps, _PILLOW_SUBSAMPLING[parts])
        return _encode_by_jpeglib(pixels, steps, parts)


def _encode_by_pillow(pixels: np.ndarray, steps: np.ndarray, subsampling: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(
        buffer,
        "JPEG",
        qtables=[table.ravel().tolist() for table in steps],
        subsampling=subsampling,
    )
    return buffer.getvalue()


def _encode_by_jpeglib(
    pixels: np.ndarray, steps: np.ndarray, parts: tuple[tuple[int, int], ...]
) -> bytes:
    with tempfile.TemporaryDirectory() as folder, jpeglib.version(_TURBO):
        path = pathlib.Path(folder) / "encoded.jpg"
        image = jpeglib.from_spatial(np.ascontiguousarray(pixels))
        image.samp_factor = np.array([(v, h) for h, v in parts])
        image.write_spatial(
            str(path), qt=steps.astype(np.uint16), quant_tbl_no=np.arange(len(steps))
        )
        return path.read_bytes()


def encode_levels(
    pixels: np.ndarray, tables: Sequence[np.ndarray], sampling: str
) -> tuple[np.ndarray, ...]:
    """The levels that libjpeg gives: [Hb, Wb, 8, 8] int16 for each component.

    Arguments and errors are those of `encode`.
    """
    return coefficients.read_coefficients(encode(pixels, tables, sampling)).levels


def certify(
    pixels: np.ndarray,
    levels: Sequence[np.ndarray],
    tables: Sequence[np.ndarray],
    sampling: str,
) -> Certificate:
    """Compress the pixels with libjpeg and compare with a file's levels.

    Args:
        pixels: [H, W] or [H, W, 3] uint8.
        levels: [Hb, Wb, 8, 8] integers for each component of the file.
        tables: [8, 8] steps for each component.
        sampling: a name or factors.

    Raises:
        ConfigError: libjpeg's encoder cannot write the sampling, or shapes do not match.
    """
    equal = total = 0
    violation = 0.0
    for ours, wanted in zip(encode_levels(pixels, tables, sampling), levels, strict=True):
        if ours.shape != wanted.shape:
            raise ConfigError(
                f"levels of shape {wanted.shape} do not fit pixels of shape {pixels.shape}"
            )
        equal += int(np.count_nonzero(ours == wanted))
        total += wanted.size
    parts = emulator.reduced_factors(sampling)
    group = max(down for _, down in parts)
    height, width = pixels.shape[:2]
    at_once = max(1, _PIXELS_AT_ONCE // (8 * group * width))
    for row in range(0, -(-height // (8 * group)), at_once):
        band = pixels[8 * group * row : 8 * group * (row + at_once)]
        unrounded = emulator.coefficients(band, sampling)
        for c8, wanted, table, (_, down) in zip(unrounded, levels, tables, parts, strict=True):
            own = wanted[down * row : down * (row + at_once)]
            distance = np.abs(c8 / (8.0 * np.asarray(table)) - own)
            violation = max(violation, float(distance.max()))
    return Certificate(equal, total, violation)
