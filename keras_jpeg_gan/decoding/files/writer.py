"""Image files: lossless formats, with metadata carried over."""

import io
import pathlib
import struct
from typing import Any

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngImageFile, PngInfo
from PIL.TiffImagePlugin import TiffImageFile

import keras_jpeg_gan
from keras_jpeg_gan.decoding.files import png16, webp_note
from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.jpeg.metadata import Metadata
from keras_jpeg_gan.system import without_warnings

# The suffixes of each format. Outputs that this program names get the first one.
FORMATS = {"png": (".png",), "webp": (".webp",), "tiff": (".tiff", ".tif")}
INK_FORMAT = "tiff"  # the only one that holds CMYK

SOFTWARE = f"keras-jpeg-gan {keras_jpeg_gan.__version__}"

_NOTE = "Restoration"  # the keyword of a note in PNG

# zlib's level 3 takes a third of the time of the default, and the files are as small.
_PNG_LEVEL = 3
_WEBP_METHOD = 2
_WEBP_LARGEST_SIDE = 16383
_TIFF_LARGEST_SIZE = 2**32 - 2**28  # bytes; offsets have 32 bits, and metadata needs some

# More is a mistake, and does not fit into PNG's 31 bits for pixels per metre.
_LARGEST_DPI = 1e6

# TIFF tags: ImageDescription, Orientation, Software, XMP, IPTC.
_DESCRIPTION, _ORIENTATION, _SOFTWARE, _XMP, _IPTC = 270, 274, 305, 700, 33723
_NO_UNIT = 1  # of TIFF's ResolutionUnit: XResolution and YResolution say the aspect alone

# EXIF tags that describe the photograph and not its file: description, make, model, orientation,
# date, artist, copyright, and the directories of exposure and GPS.
_EXIF_IN_TIFF = {270, 271, 272, 274, 306, 315, 33432, 34665, 34853}


def format_of(path: pathlib.Path) -> str:
    """The format that the suffix of a file's name asks for.

    Raises:
        ConfigError: the suffix is not in `FORMATS`.
    """
    for image_format, suffixes in FORMATS.items():
        if path.suffix.lower() in suffixes:
            return image_format
    known = ", ".join(suffix for suffixes in FORMATS.values() for suffix in suffixes)
    raise ConfigError(f"{path.name!r}: let the name end with one of {known}")


def check_fits(
    height: int, width: int, image_format: str, channels: int = 3, bits: int = 8
) -> None:
    """Refuse an image that its format cannot hold.

    Args:
        height, width: in pixels; channels: 1 (gray), 3 (RGB) or 4 (inks); bits: 8 or 16.
        image_format: one of `FORMATS`.

    Raises:
        ConfigError: it is too large, or its colours are none of the format's.
    """
    if channels == 4 and image_format != INK_FORMAT:
        raise ConfigError(f"CMYK: {image_format} holds only gray and RGB: use --format=tiff")
    if channels == 4 and bits == 16:
        raise ConfigError("CMYK: written in 8 bits only, as tiff: leave out --bits=16")
    if image_format == "webp" and max(height, width) > _WEBP_LARGEST_SIDE:
        raise ConfigError(
            f"{width}x{height}: WebP holds at most {_WEBP_LARGEST_SIDE} pixels per side: use png "
            "or tiff"
        )
    if image_format == "tiff" and height * width * channels > _TIFF_LARGEST_SIZE:
        raise ConfigError(f"{width}x{height}: TIFF holds at most 4 GB, uncompressed: use png")


def left_out(metadata: Metadata, image_format: str) -> tuple[str, ...]:
    """What `encode` cannot carry over in one of `FORMATS`, a line each."""
    lines = []
    if metadata.iptc and image_format != "tiff":
        lines.append("its IPTC data: only --format=tiff carries it over")
    if metadata.aspect and image_format == "webp":
        across, down = metadata.aspect
        lines.append(
            f"its pixels are not square (density {across}:{down}): --format=png or tiff says so"
        )
    return tuple(lines)


def encode(
    pixels: np.ndarray, image_format: str, metadata: Metadata | None, provenance: str
) -> bytes:
    """The bytes of an image file.

    Args:
        pixels: [H, W] (gray) or [H, W, 3] (RGB) uint8, or uint16 for PNG; for TIFF also
            [H, W, 4] (CMYK, 0 is no ink) uint8.
        image_format: one of `FORMATS`. WebP stores gray as RGB.
        metadata: to write, together with the provenance; None for neither. WebP has no place for
            comments; see also `left_out`. TIFF takes the EXIF tags that describe the photograph,
            if they can be parsed.
        provenance: what made the pixels, in a line, for `read_note`.

    Raises:
        ConfigError: the format is unknown or cannot hold such an image.
    """
    if image_format not in FORMATS:
        raise ConfigError(f"format {image_format!r}: one of {', '.join(FORMATS)}")
    height, width = pixels.shape[:2]
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    check_fits(height, width, image_format, channels, 8 * pixels.itemsize)
    options = _OPTIONS[image_format](metadata, provenance)
    content = _with_pixels(pixels, image_format, options)
    if metadata is not None and image_format == "webp":
        return webp_note.with_note(content, height, width, provenance)
    if metadata is not None and metadata.aspect and image_format == "png":
        return _with_aspect(content, *metadata.aspect)
    return content


