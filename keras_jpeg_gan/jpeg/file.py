"""A JPEG file as this library sees it: its levels and tables, its decode, its metadata."""

import io
import os
import pathlib
import warnings
from dataclasses import dataclass

import numpy as np
from PIL import JpegImagePlugin

from keras_jpeg_gan.errors import JpegFormatError
from keras_jpeg_gan.jpeg.coefficients import read_coefficients
from keras_jpeg_gan.jpeg.header import Header, Limits, read_header, without_extras
from keras_jpeg_gan.jpeg.metadata import Metadata, read_metadata
from keras_jpeg_gan.jpeg.tables import estimate_quality

__all__ = ["JpegFile", "Limits"]


@dataclass(frozen=True)
class JpegFile:
    """A grayscale or YCbCr JPEG file.

    Attributes:
        levels: [Hb, Wb, 8, 8] int16 for each component, natural order, without dummy blocks.
        tables: [8, 8] int32 steps for each component, natural order.
        sampling: "gray", "4:2:0", ..., or factors such as "2x2,1x2,1x1".
        pixels: [H, W] or [H, W, 3] uint8, libjpeg's default decode; orientation not applied.
        progressive: whether it has progressive scans.
        metadata: to be carried over.
        warnings: what is odd about the file, a line each.
    """

    levels: tuple[np.ndarray, ...]
    tables: tuple[np.ndarray, ...]
    sampling: str
    pixels: np.ndarray
    progressive: bool
    metadata: Metadata
    warnings: tuple[str, ...] = ()

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
        data = source if isinstance(source, bytes) else _read_bytes(pathlib.Path(source), limits)
        header = read_header(data, limits)
        remarks = []
        if header.complete:
            data = data[: header.end]  # what follows belongs to other programs
        elif allow_truncated:
            data = data[: header.end] + b"\xff\xd9"
            remarks.append("truncated: what is missing was filled in by libjpeg")
        pixels, metadata = _decode(data, header)
        if not (header.complete or allow_truncated):
            data += b"\xff\xd9"  # complete but for its end marker, or Pillow would have said so
            remarks.append("no end-of-image marker")
        # jpeglib stumbles over many markers, and needs none.
        found = read_coefficients(without_extras(data, header))
        if (found.height, found.width) != pixels.shape[:2] or len(found.levels) != len(
            header.components
        ):
            raise JpegFormatError("its decoders do not agree on its size: a broken JPEG")
        remarks += [f"libjpeg says: {remark}" for remark in dict.fromkeys(found.remarks)]
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
        )


def _read_bytes(path: pathlib.Path, limits: Limits) -> bytes:
    size = path.stat().st_size
    if size > limits.max_file_mb * 1e6:
        raise JpegFormatError(f"{size / 1e6:.0f} MB are more than --max_file_mb")
    return path.read_bytes()


def _decode(data: bytes, header: Header) -> tuple[np.ndarray, Metadata]:
    """Pillow's decode and metadata; its limits and warnings give way to the header's."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # Not by Image.open, which has a limit of its own on the size.
            with JpegImagePlugin.JpegImageFile(io.BytesIO(data)) as image:
                if image.mode not in ("L", "RGB"):
                    raise JpegFormatError(f"Pillow reads it as {image.mode}: not restored")
                pixels = np.asarray(image)
                metadata = read_metadata(image, header.comments)
    except JpegFormatError:
        raise
    except Exception as error:  # Pillow's parsers raise much more than OSError on hostile bytes
        if "truncated" in str(error):
            raise JpegFormatError(
                "truncated: its image data ends early; --allow_truncated restores what is there"
            ) from error
        raise JpegFormatError(f"libjpeg cannot decode it ({_one_line(error)})") from error
    if pixels.shape[:2] != (header.height, header.width):
        raise JpegFormatError("its decoders do not agree on its size: a broken JPEG")
    return pixels, metadata


def _one_line(error: Exception) -> str:
    lines = str(error).splitlines()
    return lines[0] if lines else type(error).__name__
