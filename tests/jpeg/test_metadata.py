"""Metadata: what Pillow wrote is read back, and absurd metadata does no harm."""

import io
import pathlib
import struct
import warnings

import numpy as np
import pytest
from PIL import ExifTags, Image

from keras_jpeg_gan.jpeg.file import JpegFile
from keras_jpeg_gan.jpeg.metadata import Metadata
from tests.files import inserted, jpeg, patched, picture, pillow, segment

DATA = jpeg()
XMP = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'><a/></x:xmpmeta>"


def pillow_file(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG")
    return buffer.getvalue()


def metadata(data: bytes) -> Metadata:
    return JpegFile.read(data).metadata


def test_what_was_written_is_read_back() -> None:
    exif = Image.Exif()
    exif[0x010E] = "a picture"
    profile = np.random.default_rng(0).bytes(200_000)  # four segments
    found = metadata(jpeg(exif=exif, icc_profile=profile, xmp=XMP, comment="naïve", dpi=(300, 200)))
    assert found == Metadata(exif.tobytes(), profile, XMP, ("naïve",), 1, (300, 200))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("behind", [b"", b"a maker's note of its own place"])
@pytest.mark.parametrize("tags", [(0x0201, 0x0202), (0x0111, 0x0117)])
def test_the_thumbnail_is_dropped_and_nothing_else_moves(
    order: str, behind: bytes, tags: tuple[int, int]
) -> None:
    thumbnail = pillow_file(picture(16, 16))
    entries = [(0x010F, 2, 4, 0), (0x0112, 3, 1, 6 if order == "<" else 6 << 16)]
    second = 8 + 2 + 12 * len(entries) + 4
    start = second + 2 + 12 * 2 + 4
    pointers = [(tags[0], 4, 1, start), (tags[1], 4, 1, len(thumbnail))]
    exif = struct.pack(order + "2sHI", b"II" if order == "<" else b"MM", 42, 8)
    for directory, following in ((entries, second), (pointers, 0)):
        exif += struct.pack(order + "H", len(directory))
        exif += b"".join(struct.pack(order + "HHII", *entry) for entry in directory)
        exif += struct.pack(order + "I", following)
    found = metadata(inserted(DATA, 2, segment(0xE1, b"Exif\0\0" + exif + thumbnail + behind)))
    assert len(found.exif) == 6 + start + (len(thumbnail + behind) if behind else 0)
    assert found.exif.endswith(behind)
    assert b"JFIF" not in found.exif
    parsed = Image.Exif()
    parsed.load(found.exif)
    assert parsed[0x0112] == found.orientation == 6
    assert not parsed.get_ifd(ExifTags.IFD.IFD1)


def test_everything_in_camera_files_but_the_thumbnail_is_kept(shared_data: pathlib.Path) -> None:
    with_thumbnails = 0
    for path in sorted((shared_data / "real").glob("me_*.jpg")):
        with Image.open(path) as image, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            before = image.getexif()
            with_thumbnails += bool(before.get_ifd(ExifTags.IFD.IFD1))
            after = Image.Exif()
            after.load(JpegFile.read(path).metadata.exif)
            assert dict(after) == dict(before)
            for folder in (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo, ExifTags.IFD.Interop):
                assert str(after.get_ifd(folder)) == str(before.get_ifd(folder))  # a NaN is in it
            assert not after.get_ifd(ExifTags.IFD.IFD1)
    assert with_thumbnails >= 10


def test_metadata_is_empty_by_default() -> None:
    assert metadata(DATA) == Metadata()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_reported_but_not_applied(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = JpegFile.read(jpeg(16, 48, exif=exif))
    assert file.metadata.orientation == orientation
    assert file.pixels.shape == (16, 48, 3)


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_unknown_orientations_count_as_upright(value: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = value
    assert metadata(jpeg(exif=exif)).orientation == 1


def test_a_resolution_of_0_is_ignored() -> None:
    assert metadata(patched(DATA, 13, b"\1\0\0\0\0")).dpi is None
    assert metadata(patched(DATA, 13, b"\1\0\x48\0\x60")).dpi == (72, 96)


def test_chunks_of_a_profile_are_joined_in_order() -> None:
    chunks = [
        segment(0xE2, b"ICC_PROFILE\0" + bytes([number, 3]) + bytes([64 + number]) * 10)
        for number in (3, 1, 2)
    ]
    found = metadata(inserted(DATA, 2, b"".join(chunks)))
    assert found.icc_profile == b"A" * 10 + b"B" * 10 + b"C" * 10
    assert metadata(inserted(DATA, 2, chunks[0] + chunks[1])).icc_profile == b""


def test_every_comment_is_read_as_text() -> None:
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
def test_absurd_exif_does_no_harm(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    content = b"Exif\0\0" + ABSURD[name]
    found = metadata(inserted(DATA[:2] + DATA[20:], 2, segment(0xE1, content)))
    assert found.orientation == 1
    assert found.exif == content
    assert found.dpi is None or min(found.dpi) > 0
    assert capfd.readouterr() == ("", "")


def test_the_first_of_several_pictures_is_read() -> None:
    buffer = io.BytesIO()
    first, second = (Image.fromarray(picture(24, width)) for width in (32, 16))
    first.save(buffer, "MPO", save_all=True, append_images=[second], comment="both")
    with Image.open(io.BytesIO(buffer.getvalue())) as image:
        assert image.format == "MPO"
    file = JpegFile.read(buffer.getvalue())
    np.testing.assert_array_equal(file.pixels, pillow(buffer.getvalue()))
    assert file.warnings == ()
    assert file.metadata.comments == ("both",)


XMP_SEGMENT = b"http://ns.adobe.com/xap/1.0/\0"
EXTENSION = segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + b"A" * 32 + bytes(8) + b"more")


@pytest.mark.parametrize(
    "note",
    [b' xmpNote:HasExtendedXMP="AAAA"', b"<xmpNote:HasExtendedXMP>AA</xmpNote:HasExtendedXMP>"],
)
def test_xmp_does_not_name_an_extension_that_is_left_out(note: bytes) -> None:
    packet = segment(0xE1, XMP_SEGMENT + b"<x:xmpmeta" + note + b" kept='1'/>")
    file = JpegFile.read(inserted(jpeg(), 2, packet + EXTENSION))
    assert file.metadata.xmp == b"<x:xmpmeta kept='1'/>"
    assert file.warnings == ("its XMP goes on in further segments: not carried over",)


@pytest.mark.parametrize(
    "promise",
    [b'xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/"', b"<HDRGainMap:Version/>"],
)
def test_a_gain_map_is_not_promised(promise: bytes) -> None:
    packet = segment(0xE1, XMP_SEGMENT + b"<x:xmpmeta " + promise + b"/>")
    file = JpegFile.read(inserted(jpeg(), 2, packet))
    assert file.metadata.xmp == b""
    (warning,) = file.warnings
    assert "gain map" in warning


RECORD = b"\x1c\x02\x78\x00\x07A field"  # IPTC's caption
RESOURCE = b"8BIM\x04\x04\0\0" + struct.pack(">I", len(RECORD)) + RECORD


def test_the_captions_and_the_shape_of_pixels_are_read() -> None:
    data = inserted(jpeg(), 2, segment(0xED, b"Photoshop 3.0\0" + RESOURCE))
    data = data.replace(b"JFIF\0\1\1\0\0\1\0\1", b"JFIF\0\1\1\0\0\x0b\0\x0a")
    file = JpegFile.read(data)
    assert file.metadata.iptc == RECORD
    assert file.metadata.aspect == (11, 10)
    assert file.warnings == ()
    assert JpegFile.read(jpeg(dpi=(300, 200))).metadata.aspect is None


def test_what_else_photoshop_wrote_is_named() -> None:
    data = inserted(jpeg(), 2, segment(0xED, b"Photoshop 3.0\0" + b"8BIM"))
    assert JpegFile.read(data).warnings == ("its Photoshop data: not carried over",)


def test_extended_xmp_from_the_field(shared_data: pathlib.Path) -> None:
    file = JpegFile.read(shared_data / "found" / "xmp_two_parts.jpg")
    assert b"HasExtendedXMP" not in file.metadata.xmp
    assert any("XMP" in warning for warning in file.warnings)
