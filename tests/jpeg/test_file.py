"""JPEG files: levels against the encoder's, refusals by their words, hostile bytes."""

import csv
import io
import os
import pathlib
import struct
import tempfile

import jpeglib
import numpy as np
import pytest
from PIL import Image, ImageFile

from keras_jpeg_gan.errors import JpegFormatError
from keras_jpeg_gan.jpeg import emulator
from keras_jpeg_gan.jpeg.encoder import encode
from keras_jpeg_gan.jpeg.file import JpegFile, Limits
from keras_jpeg_gan.jpeg.header import read_header
from keras_jpeg_gan.jpeg.tables import quality_tables


def picture(height: int, width: int, gray: bool = False) -> np.ndarray:
    rng = np.random.default_rng(height * width)
    y, x = np.mgrid[:height, :width]
    base = 128 + 50 * np.sin(x / 5)[..., None] + 40 * np.cos(y / 7)[..., None] * [1, 0.5, -1]
    pixels = np.clip(base + rng.normal(0, 8, base.shape), 0, 255).astype(np.uint8)
    return pixels[..., 0] if gray else pixels


def jpeg(height: int = 40, width: int = 56, gray: bool = False, **options: object) -> bytes:
    buffer = io.BytesIO()
    image = Image.fromarray(picture(height, width, gray))
    image.save(buffer, "JPEG", **{"quality": 60, "subsampling": 2, **options})
    return buffer.getvalue()


def pillow(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image)


SAMPLINGS = ["gray", "4:4:4", "4:2:2", "4:4:0", "4:2:0", "4:1:1", "2x2,1x2,1x1"]


