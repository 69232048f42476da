"""Levels, tables and sampling out of a JPEG file, by libjpeg-turbo through jpegio.

jpegio (PyPI pyjpegio) rather than jpeglib: it raises libjpeg's errors instead of printing them,
reads a file once instead of three times, and has arithmetic coding without a choice of version.
"""

import contextlib
import os
import pathlib
import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import jpegio
import numpy as np

from keras_jpeg_gan.errors import JpegFormatError
from keras_jpeg_gan.jpeg import emulator

_NAMES = ("gray", "4:4:4", "4:2:2", "4:4:0", "4:2:0", "4:1:1")

# A process has one standard error, so one file is read at a time.
_ONE_READER = threading.Lock()


@dataclass(frozen=True)
class Coefficients:
    """What a JPEG file holds, before any decoding.

    Attributes:
        levels: [Hb, Wb, 8, 8] int16 for each component, natural order, without dummy blocks.
        tables: [8, 8] int32 steps for each component, natural order.
        sampling: a name, or factors like "2x2,1x2,1x1".
        height: of the image, in pixels.
        width: of the image, in pixels.
        remark: libjpeg's first warning about the data, or nothing.
    """

    levels: tuple[np.ndarray, ...]
    tables: tuple[np.ndarray, ...]
    sampling: str
    height: int
    width: int
    remark: str = ""


def sampling_name(factors: Sequence[tuple[int, int]]) -> str:
    """The sampling of factors (horizontal, vertical) of each component.

    A divisor common to all components is dropped: it changes no level.
    """
    text = ",".join(f"{h}x{v}" for h, v in factors)
    reduced = emulator.reduced_factors(text)
    for name in _NAMES:
        if emulator.factors(name) == reduced:
            return name
    return ",".join(f"{h}x{v}" for h, v in reduced)


def read_coefficients(data: bytes) -> Coefficients:
    """The levels of a JPEG file, as entropy-coded.

    Args:
        data: a file; one that `header.read_header` has passed, where it is somebody else's.

    Raises:
        JpegFormatError: libjpeg cannot read it.
    """
    with _as_path(data) as path, _ONE_READER, _captured_remark() as remark:
        try:
            image = jpegio.read(path)
        except (RuntimeError, ValueError, MemoryError) as error:
            raise JpegFormatError(f"libjpeg cannot read the levels ({error})") from error
    levels = tuple(
        np.ascontiguousarray(jpegio.tools.blocks_view(plane), np.int16)
        for plane in image.coef_arrays
    )
    return Coefficients(
        levels=levels,
        tables=tuple(
            np.array(image.quant_tables[component.quant_tbl_no], np.int32)
            for component in image.comp_info
        ),
        sampling=sampling_name(
            [(component.h_samp_factor, component.v_samp_factor) for component in image.comp_info]
        ),
        height=image.image_height,
        width=image.image_width,
        remark="".join(remark),
    )


@contextlib.contextmanager
def _as_path(data: bytes) -> Iterator[str]:
    """A path that holds the data: in memory on Linux, else in a temporary folder."""
    if hasattr(os, "memfd_create"):
        with open(os.memfd_create("jpeg"), "wb") as file:
            file.write(data)
            file.flush()
            yield f"/proc/self/fd/{file.fileno()}"
    else:
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "image.jpg"
            path.write_bytes(data)
            yield str(path)


@contextlib.contextmanager
def _captured_remark() -> Iterator[list[str]]:
    """Collects what C writes to standard error, where libjpeg puts its warnings."""
    remark: list[str] = []
    with tempfile.TemporaryFile() as file:
        kept = os.dup(2)
        try:
            os.dup2(file.fileno(), 2)
            yield remark
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            file.seek(0)
            remark.append(file.read().decode("ascii", "replace").strip())
