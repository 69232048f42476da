import contextlib
import io
import pathlib

import numpy as np
import pytest
from PIL import Image, IptcImagePlugin

from keras_jpeg_gan.decoding.files import writer
from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.jpeg.metadata import Metadata
from tests.files import picture

_MAKE, _ORIENTATION, _EXPOSURE, _TAKEN = 0x010F, 0x0112, 0x8769, 0x9003
_RESOLUTION = (282, 283, 296)  # across, down, unit


@pytest.mark.parametrize("image_format", writer.FORMATS)
@pytest.mark.parametrize("gray", [False, True])
def test_formats_are_lossless_and_gray_stays_gray(image_format, gray):
    pixels = picture(31, 17, gray=gray)
    content = writer.encode(pixels, image_format, None, "nothing")
    with Image.open(io.BytesIO(content)) as image:
        assert image.format == image_format.upper()
        expected = "L" if gray and image_format != "webp" else "RGB"
        assert image.mode == expected
        back = np.asarray(image.convert("L" if gray else "RGB"))
    assert np.array_equal(back, pixels)


@pytest.mark.parametrize("image_format", writer.FORMATS)
def test_metadata_goes_along_in_every_format(image_format):
    exif = Image.Exif()
    exif[_MAKE], exif[_ORIENTATION] = "maker", 6
    exif.get_ifd(_EXPOSURE)[_TAKEN] = "2020:01:01 00:00:00"
    metadata = Metadata(exif.tobytes(), b"a profile", b"<x:xmpmeta/>", ("hm",), 6, (300, 300))
    content = writer.encode(picture(16, 8), image_format, metadata, "made here")
    with Image.open(io.BytesIO(content)) as image:
        found = image.getexif()
        assert (found[_MAKE], found[_ORIENTATION]) == ("maker", 6)
        assert found.get_ifd(_EXPOSURE)[_TAKEN] == "2020:01:01 00:00:00"
        assert image.info["icc_profile"] == b"a profile"
        assert image.info["xmp"] == b"<x:xmpmeta/>"
    if image_format == "webp":
        return
    with Image.open(io.BytesIO(content)) as image:
        assert np.allclose(image.info["dpi"], 300, atol=0.01)
        said = str(image.text if image_format == "png" else dict(image.tag_v2))
    for words in ("hm", "made here", writer.SOFTWARE):
        assert words in said


def test_captions_and_oblong_pixels_go_along_where_the_format_has_a_place():
    metadata = Metadata(iptc=b"\x1c\x02\x78\x00\x07A field", aspect=(11, 10))
    pixels = picture(16, 8)
    with Image.open(io.BytesIO(writer.encode(pixels, "tiff", metadata, ""))) as image:
        assert IptcImagePlugin.getiptcinfo(image) == {(2, 120): b"A field"}
        assert [image.tag_v2[tag] for tag in _RESOLUTION] == [11, 10, 1]
    for depth in (pixels, pixels.astype(np.uint16)):
        content = writer.encode(depth, "png", metadata, "")
        with Image.open(io.BytesIO(content)) as image:
            assert image.info["aspect"] == (11, 10)
    assert writer.left_out(metadata, "tiff") == ()
    (iptc,) = writer.left_out(metadata, "png")
    assert "--format=tiff" in iptc
    assert len(writer.left_out(metadata, "webp")) == 2


def test_metadata_that_cannot_be_parsed_harms_no_image():
    metadata = Metadata(b"Exif\0\0MM\0*\xff\xff", b"?", b"\xff\xfe", ("\0",), 1, (4e9, 4e9))
    for image_format in writer.FORMATS:
        content = writer.encode(picture(16, 8), image_format, metadata, "made here")
        with Image.open(io.BytesIO(content)) as image:
            assert np.array_equal(np.asarray(image), picture(16, 8))


def test_the_orientation_outlives_exif_that_cannot_be_written_again():
    metadata = Metadata(b"Exif\0\0MM\0*\xff\xff", orientation=8)
    content = writer.encode(picture(16, 8), "tiff", metadata, "made here")
    with Image.open(io.BytesIO(content)) as image:
        assert image.getexif()[_ORIENTATION] == 8


def test_a_size_that_webp_cannot_hold_is_refused():
    with pytest.raises(ConfigError, match="WebP"):
        writer.encode(np.zeros((1, 16384), np.uint8), "webp", None, "")
    with pytest.raises(ConfigError, match="format"):
        writer.encode(np.zeros((1, 1), np.uint8), "jpeg", None, "")


@pytest.mark.parametrize(
    ("image_format", "height", "width", "fits"),
    [
        ("webp", 16383, 16383, True),
        ("webp", 1, 16384, False),
        ("tiff", 30_000, 40_000, True),
        ("tiff", 40_000, 40_000, False),
        ("png", 65_500, 65_500, True),
    ],
)
def test_the_limits_of_formats_are_known_beforehand(image_format, height, width, fits):
    with contextlib.nullcontext() if fits else pytest.raises(ConfigError, match=f"{width}x"):
        writer.check_fits(height, width, image_format)


@pytest.mark.parametrize(("name", "expected"), [("a.PNG", "png"), ("a.tif", "tiff")])
def test_the_suffix_says_the_format(name, expected):
    assert writer.format_of(pathlib.Path(name)) == expected


def test_a_suffix_of_no_format_is_refused():
    with pytest.raises(ConfigError, match=r"\.webp"):
        writer.format_of(pathlib.Path("a.jpg"))
