"""Images that may have JPEG's damage, but have no levels: PNG and WebP."""

import hashlib
import io

import numpy as np
from PIL import Image

from keras_jpeg_gan.errors import JpegFormatError
from keras_jpeg_gan.jpeg.file import JpegFile
from keras_jpeg_gan.jpeg.limits import FileLimits
from keras_jpeg_gan.jpeg.metadata import Metadata, read_metadata
from keras_jpeg_gan.system import without_warnings

FORMATS = ("PNG", "WEBP")


def is_picture(data: bytes) -> bool:
    """Whether a file begins as a PNG or WebP file does."""
    return data.startswith(b"\x89PNG") or data[8:12] == b"WEBP"


def read_picture(data: bytes, limits: FileLimits | None = None) -> JpegFile:
    """Read a PNG or WebP file.

    Args:
        data: its bytes.
        limits: what it may ask for; the defaults if None.

    Returns:
        Pixels and metadata without levels and tables: there is nothing to certify.

    Raises:
        JpegFormatError: the image cannot be read or restored, or is beyond the limits.
    """
    limits = limits or FileLimits()
    limits.check_file_size(len(data))
    pixels, metadata = _decode(data, limits)
    return JpegFile(
        quantized=None,
        tables=(),
        pixels=pixels,
        progressive=False,
        metadata=metadata,
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
            f"no {' or '.join(FORMATS)} image that Pillow reads ({reason})"
        ) from error