def _with_pixels(pixels: np.ndarray, image_format: str, options: dict[str, Any]) -> bytes:
    if pixels.dtype != np.uint16:
        return _saved(image_of(pixels), image_format, options)
    if image_format != "png":
        raise ConfigError(f"16 bits: only png holds them here, not {image_format}")
    if pixels.ndim == 2:
        return _saved(Image.fromarray(pixels), image_format, options)
    shell = _saved(Image.new("RGB", (1, 1)), image_format, options)
    return png16.with_pixels(shell, pixels, _PNG_LEVEL)


def image_of(pixels: np.ndarray) -> Image.Image:
    """Pixels [H, W], [H, W, 3] or [H, W, 4] (CMYK) uint8 as Pillow's image."""
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        return Image.frombytes("CMYK", pixels.shape[1::-1], pixels.tobytes())
    return Image.fromarray(pixels)


def read_note(path: pathlib.Path) -> str | None:
    """The provenance that `encode` wrote into an image file; None if there is none.

    Raises:
        OSError: the file cannot be opened.
    """
    with path.open("rb") as file:
        try:
            match format_of(path):
                case "png":  # not by Image.open, which has a limit of its own on the size
                    return PngImageFile(file).info.get(_NOTE)
                case "tiff":
                    return str(TiffImageFile(file).tag_v2[_DESCRIPTION]).rpartition("\n")[2]
                case _:
                    return webp_note.read_note(file)
        except Exception:  # it is no image, or no whole one; parsers raise much more than OSError
            return None


def _saved(image: Image.Image, image_format: str, options: dict[str, Any]) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, image_format, **options)
    return buffer.getvalue()


def _png_options(metadata: Metadata | None, provenance: str) -> dict[str, Any]:
    options: dict[str, Any] = {"compress_level": _PNG_LEVEL}
    if metadata is None:
        return options
    info = PngInfo()
    info.add_text("Software", SOFTWARE)
    info.add_text(_NOTE, provenance)
    for comment in metadata.comments:
        info.add_itxt("Comment", comment)
    if metadata.xmp:
        info.add_itxt("XML:com.adobe.xmp", metadata.xmp.decode("utf-8", "replace"))
    return options | {"pnginfo": info} | _shared_options(metadata)


def _with_aspect(png: bytes, across: int, down: int) -> bytes:
    """Say the shape of the pixels (pHYs without a unit), which Pillow cannot write."""
    return png16.with_chunk(png, b"pHYs", struct.pack(">IIB", across, down, 0))


def _webp_options(metadata: Metadata | None, provenance: str) -> dict[str, Any]:
    options: dict[str, Any] = {"lossless": True, "method": _WEBP_METHOD}
    if metadata is None:
        return options
    if metadata.xmp:
        options["xmp"] = metadata.xmp
    return options | _shared_options(metadata)


def _tiff_options(metadata: Metadata | None, provenance: str) -> dict[str, Any]:
    # Uncompressed, since Pillow's compressing writer drops the directories of EXIF.
    if metadata is None:
        return {}
    tags = _tiff_tags(metadata.exif)
    if metadata.orientation != 1:  # known even if the rest of EXIF cannot be written again
        tags[_ORIENTATION] = metadata.orientation
    given = [tags[_DESCRIPTION]] if _DESCRIPTION in tags else []
    tags[_DESCRIPTION] = "\n".join([*map(str, given), *metadata.comments, provenance])
    tags[_SOFTWARE] = SOFTWARE
    if metadata.xmp:
        tags[_XMP] = metadata.xmp
    if metadata.iptc:
        tags[_IPTC] = metadata.iptc
    if metadata.aspect:
        across, down = metadata.aspect
        resolution = {"x_resolution": across, "y_resolution": down, "resolution_unit": _NO_UNIT}
        return _shared_options(metadata) | {"exif": tags} | resolution
    return _shared_options(metadata) | {"exif": tags}


def _tiff_tags(raw: bytes) -> Image.Exif:
    """The EXIF tags that go into a TIFF file; others would contradict the file's own."""
    tags = Image.Exif()
    try:
        with without_warnings():
            tags.load(raw)
            for tag in set(tags) - _EXIF_IN_TIFF:
                del tags[tag]
            tags.tobytes()
    except Exception:  # a parser's failure on hostile EXIF, of whatever class
        return Image.Exif()
    return tags


def _shared_options(metadata: Metadata) -> dict[str, Any]:
    found = {"exif": metadata.exif, "icc_profile": metadata.icc_profile, "dpi": metadata.dpi}
    if metadata.dpi and max(metadata.dpi) > _LARGEST_DPI:
        del found["dpi"]
    return {name: value for name, value in found.items() if value}


_OPTIONS = {"png": _png_options, "webp": _webp_options, "tiff": _tiff_options}
