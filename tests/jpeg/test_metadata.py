"""Metadata: what Pillow wrote comes back, and absurd metadata is no failure."""

import io
import struct

import numpy as np
import pytest
from PIL import Image
from small_files import inserted, jpeg, patched, picture, pillow, segment

from keras_jpeg_gan.jpeg.file import JpegFile
from keras_jpeg_gan.jpeg.metadata import Metadata

DATA = jpeg()
XMP = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'><a/></x:xmpmeta>"


def metadata(data: bytes) -> Metadata:
    return JpegFile.read(data).metadata


def test_what_was_written_comes_back() -> None:
    exif = Image.Exif()
    exif[0x010E] = "a picture"
    profile = np.random.default_rng(0).bytes(200_000)  # four segments
    found = metadata(jpeg(exif=exif, icc_profile=profile, xmp=XMP, comment="naïve", dpi=(300, 200)))
    assert found == Metadata(exif.tobytes(), profile, XMP, ("naïve",), 1, (300, 200))


def test_nothing_is_the_default() -> None:
    assert metadata(DATA) == Metadata()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_told_and_not_applied(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = JpegFile.read(jpeg(16, 48, exif=exif))
    assert file.metadata.orientation == orientation
    assert file.pixels.shape == (16, 48, 3)


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_orientations_that_do_not_exist_are_upright(value: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = value
    assert metadata(jpeg(exif=exif)).orientation == 1


def test_resolution_of_0_is_none() -> None:
    assert metadata(patched(DATA, 13, b"\1\0\0\0\0")).dpi is None
    assert metadata(patched(DATA, 13, b"\1\0\x48\0\x60")).dpi == (72, 96)


def test_chunks_of_a_profile_are_joined_by_number() -> None:
    chunks = [
        segment(0xE2, b"ICC_PROFILE\0" + bytes([number, 3]) + bytes([64 + number]) * 10)
        for number in (3, 1, 2)
    ]
    found = metadata(inserted(DATA, 2, b"".join(chunks)))
    assert found.icc_profile == b"A" * 10 + b"B" * 10 + b"C" * 10
    assert metadata(inserted(DATA, 2, chunks[0] + chunks[1])).icc_profile == b""


def test_every_comment_comes_back_as_text() -> None:
    comments = (b"one", "zwölf".encode(), "zwölf".encode("latin-1"), b"nul\0", b"")
    data = inserted(DATA, 2, b"".join(segment(0xFE, comment) for comment in comments))
    assert metadata(data).comments == ("one", "zwölf", "zwölf", "nul", "")


ABSURD = {
    "empty": b"",
    "ones": b"\xff" * 300,
    "little-endian noise": b"II*\0" + b"\xff" * 40,
    "zeros": bytes(65000),
    "directory that is its own next": b"MM\0*\0\0\0\x08\0\0\0\0\0\x08",
    "offset beyond the end": b"II*\0\x08\0\0\0\1\0"
    + struct.pack("<HHII", 0x0112, 3, 2**30, 2**31)
    + bytes(4),
    "resolution by zero": b"II*\0\x08\0\0\0\1\0"
    + struct.pack("<HHII", 0x011A, 5, 1, 26)
    + bytes(12),
}


@pytest.mark.parametrize("name", ABSURD)
def test_absurd_exif_is_no_failure(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    content = b"Exif\0\0" + ABSURD[name]
    found = metadata(inserted(DATA[:2] + DATA[20:], 2, segment(0xE1, content)))
    assert found.orientation == 1
    assert found.exif == content
    assert found.dpi is None or min(found.dpi) > 0
    assert capfd.readouterr() == ("", "")


def test_of_several_pictures_in_a_file_the_first_is_read() -> None:
    buffer = io.BytesIO()
    first, second = (Image.fromarray(picture(24, width)) for width in (32, 16))
    first.save(buffer, "MPO", save_all=True, append_images=[second], comment="both")
    with Image.open(io.BytesIO(buffer.getvalue())) as image:
        assert image.format == "MPO"
    file = JpegFile.read(buffer.getvalue())
    np.testing.assert_array_equal(file.pixels, pillow(buffer.getvalue()))
    assert file.warnings == ()
    assert file.metadata.comments == ("both",)
