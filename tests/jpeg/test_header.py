"""The walk over the markers: what it finds, what it refuses, and in which words."""

import io
import time

import numpy as np
import pytest
from PIL import Image

from keras_jpeg_gan.errors import JpegFormatError
from keras_jpeg_gan.jpeg.header import read_header, without_extras
from keras_jpeg_gan.jpeg.limits import FileLimits
from keras_jpeg_gan.jpeg.sampling import Sampling
from tests.files import find, inserted, jpeg, patched, picture, pillow, segment

DATA = jpeg()
PROGRESSIVE = jpeg(progressive=True)
FRAME = find(DATA, 0xC0) + 4  # where the frame header's content begins
TABLE = find(DATA, 0xDB) + 5  # where the first table's steps begin
SCAN = find(DATA, 0xDA)
SEVENS = segment(0xDB, b"\0" + bytes([7] * 64))


def test_a_header_describes_its_file() -> None:
    header = read_header(DATA)
    assert (header.height, header.width, header.frame) == (40, 56, "baseline")
    assert header.sampling == Sampling.parse("4:2:0")
    assert (header.scans, header.progressive) == (1, False)
    assert (header.complete, header.end) == (True, len(DATA))
    gray = read_header(jpeg(7, 9, gray=True, progressive=True))
    assert (gray.height, gray.width, len(gray.components)) == (7, 9, 1)
    assert gray.progressive
    assert gray.scans > 3


@pytest.mark.parametrize("wide", [False, True])
def test_tables_have_natural_order_and_8_or_16_bits(wide: bool) -> None:
    steps = [np.arange(1, 65) + 300 * wide * k for k in (1, 2)]
    data = jpeg(quality=-1, qtables=[table.tolist() for table in steps])
    tables = read_header(data).tables
    for table, given in zip(tables, [steps[0], steps[1], steps[1]], strict=True):
        np.testing.assert_array_equal(table.ravel(), given)
    with Image.open(io.BytesIO(data)) as image:
        np.testing.assert_array_equal(tables[1].ravel(), image.quantization[1])


def test_a_component_has_the_table_that_stood_at_its_first_scan() -> None:
    original = read_header(DATA).tables[0]
    for data in (
        inserted(DATA, len(DATA) - 2, SEVENS),
        inserted(PROGRESSIVE, find(PROGRESSIVE, 0xDA, 2), SEVENS),
    ):
        np.testing.assert_array_equal(read_header(data).tables[0], original)
    assert (read_header(inserted(DATA, SCAN, SEVENS)).tables[0] == 7).all()


def other(name: str) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture(16, 16)).save(buffer, name)
    return buffer.getvalue()


