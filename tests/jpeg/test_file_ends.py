"""Files that begin before their image, or end without saying so."""

import pathlib

import numpy as np
import pytest

from keras_jpeg_gan.errors import JpegFormatError
from keras_jpeg_gan.jpeg.file import JpegFile
from keras_jpeg_gan.jpeg.header import peek_size
from tests.files import find, jpeg, pillow

# As random bytes have it: codes that no file has behind a scan, and those that begin segments.
TRAILERS = {
    "an unknown code": b"\x12\x34\xff\xf2\x00\x09trailer\xff\xd9",
    "a code below C0": b"\xff\x40\x01\x02\xff\x7b",
    "another image": b"\0" * 9 + jpeg(16, 16),
    "a frame": b"\xff\xc2\0\x0b" + b"\x08" * 9,
    "text": b"phone's trailer" * 40,
}


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("trailer", TRAILERS.values(), ids=TRAILERS)
def test_a_missing_end_marker_before_a_trailer_is_no_missing_image(
    trailer: bytes, progressive: bool
) -> None:
    whole = jpeg(progressive=progressive)
    file = JpegFile.read(whole[:-2] + trailer)
    assert file.warnings[0] == "no end-of-image marker"
    np.testing.assert_array_equal(file.pixels, pillow(whole))


def test_what_is_missing_before_a_trailer_is_reported() -> None:
    cut = jpeg(200, 200)[:-400] + b"\xff\xf2\x00\x09trailer"
    with pytest.raises(JpegFormatError, match="truncated: "):
        JpegFile.read(cut)
    assert JpegFile.read(cut, allow_truncated=True).pixels.shape == (200, 200, 3)
    progressive = jpeg(progressive=True)
    last = progressive.rindex(b"\xff\xda")
    with pytest.raises(JpegFormatError, match="truncated: "):
        JpegFile.read(progressive[:last])  # its scans are whole, but one is missing


def test_restarts_go_on_behind_a_damaged_code() -> None:
    data = jpeg(160, 48, restart_marker_rows=1)
    inside = find(data, 0xD2) + 6
    damaged = data[:inside] + b"\xff\x40" + data[inside + 2 : -2]
    file = JpegFile.read(damaged, allow_truncated=True)
    np.testing.assert_array_equal(file.pixels[-16:], pillow(data)[-16:])


@pytest.mark.parametrize("progressive", [False, True])
def test_an_empty_image_before_the_image_is_passed_over(progressive: bool) -> None:
    whole = jpeg(progressive=progressive)
    exported = b"\xff\xd8\xff\xd9" + whole
    np.testing.assert_array_equal(pillow(exported), pillow(whole))
    file = JpegFile.read(exported)
    np.testing.assert_array_equal(file.pixels, pillow(whole))
    assert file.warnings == ()
    assert peek_size(exported) == (40, 56)
    with pytest.raises(JpegFormatError, match="no frame header"):
        JpegFile.read(whole[:2] + b"\xff\xd9")


def test_a_trailer_from_the_field(shared_data: pathlib.Path) -> None:
    file = JpegFile.read(shared_data / "found" / "no_end_then_trailer.jpg")
    assert file.warnings[0] == "no end-of-image marker"
    assert file.pixels.shape == (48, 64, 3)


@pytest.mark.parametrize("progressive", [False, True])
def test_restart_intervals_that_are_missing_are_noticed(progressive: bool) -> None:
    data = jpeg(160, 48, restart_marker_rows=1, progressive=progressive)
    assert JpegFile.read(data[:-2]).warnings == ("no end-of-image marker",)
    for code in range(0xD0, 0xD8):
        for end in (data.rindex(bytes((0xFF, code))), data.rindex(bytes((0xFF, code))) + 2):
            with pytest.raises(JpegFormatError, match="truncated: "):
                JpegFile.read(data[:end])