@pytest.mark.parametrize("sampling", SAMPLINGS)
@pytest.mark.parametrize("size", [(1, 1), (7, 9), (16, 16), (17, 33), (40, 56)])
def test_levels_are_what_the_encoder_put_in(sampling: str, size: tuple[int, int]) -> None:
    gray = sampling == "gray"
    luma, chroma = quality_tables(60)
    tables = [luma] if gray else [luma, chroma, chroma]
    pixels = picture(*size, gray)
    file = JpegFile.read(encode(pixels, tables, sampling))
    assert file.sampling == sampling
    assert (file.height, file.width) == size
    assert file.quality == 60
    expected = emulator.emulate(pixels, tables, sampling)
    for ours, theirs in zip(file.levels, expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    for ours, theirs in zip(file.tables, tables, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("gray", [False, True])
def test_progressive_files_hold_the_same(gray: bool) -> None:
    baseline, progressive = (JpegFile.read(jpeg(gray=gray, progressive=p)) for p in (False, True))
    assert (baseline.progressive, progressive.progressive) == (False, True)
    for ours, theirs in zip(baseline.levels, progressive.levels, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_another_libjpeg_reads_the_same_levels(tmp_path: pathlib.Path) -> None:
    data = jpeg(50, 70, quality=85)
    (tmp_path / "a.jpg").write_bytes(data)
    with jpeglib.version("6b"):
        oracle = jpeglib.read_dct(str(tmp_path / "a.jpg"))
        parts = (oracle.Y, oracle.Cb, oracle.Cr)
    for ours, theirs in zip(JpegFile.read(data).levels, parts, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_pixels_are_pillows_and_paths_read_as_bytes(tmp_path: pathlib.Path) -> None:
    data = jpeg(33, 47)
    (tmp_path / "a b.jpg").write_bytes(data)
    file = JpegFile.read(tmp_path / "a b.jpg")
    np.testing.assert_array_equal(file.pixels, pillow(data))
    assert file.warnings == ()


def test_metadata_is_carried_and_orientation_not_applied() -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "a picture"
    data = jpeg(16, 48, exif=exif, icc_profile=b"p" * 100_000, comment="naïve", dpi=(300, 300))
    file = JpegFile.read(data)
    assert file.pixels.shape == (16, 48, 3)
    assert file.metadata.orientation == 6
    assert b"a picture" in file.metadata.exif
    assert file.metadata.icc_profile == b"p" * 100_000
    assert file.metadata.comments == ("naïve",)
    assert file.metadata.dpi == (300, 300)


@pytest.mark.parametrize("content", [b"", b"\xff" * 300, b"II*\0" + b"\xff" * 40, bytes(65000)])
def test_absurd_exif_is_no_failure(content: bytes) -> None:
    segment = b"\xff\xe1" + struct.pack(">H", len(content) + 8) + b"Exif\0\0" + content
    file = JpegFile.read(jpeg()[:2] + segment + jpeg()[2:])
    assert file.metadata.orientation == 1


def frame_of(data: bytes) -> int:
    """Where the SOF segment's content begins."""
    return max(data.find(b"\xff\xc0"), data.find(b"\xff\xc2")) + 4


def patched(data: bytes, position: int, value: bytes) -> bytes:
    return data[:position] + value + data[position + len(value) :]


def other(name: str) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture(16, 16)).save(buffer, name)
    return buffer.getvalue()


def cmyk() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture(16, 16)).convert("CMYK").save(buffer, "JPEG")
    return buffer.getvalue()


DATA = jpeg()
FRAME = frame_of(DATA)
TABLE = DATA.find(b"\xff\xdb") + 5
REFUSED = {
    "empty": (b"", "empty"),
    "png": (other("PNG"), "PNG"),
    "webp": (other("WEBP"), "WebP"),
    "gif": (other("GIF"), "GIF"),
    "tiff": (other("TIFF"), "TIFF"),
    "text": (b"hello, world", "does not begin"),
    "junk before": (b"junk" + DATA, "remove them"),
    "cmyk": (cmyk(), "CMYK"),
    "rgb by adobe": (jpeg(keep_rgb=True, subsampling=0), "RGB-coded"),
    "12 bits": (patched(DATA, FRAME, b"\x0c"), "12-bit"),
    "lossless": (patched(DATA, FRAME - 3, b"\xc3"), "lossless"),
    "hierarchical": (patched(DATA, FRAME - 3, b"\xc5"), "hierarchical"),
    "height in DNL": (patched(DATA, FRAME + 1, b"\0\0"), "DNL"),
    "width 0": (patched(DATA, FRAME + 3, b"\0\0"), "width 0"),
    "huge sides": (patched(DATA, FRAME + 1, b"\xff\xff\xff\xff"), "sides"),
    "too many pixels": (patched(DATA, FRAME + 1, b"\xf0\0\xf0\0"), "--max_megapixels"),
    "promises too much": (patched(DATA, FRAME + 1, b"\x20\0\x20\0"), "promises"),
    "factors": (patched(DATA, FRAME + 7, b"\x05"), "sampling factors"),
    "step of 0": (patched(DATA, TABLE, b"\0"), "step of 0"),
    "no such table": (patched(DATA, FRAME + 8, b"\x03"), "is missing"),
    "two frames": (
        DATA[: FRAME - 4] + DATA[FRAME - 4 : FRAME + 15] + DATA[FRAME - 4 :],
        "two frame headers",
    ),
    "no frame": (DATA[:2] + b"\xff\xd9", "frame header"),
    "no scan": (DATA[: DATA.find(b"\xff\xda")] + b"\xff\xd9", "before the first scan"),
    "stray bytes": (DATA[:2] + b"\xff" * 100_000 + DATA[2:], "stray bytes"),
    "comments": (DATA[:2] + b"\xff\xfe\0\2" * 1000 + DATA[2:], "metadata segments"),
    "cut": (DATA[:-40], "--allow_truncated"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals_say_what_it_is(name: str) -> None:
    data, words = REFUSED[name]
    with pytest.raises(JpegFormatError, match=words) as caught:
        JpegFile.read(data)
    assert "\n" not in str(caught.value)


def test_limits_are_the_callers(tmp_path: pathlib.Path) -> None:
    small = Limits(max_file_mb=len(DATA) / 1e6 / 2)
    (tmp_path / "a.jpg").write_bytes(DATA)
    for source in (DATA, tmp_path / "a.jpg"):
        with pytest.raises(JpegFormatError, match="--max_file_mb"):
            JpegFile.read(source, small)
    with pytest.raises(JpegFormatError, match="--max_scans=5"):
        JpegFile.read(jpeg(progressive=True), Limits(max_scans=5))
    with pytest.raises(JpegFormatError, match="--max_megapixels"):
        JpegFile.read(DATA, Limits(max_megapixels=0.002))
    assert JpegFile.read(DATA, Limits(max_megapixels=0.00224)).width == 56


def test_pillows_own_size_limit_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    assert JpegFile.read(DATA).pixels.shape == (40, 56, 3)


def test_scans_behind_invalid_codes_count() -> None:
    data = jpeg(progressive=True)
    second = data.find(b"\xff\xda", data.find(b"\xff\xda") + 2)
    hidden = data[:second] + b"\xff\x02\x03\xff" + data[second:]
    assert read_header(hidden).scans == read_header(data).scans > 5


def test_tables_are_those_of_the_first_scan() -> None:
    later = DATA[:-2] + b"\xff\xdb\0\x43\0" + bytes([7] * 64) + b"\xff\xd9"
    np.testing.assert_array_equal(JpegFile.read(later).tables[0], JpegFile.read(DATA).tables[0])


def test_bytes_behind_the_end_do_not_count_and_a_missing_end_marker_is_told() -> None:
    whole = JpegFile.read(DATA)
    for data, warnings in ((DATA + b"more" * 99, 0), (DATA[:-2], 1)):
        file = JpegFile.read(data, allow_truncated=True)
        np.testing.assert_array_equal(file.pixels, whole.pixels)
        np.testing.assert_array_equal(file.levels[0], whole.levels[0])
        assert len(file.warnings) == warnings


def test_many_segments_are_read() -> None:
    data = DATA[:2] + b"\xff\xe5\0\x04ab" * 300 + DATA[2:]
    np.testing.assert_array_equal(JpegFile.read(data).levels[0], JpegFile.read(DATA).levels[0])


@pytest.mark.parametrize("progressive", [False, True])
def test_cut_at_every_byte(progressive: bool, capfd: pytest.CaptureFixture[str]) -> None:
    data = jpeg(24, 24, progressive=progressive)
    whole = JpegFile.read(data)
    seen = restored = 0
    for length in range(len(data)):
        for allow in (False, True):
            try:
                file = JpegFile.read(data[:length], allow_truncated=allow)
            except JpegFormatError as error:
                assert "\n" not in str(error)  # noqa: PT017
                seen += 1
                continue
            restored += 1
            assert file.pixels.shape == whole.pixels.shape
            assert [part.shape for part in file.levels] == [p.shape for p in whole.levels]
            if not progressive and length > len(data) * 0.9:
                np.testing.assert_array_equal(file.levels[0][0, 0], whole.levels[0][0, 0])
            assert file.warnings
    assert seen > 100
    assert restored > 50
    assert capfd.readouterr() == ("", "")
    assert not ImageFile.LOAD_TRUNCATED_IMAGES


def test_flipped_bytes_raise_nothing_else(capfd: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(0)
    before = set(os.listdir(tempfile.gettempdir()))
    for data in (jpeg(24, 24), jpeg(24, 24, progressive=True)):
        for _ in range(200):
            broken = bytearray(data)
            for position in rng.integers(0, len(data), 3):
                broken[position] = rng.integers(256)
            try:
                JpegFile.read(bytes(broken), Limits(max_megapixels=1))
            except JpegFormatError as error:
                assert "\n" not in str(error)  # noqa: PT017
    assert capfd.readouterr() == ("", "")
    left = set(os.listdir(tempfile.gettempdir())) - before
    assert not [name for name in left if name.endswith(".jpg")]


def test_all_odd_files(shared_data: pathlib.Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = shared_data / "robustness"
    with (folder / "INDEX.tsv").open() as file:
        rows = {row["file"]: row for row in csv.DictReader(file, delimiter="\t")}
    read = 0
    for path in sorted(folder.glob("*/*.jp*g")):
        row = rows[path.relative_to(folder).as_posix()]
        try:
            found = JpegFile.read(path)
        except JpegFormatError as error:
            words = str(error)
            assert "\n" not in words
            # What the words say of the kind, the index says too.
            if "lossless" in words:
                assert "lossless" in row["frame"]
            if "CMYK" in words:
                assert row["components"] == "4"
            if "-bit JPEG" in words:
                assert row["precision"] != "8"
            if "--max_scans" in words:
                assert int(row["scans"]) > 500
            continue
        assert path.parent.name == "valid", path.name
        read += 1
        assert (found.width, found.height) == (int(row["width"]), int(row["height"]))
        assert found.progressive == row["frame"].startswith("progressive")
    assert read >= 270
    assert capfd.readouterr() == ("", "")


def test_all_real_files(shared_data: pathlib.Path) -> None:
    paths = sorted((shared_data / "real").glob("*.jpg"))
    assert len(paths) == 30
    for path in paths:
        file = JpegFile.read(path)
        np.testing.assert_array_equal(file.pixels, pillow(path.read_bytes()))
