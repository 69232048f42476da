"""A JPEG file as this library sees it: its levels and tables, its decode, its metadata."""

import hashlib
import io
import os
import pathlib
from dataclasses import dataclass

import numpy as np
from PIL import JpegImagePlugin

from keras_jpeg_gan.errors import JpegFormatError
from keras_jpeg_gan.jpeg.coefficients import read_coefficients
from keras_jpeg_gan.jpeg.header import (
    BROKEN,
    Header,
    check_file_size,
    read_header,
    without_extras,
)
from keras_jpeg_gan.jpeg.limits import Limits
from keras_jpeg_gan.jpeg.metadata import Metadata, read_metadata
from keras_jpeg_gan.jpeg.tables import estimate_quality
from keras_jpeg_gan.system import without_warnings

__all__ = ["JpegFile", "Limits"]

_NO_END = "no end-of-image marker"


@dataclass(frozen=True)
class JpegFile:
    """A grayscale or YCbCr JPEG file.

    Attributes:
        levels: [Hb, Wb, 8, 8] int16 for each component, natural order, without dummy blocks;
            none of an image that is only taken for a JPEG file's (`assumed`).
        tables: [8, 8] int32 steps for each component, natural order.
        sampling: "gray", "4:2:0", ..., or factors such as "2x2,1x2,1x1".
        pixels: [H, W] or [H, W, 3] uint8, libjpeg's default decode; orientation not applied.
        progressive: whether it has progressive scans.
        metadata: to be carried over.
        warnings: what is odd about the file, a line each.
        sha256: of the file's bytes, as hexadecimal digits.
    """

    levels: tuple[np.ndarray, ...]
    tables: tuple[np.ndarray, ...]
    sampling: str
    pixels: np.ndarray
    progressive: bool
    metadata: Metadata
    warnings: tuple[str, ...] = ()
    sha256: str = ""

    @property
    def height(self) -> int:
        """Rows of pixels."""
        return self.pixels.shape[0]

    @property
    def width(self) -> int:
        """Columns of pixels."""
        return self.pixels.shape[1]

    @property
    def quality(self) -> int:
        """The IJG quality whose tables are nearest: an estimate."""
        return estimate_quality(self.tables[0], self.tables[1] if len(self.tables) > 1 else None)

    @classmethod
    def read(
        cls,
        source: str | os.PathLike[str] | bytes,
        limits: Limits | None = None,
        allow_truncated: bool = False,
    ) -> "JpegFile":
        """Read a file.

        Args:
            source: a path, or the file's bytes.
            limits: what it may ask for; the defaults if none.
            allow_truncated: read what a cut file still has.

        Raises:
            JpegFormatError: it is not a JPEG that can be restored, or beyond the limits.
            OSError: the path cannot be read.
        """
        limits = limits or Limits()
        data = source if isinstance(source, bytes) else read_bytes(pathlib.Path(source), limits)
        header = read_header(data, limits)
        sha256 = hashlib.sha256(data).hexdigest()
        data = data[: header.end]  # what follows belongs to other programs, or is a piece
        if not header.complete:
            data += b"\xff\xd9"  # decoders fill in what is missing before it
        pixels, metadata = _decode(data, header.comments)
        # jpeglib stumbles over many markers, and needs none.
        found = read_coefficients(without_extras(data, header))
        size, count = (header.height, header.width), len(header.components)
        if (
            pixels.shape != (size if count == 1 else (*size, count))
            or (found.height, found.width) != size
            or len(found.levels) != count
        ):
            raise JpegFormatError(f"its decoders do not agree on what it is: {BROKEN}")
        remarks = []
        if not header.complete:
            remarks.append(_incomplete(header, found.remarks))
            if remarks[0] != _NO_END and not allow_truncated:
                raise JpegFormatError(f"{remarks[0]}; --allow_truncated restores what is there")
        remarks += [f"libjpeg says: {remark}" for remark in found.remarks]
        tables = tuple(header.tables)
        if len(tables) == 3 and (tables[1] != tables[2]).any():
            remarks.append("Cb and Cr have different tables")
        return cls(
            levels=found.levels,
            tables=tables,
            sampling=found.sampling,
            pixels=pixels,
            progressive=header.progressive,
            metadata=metadata,
            warnings=tuple(remarks),
            sha256=sha256,
        )


def read_bytes(path: pathlib.Path, limits: Limits) -> bytes:
    """A file's bytes, unless there are too many.

    Raises:
        JpegFormatError: there are more than the limit.
        OSError: the path cannot be read.
    """
    check_file_size(path.stat().st_size, limits)
    return path.read_bytes()


def _incomplete(header: Header, remarks: tuple[str, ...]) -> str:
    """What a file without its end-of-image marker lacks."""
    # A sequential file has no more scans than components, and libjpeg remarks on Huffman codes
    # that end early. A progressive one may have had more scans; of arithmetic codes it is silent.
    sequential = header.frame in ("baseline", "extended")
    if sequential and len(header.scanned) == len(header.components) and not remarks:
        return _NO_END
    return f"truncated: it ends in or behind scan {header.scans}, before its end-of-image marker"


def _decode(data: bytes, comments: tuple[bytes, ...]) -> tuple[np.ndarray, Metadata]:
    """Pillow's decode, and the metadata."""
    try:
        # Not by Image.open, which has a limit of its own on the size.
        with without_warnings():
            picture = JpegImagePlugin.JpegImageFile(io.BytesIO(data))
            metadata = read_metadata(picture, comments)
        with picture:
            pixels = np.asarray(picture)
    except Exception as error:  # Pillow's parsers raise much more than OSError on hostile bytes
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise JpegFormatError(f"Pillow cannot decode it ({reason}): {BROKEN}") from error
    return pixels, metadata
