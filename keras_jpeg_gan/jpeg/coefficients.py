"""The levels of a JPEG file, through jpeglib.

jpeglib 1.0.2 rather than pyjpegio 0.3.0, which gives the same levels: jpeglib also writes every
sampling, so one library serves reading and encoding. Both print libjpeg's remarks on C's
standard error, so that is captured here.
"""

from dataclasses import dataclass

import jpeglib
import numpy as np

from keras_jpeg_gan.errors import JpegFormatError
from keras_jpeg_gan.jpeg import emulator
from keras_jpeg_gan.jpeg.header import BROKEN
from keras_jpeg_gan.system import as_file, captured_standard_error

TURBO = "turbo210"  # jpeglib's newest libjpeg-turbo; reads arithmetic coding too

_NAMES = {
    emulator.factors(name): name for name in ("gray", "4:4:4", "4:2:2", "4:4:0", "4:2:0", "4:1:1")
}


@dataclass(frozen=True)
class Coefficients:
    """Levels of a file.

    Attributes:
        levels: [Hb, Wb, 8, 8] int16 for each component, without dummy blocks.
        tables: [8, 8] int32 steps for each component, natural order, as they stand at the
            file's end (`Header.tables` has those that count, should a file define them twice).
        sampling: a name, or factors where none fits.
        height, width: pixels.
        remarks: what libjpeg printed, a line each, once.
    """

    levels: tuple[np.ndarray, ...]
    tables: tuple[np.ndarray, ...]
    sampling: str
    height: int
    width: int
    remarks: tuple[str, ...]


def sampling_name(factors: tuple[tuple[int, int], ...]) -> str:
    """A name for factors ((across, down), ...), or the factors as text."""
    text = ",".join(f"{across}x{down}" for across, down in factors)
    return _NAMES.get(emulator.reduced_factors(text), text)


def read_coefficients(data: bytes) -> Coefficients:
    """Decode the entropy-coded levels of a JPEG file of one or three components.

    Raises:
        JpegFormatError: libjpeg cannot read the file.
    """
    with as_file(data, ".jpg") as path, captured_standard_error() as caught:
        failure = image = None
        try:
            with jpeglib.version(TURBO):
                image = jpeglib.read_dct(str(path))
                image.load()
        except (OSError, RuntimeError, ValueError) as error:
            failure = error
    remarks = tuple(dict.fromkeys(line for line in caught.text.splitlines() if line.strip()))
    if image is None or failure is not None:
        reason = remarks[-1] if remarks else "no reason given"
        raise JpegFormatError(
            f"libjpeg cannot read its coefficients ({reason}): {BROKEN}"
        ) from failure
    parts = [part for part in (image.Y, image.Cb, image.Cr) if part is not None]
    factors = tuple((int(across), int(down)) for down, across in image.samp_factor[: len(parts)])
    return Coefficients(
        levels=tuple(np.ascontiguousarray(part, np.int16) for part in parts),
        tables=tuple(image.get_component_qt(i).astype(np.int32) for i in range(len(parts))),
        sampling=sampling_name(factors),
        height=image.height,
        width=image.width,
        remarks=remarks,
    )