REFUSED = {
    "empty": (b"", "an empty file"),
    "png": (other("PNG"), "a PNG image"),
    "webp": (other("WEBP"), "a WebP image"),
    "gif": (other("GIF"), "a GIF image"),
    "bmp": (other("BMP"), "a BMP image"),
    "tiff": (other("TIFF"), "a TIFF image"),
    "jpeg 2000": (other("JPEG2000"), "a JPEG 2000 image"),
    "ppm": (other("PPM"), "a PPM image"),
    "sidecar": (b"\0\5\x16\7\0\2\0\0Mac OS X", "an AppleDouble file of macOS"),
    "text": (b"hello, world", "does not begin with the bytes FF D8 FF"),
    "two bytes": (b"\xff\xd8", "does not begin"),
    "junk before": (b"junk" + DATA, "other bytes stand before .* remove them"),
    "two components": (
        inserted(DATA, FRAME - 4, segment(0xC0, DATA[FRAME : FRAME + 5] + b"\2" + bytes(6))),
        "2 components: only files of one, three or four",
    ),
    "12 bits": (patched(DATA, FRAME, b"\x0c"), "a 12-bit JPEG.* convert it"),
    "lossless": (patched(DATA, FRAME - 3, b"\xc3"), "a lossless JPEG.* convert it"),
    "hierarchical": (patched(DATA, FRAME - 3, b"\xc5"), "a hierarchical JPEG"),
    "height in DNL": (patched(DATA, FRAME + 1, b"\0\0"), "DNL"),
    "width 0": (patched(DATA, FRAME + 3, b"\0\0"), "width 0"),
    "huge sides": (patched(DATA, FRAME + 1, b"\xff\xff\xff\xff"), "65535x65535: sides above"),
    "too many pixels": (patched(DATA, FRAME + 1, b"\xf0\0\xf0\0"), "--max_megapixels=500"),
    "promises too much": (patched(DATA, FRAME + 1, b"\x20\0\x20\0"), "promises more than"),
    "factors": (patched(DATA, FRAME + 7, b"\x05"), "sampling factors 0x5,1x1,1x1"),
    "fractional factors": (
        patched(DATA, FRAME + 7, b"\x31\1\2\x21"),
        "sampling 3x1,2x1,1x1: only whole ratios.* convert it",
    ),
    "step of 0": (patched(DATA, TABLE + 9, b"\0"), "a step of 0"),
    "no such table": (patched(DATA, FRAME + 8, b"\x03"), "table 3 is missing"),
    "tables cut": (patched(DATA, TABLE - 2, b"\x42"), "segment of quantization tables"),
    "two frames": (
        inserted(DATA, FRAME - 4, DATA[FRAME - 4 : FRAME + 15]),
        "two frame headers",
    ),
    "short frame": (patched(DATA, FRAME - 1, b"\x0e"), "frame header of the wrong length"),
    "scan first": (inserted(DATA, 2, DATA[SCAN : SCAN + 14]), "scan before the frame header"),
    "no frame": (DATA[:2] + b"\xff\xd9", "no frame header"),
    "no scan": (DATA[:SCAN] + b"\xff\xd9", "ends before its first scan"),
    "length 0": (inserted(DATA, 2, b"\xff\xe5\0\0"), "segment FFE5 has length 0"),
    "two beginnings": (inserted(DATA, FRAME - 4, b"\xff\xd8"), "second start-of-image"),
    "stray bytes": (inserted(DATA, 2, b"\xff" * 100_000), "stray bytes"),
    "strays in pieces": (inserted(DATA, 20, (b"\xff\xdd\0\4\0\0" + bytes(9999)) * 9), "stray"),
    "comments": (inserted(DATA, 2, segment(0xFE, b"") * 1000), "metadata segments; strip them"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals_name_the_reason(name: str) -> None:
    data, words = REFUSED[name]
    with pytest.raises(JpegFormatError, match=words) as caught:
        read_header(data)
    assert str(caught.value).isprintable()


def test_the_caller_sets_the_limits() -> None:
    with pytest.raises(JpegFormatError, match="MB are more than --max_file_mb"):
        read_header(DATA, FileLimits(max_file_mb=0.0005))
    with pytest.raises(JpegFormatError, match="--max_scans=5"):
        read_header(PROGRESSIVE, FileLimits(max_scans=5))
    with pytest.raises(JpegFormatError, match="56x40 is more than --max_megapixels"):
        read_header(DATA, FileLimits(max_megapixels=0.002))
    with pytest.raises(JpegFormatError, match="scans of 56x40 are more work"):
        read_header(PROGRESSIVE, FileLimits(max_scanned_megapixels=5 * 0.00224))
    exact = FileLimits(max_megapixels=0.00224, max_file_mb=len(DATA) / 1e6, max_scans=1)
    assert read_header(DATA, exact).width == 56


def test_bytes_between_and_after_segments_are_skipped() -> None:
    plain = read_header(DATA)
    for data in (
        inserted(DATA, FRAME - 4, b"\xff\xff\xff"),  # fill
        inserted(DATA, FRAME - 4, b"\x00\x01\x02"),  # strays
        DATA + b"\xff\xc0 and more",
    ):
        header = read_header(data)
        assert header.components == plain.components
        assert header.complete
        np.testing.assert_array_equal(header.tables[0], plain.tables[0])


def test_scans_after_invalid_codes_are_counted() -> None:
    hidden = inserted(PROGRESSIVE, find(PROGRESSIVE, 0xDA, 2), b"\xff\x02\x03\xff")
    assert read_header(hidden).scans == read_header(PROGRESSIVE).scans > 5


def test_an_incomplete_file_ends_with_its_last_whole_part() -> None:
    for length in range(SCAN + 14, len(DATA) - 1):
        header = read_header(DATA[:length])
        assert not header.complete
        assert length - 1 <= header.end <= length  # a lone FF may begin a marker
    second = find(PROGRESSIVE, 0xDA, 2)
    tables = PROGRESSIVE.index(b"\xff\xc4", find(PROGRESSIVE, 0xDA))
    header = read_header(PROGRESSIVE[: second + 5])
    assert (header.scans, header.complete) == (1, False)
    assert header.end == tables  # which no scan follows
    assert read_header(PROGRESSIVE[: tables + 10]).end == tables


def test_without_extras_only_the_image_data_is_left() -> None:
    extras = segment(0xFE, b"hi") + segment(0xE5, b"\xff\xda") * 200 + segment(0xE2, b"ICC")
    data = inserted(inserted(DATA, SCAN, extras), 2, extras)
    bare = without_extras(data, read_header(data))
    assert bare == without_extras(DATA, read_header(DATA))
    assert not read_header(bare).extras
    np.testing.assert_array_equal(pillow(bare), pillow(DATA))


@pytest.mark.parametrize("tail", [b"\xff", b"\xff\x00", b"\xff\xd0", b"\x00", b"\xff\xdd\0\4\0\0"])
def test_the_walk_takes_linear_time(tail: bytes) -> None:
    begin = time.process_time()
    for data in (DATA[:SCAN], DATA[:-2]):
        try:
            read_header(data + tail * 100_000)
        except JpegFormatError as error:
            assert "first scan" in str(error) or "stray" in str(error)  # noqa: PT017
    assert time.process_time() - begin < 5
