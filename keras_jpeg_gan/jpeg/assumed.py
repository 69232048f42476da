"""Images with JPEG's damage but without its levels: PNG, WebP, and JPEG files saved again."""

import hashlib
import io
import os
import pathlib

import numpy as np
from PIL import Image

from keras_jpeg_gan.errors import JpegFormatError
from keras_jpeg_gan.jpeg.file import JpegFile, read_bytes
from keras_jpeg_gan.jpeg.limits import FileLimits
from keras_jpeg_gan.jpeg.metadata import Metadata, read_metadata
from keras_jpeg_gan.jpeg.tables import quality_tables
from keras_jpeg_gan.system import without_warnings

FORMATS = ("PNG", "WEBP")
_JPEG = b"\xff\xd8\xff"


def read_assumed(
    source: str | os.PathLike[str] | bytes,
    quality: int,
    limits: FileLimits | None = None,
    allow_truncated: bool = False,
) -> JpegFile:
    """Read an image as if it were the decode of a JPEG file of some quality.

    Args:
        source: path or bytes of a PNG, WebP or JPEG file.
        quality: the IJG quality, 1-100, that did the damage.
        limits, allow_truncated: as `JpegFile.read`.

    Returns:
        Pixels, metadata and the quality's tables, but nothing quantized: there is nothing to
        project onto and nothing to certify.

    Raises:
        JpegFormatError: the image is none of these, cannot be restored or is beyond the limits.
        ConfigError: the quality is out of range.
        OSError: the path cannot be read.
    """
    limits = limits or FileLimits()
    luma, chroma = quality_tables(quality)
    data = source if isinstance(source, bytes) else read_bytes(pathlib.Path(source), limits)
    remarks: tuple[str, ...] = ()
    if data.startswith(_JPEG):
        file = JpegFile.read(data, limits, allow_truncated)
        pixels, metadata, remarks = file.pixels, file.metadata, file.warnings
    else:
        pixels, metadata = _decode(data, limits)
    assumed = f"restored as if its damage were of JPEG quality {quality}: nothing is certified"
    return JpegFile(
        quantized=None,
        tables=(luma, chroma, chroma, luma)[: 1 if pixels.ndim == 2 else pixels.shape[2]],
        pixels=pixels,
        progressive=False,
        metadata=metadata,
        warnings=(*remarks, assumed),
        sha256=hashlib.sha256(data).hexdigest(),
    )


def _decode(data: bytes, limits: FileLimits) -> tuple[np.ndarray, Metadata]:
    """Gray or RGB pixels (uint8), and the metadata."""
    try:
        with without_warnings(), Image.open(io.BytesIO(data), formats=FORMATS) as image:
            limits.check_image_size(image.width, image.height)
            if getattr(image, "n_frames", 1) > 1:
                raise JpegFormatError("an animation: give a single frame of it")
            metadata = read_metadata(image)
            if (
                image.has_transparency_data
                and np.asarray(image.convert("RGBA"))[..., 3].min() < 255
            ):
                raise JpegFormatError("it is transparent in places: put it on a background first")
            gray = image.mode in ("1", "L", "LA", "I;16", "I")
            if image.mode.startswith("I"):  # 16 bits; Pillow would keep the lowest 8
                return (np.asarray(image) >> 8).astype(np.uint8), metadata
            return np.asarray(image.convert("L" if gray else "RGB")), metadata
    except JpegFormatError:
        raise
    except Exception as error:  # parsers raise much more than OSError on hostile bytes
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise JpegFormatError(
            f"neither JPEG nor {' nor '.join(FORMATS)} that Pillow reads ({reason})"
        ) from error
