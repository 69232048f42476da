"""JPEG files as a whole: pixels, truncated and hostile bytes, collections of odd and real files."""

import collections
import contextlib
import csv
import pathlib
import resource
import tempfile
import threading
import time
import warnings
from collections.abc import Iterator

import numpy as np
import pytest
import scipy.fft
from PIL import Image, ImageFile

from keras_jpeg_gan.errors import JpegFormatError
from keras_jpeg_gan.jpeg import emulator
from keras_jpeg_gan.jpeg.encoder import encode
from keras_jpeg_gan.jpeg.file import JpegFile, read_levels
from keras_jpeg_gan.jpeg.limits import FileLimits
from keras_jpeg_gan.jpeg.metadata import Metadata, read_metadata
from keras_jpeg_gan.jpeg.sampling import Sampling
from keras_jpeg_gan.jpeg.tables import quality_tables
from tests.files import find, inserted, jpeg, patched, picture, pillow, segment

DATA = jpeg()


@pytest.fixture(autouse=True)
def nothing_printed_or_left(
    capfd: pytest.CaptureFixture[str], request: pytest.FixtureRequest
) -> Iterator[None]:
    """Reading prints nothing and changes no setting of Pillow."""
    before = (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES)
    yield
    if "monkeypatch" not in request.fixturenames:
        after = (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES)
        assert after == before
    assert capfd.readouterr() == ("", "")


def assert_same(ours: JpegFile, theirs: JpegFile) -> None:
    np.testing.assert_array_equal(ours.pixels, theirs.pixels)
    for field in ("levels", "tables"):
        pairs = zip(getattr(ours.quantized, field), getattr(theirs.quantized, field), strict=True)
        for one, other in pairs:
            np.testing.assert_array_equal(one, other)
    assert ours.quantized.sampling == theirs.quantized.sampling


@pytest.mark.parametrize("size", [(1, 1), (7, 9), (17, 33)])
@pytest.mark.parametrize(
    "sampling", ["gray", "4:4:4", "4:2:2", "4:4:0", "4:2:0", "4:1:1", "2x2,1x2,1x1"]
)
def test_a_file_has_its_levels_tables_and_pixels(sampling: str, size: tuple[int, int]) -> None:
    gray = sampling == "gray"
    luma, chroma = quality_tables(60)
    tables = [luma] if gray else [luma, chroma, chroma]
    pixels = picture(*size, gray=gray)
    data = encode(pixels, tables, Sampling.parse(sampling))
    file = JpegFile.read(data)
    assert (str(file.quantized.sampling), file.height, file.width) == (sampling, *size)
    assert (file.quality, file.progressive, file.warnings) == (60, False, ())
    np.testing.assert_array_equal(file.pixels, pillow(data))
    expected = emulator.emulate(pixels, tables, Sampling.parse(sampling))
    for ours, theirs in zip(file.quantized.levels, expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    for ours, theirs in zip(file.tables, tables, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("gray", [False, True])
def test_progressive_files_have_the_same_content(gray: bool) -> None:
    baseline, progressive = (JpegFile.read(jpeg(gray=gray, progressive=p)) for p in (False, True))
    assert (baseline.progressive, progressive.progressive) == (False, True)
    assert_same(baseline, progressive)


def test_paths_are_read_like_bytes(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "a b.jpg"
    path.write_bytes(DATA)
    assert_same(JpegFile.read(path), JpegFile.read(DATA))
    assert_same(JpegFile.read(str(path)), JpegFile.read(DATA))
    with pytest.raises(JpegFormatError, match="MB are more than --max_file_mb"):
        JpegFile.read(path, FileLimits(max_file_mb=0.0005))
    with pytest.raises(FileNotFoundError):
        JpegFile.read(tmp_path / "none.jpg")


def test_bytes_after_the_end_are_ignored() -> None:
    file = JpegFile.read(DATA + b"\xff\xda more" * 99)
    assert_same(file, JpegFile.read(DATA))
    assert file.warnings == ()


@pytest.mark.parametrize("allow", [False, True])
def test_a_file_that_lacks_only_its_end_marker_is_complete(allow: bool) -> None:
    file = JpegFile.read(DATA[:-2], allow_truncated=allow)
    assert_same(file, JpegFile.read(DATA))
    assert file.warnings == ("no end-of-image marker",)


def test_a_later_table_changes_nothing() -> None:
    sevens = segment(0xDB, b"\0" + bytes([7] * 64))
    assert_same(JpegFile.read(inserted(DATA, len(DATA) - 2, sevens)), JpegFile.read(DATA))


def test_different_tables_of_cb_and_cr_are_both_kept() -> None:
    luma, chroma = quality_tables(60)
    data = encode(picture(16, 16), [luma, chroma, chroma + 3], Sampling.parse("4:2:0"))
    file = JpegFile.read(data)
    assert (file.tables[2] == chroma + 3).all()
    assert file.quantized.tables is file.tables
    assert file.warnings == ("Cb and Cr have different tables",)


def test_many_segments_are_read() -> None:
    data = inserted(DATA, 2, segment(0xE5, b"\xff\xd8\xff\xda") * 300)
    assert_same(JpegFile.read(data), JpegFile.read(DATA))


@pytest.mark.parametrize("progressive", [False, True])
def test_truncation_at_every_byte(progressive: bool) -> None:
    data = jpeg(24, 24, progressive=progressive, quality=80)
    whole = JpegFile.read(data)
    scan = find(data, 0xDA)
    counts: collections.Counter[str] = collections.Counter()
    for length in range(len(data)):
        for allow in (False, True):
            try:
                file = JpegFile.read(data[:length], allow_truncated=allow)
            except JpegFormatError as error:
                assert str(error).isprintable()  # noqa: PT017
                if length > scan + 20:
                    assert not allow
                    assert "truncated: " in str(error)  # noqa: PT017
                    assert "--allow_truncated" in str(error)  # noqa: PT017
                counts["refused"] += 1
                continue
            counts["allowed" if allow else "whole"] += 1
            assert file.pixels.shape == whole.pixels.shape
            assert [part.shape for part in file.quantized.levels] == [
                part.shape for part in whole.quantized.levels
            ]
            assert file.warnings
            if not allow:
                assert_same(file, whole)
    assert counts["refused"] > scan
    assert counts["allowed"] > 50
    assert counts["whole"] == 2  # of the end marker all, or half


@pytest.mark.parametrize("intact", [1, 4, 8])
def test_what_precedes_a_cut_equals_the_whole_file(intact: int) -> None:
    data = jpeg(160, 48, restart_marker_rows=1)
    restart = find(data, 0xD0 + intact - 1)  # behind so many rows of 16 pixels
    whole = JpegFile.read(data)
    cut = JpegFile.read(data[: restart + 8], allow_truncated=True)
    assert cut.warnings[0].startswith("truncated")
    assert not np.array_equal(cut.quantized.levels[0], whole.quantized.levels[0])
    for ours, theirs, rows in zip(
        cut.quantized.levels, whole.quantized.levels, (2, 1, 1), strict=True
    ):
        np.testing.assert_array_equal(ours[: rows * intact], theirs[: rows * intact])
    rows = 16 * intact - 16  # fancy upsampling looks at the next row
    np.testing.assert_array_equal(cut.pixels[:rows], whole.pixels[:rows])


def test_a_progressive_file_cut_between_scans_keeps_the_earlier_ones() -> None:
    data = jpeg(progressive=True)
    whole = JpegFile.read(data)
    cut = JpegFile.read(data[: find(data, 0xDA, 2) + 3], allow_truncated=True)
    for ours, theirs in zip(cut.quantized.levels, whole.quantized.levels, strict=True):
        # The first scan has the upper bits of DC, and of nothing else.
        np.testing.assert_array_equal(ours[..., 0, 0] >> 1, theirs[..., 0, 0] >> 1)
        assert np.count_nonzero(ours) == np.count_nonzero(ours[..., 0, 0])
    (warning,) = cut.warnings
    assert "truncated: it ends in or behind scan 1" in warning


def test_a_truncated_arithmetic_file_is_not_taken_as_complete(
    shared_data: pathlib.Path,
) -> None:
    data = (shared_data / "robustness" / "valid" / "cc_mozjpeg_testimgari.jpg").read_bytes()
    assert JpegFile.read(data).warnings == ()
    for length in (len(data) - 300, len(data) - 20):  # libjpeg has no remark on these
        with pytest.raises(JpegFormatError, match="truncated: "):
            JpegFile.read(data[:length])


def test_a_file_cut_between_the_scans_of_its_components(shared_data: pathlib.Path) -> None:
    path = shared_data / "robustness" / "valid" / "made_noninterleaved_420.jpg"
    data = path.read_bytes()
    whole = JpegFile.read(data)
    for scan in (2, 3):
        cut = data[: find(data, 0xDA, scan)]
        with pytest.raises(JpegFormatError, match=f"truncated: .* scan {scan - 1}"):
            JpegFile.read(cut)
        levels = JpegFile.read(cut, allow_truncated=True).quantized.levels
        for i in range(3):
            np.testing.assert_array_equal(levels[i], whole.quantized.levels[i] * (i < scan - 1))
    assert_same(JpegFile.read(data[:-2]), whole)


def test_tables_that_change_between_scans_belong_to_their_components(
    shared_data: pathlib.Path,
) -> None:
    path = shared_data / "robustness" / "valid" / "made_dqt_redefined_between_scans.jpg"
    file = JpegFile.read(path)
    assert len({table.tobytes() for table in file.tables}) > 1
    with Image.open(path) as image:
        image.draft("YCbCr", image.size)
        planes = np.asarray(image)
    for i, (levels, table) in enumerate(zip(file.quantized.levels, file.tables, strict=True)):
        blocks = scipy.fft.idctn(levels * table, axes=(2, 3), norm="ortho")
        assert abs(planes[..., i].mean() - (blocks + 128).clip(0, 255).mean()) < 1


def test_flipped_bytes_raise_only_format_errors(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for data in (jpeg(24, 24), jpeg(24, 24, progressive=True)):
        for _ in range(200):
            broken = bytearray(data)
            for position in rng.integers(0, len(data), 3):
                broken[position] = rng.integers(256)
            try:
                JpegFile.read(bytes(broken), FileLimits(max_megapixels=1))
            except JpegFormatError as error:
                assert str(error).isprintable()  # noqa: PT017
    assert list(tmp_path.iterdir()) == []


def test_pillows_own_size_limit_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = JpegFile.read(DATA)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(Image.DecompressionBombError):
        pillow(DATA)
    assert_same(JpegFile.read(DATA), whole)
    assert Image.MAX_IMAGE_PIXELS == 100


def test_pillows_switch_for_truncated_files_is_ignored(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    for progressive in (False, True):
        cut = jpeg(progressive=progressive)[:-40]
        with pytest.raises(JpegFormatError, match="truncated: "):
            JpegFile.read(cut)
        file = JpegFile.read(cut, allow_truncated=True)
        np.testing.assert_array_equal(file.pixels, pillow(cut))  # by the switch
    no_such_codes = patched(DATA, find(DATA, 0xDA) + 6, b"\x33")
    with pytest.raises(JpegFormatError, match="Huffman table"):
        JpegFile.read(no_such_codes)


def test_threads_can_read_at_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow_metadata(*arguments: object) -> Metadata:  # time for others to meddle
        time.sleep(0.002)
        return read_metadata(*arguments)

    monkeypatch.setattr("keras_jpeg_gan.jpeg.file.read_metadata", slow_metadata)
    odd_exif = segment(0xE1, b"Exif\0\0II*\0" + b"\xff" * 40)  # Pillow warns of it
    files = [inserted(jpeg(8 * n, 64, progressive=n % 2 > 0), 2, odd_exif) for n in range(1, 5)]
    expected = [JpegFile.read(data) for data in files]
    filters = list(warnings.filters)
    failures: list[BaseException] = []

    def read(k: int) -> None:
        try:
            for _ in range(15):
                assert_same(JpegFile.read(files[k]), expected[k])
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=read, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert warnings.filters == filters


def test_reading_leaks_no_memory_and_no_files() -> None:
    whole = jpeg(600, 800, progressive=True)
    last = whole.rindex(b"\xff\xda")
    broken = patched(whole, last + 4, b"\x01\x07")  # a component that there is not
    no_such_codes = patched(DATA, find(DATA, 0xDA) + 6, b"\x33")

    def read_all() -> None:
        for data in (whole, broken, no_such_codes, whole[:-5000]):
            with contextlib.suppress(JpegFormatError):
                JpegFile.read(data)
            with contextlib.suppress(JpegFormatError):
                read_levels(data)  # beyond what Pillow would stop

    def held() -> tuple[int, int]:
        pages = int(pathlib.Path("/proc/self/statm").read_text().split()[1])
        return pages * resource.getpagesize(), len(list(pathlib.Path("/proc/self/fd").iterdir()))

    for _ in range(3):
        read_all()
    memory, files = held()
    for _ in range(10):
        read_all()
    assert held()[0] - memory < 10_000_000  # ten of a file's levels take 15 MB
    assert held()[1] == files


def pillow_tables(path: pathlib.Path) -> list[list[int]]:
    with Image.open(path) as image:
        return list(image.quantization.values())


# What refusals say, and how the collection's index confirms it.
CONFIRMED = {
    " components: ": lambda row, _: int(row["components"]) not in (1, 3, 4),
    "XYB JPEG": lambda row, path: (
        row["components"] == "3" and b"X\0Y\0B\0_\0P\0e\0r" in path.read_bytes()
    ),
    "lossless": lambda row, _: row["frame"] == "lossless",
    "-bit JPEG": lambda row, _: row["precision"] != "8",
    "--max_scans=500": lambda row, _: int(row["scans"]) > 500,
    "truncated: ": lambda row, _: "no EOI" in row["notes"],
    "promises more": lambda row, _: (
        int(row["width"]) * int(row["height"]) > 1000 * int(row["bytes"])
    ),
    "step of 0": lambda _, path: any(0 in table for table in pillow_tables(path)),
    "FFE5 has length 0": lambda row, _: row["file"] == "valid/made_app_length_0.jpg",
}


def test_all_odd_files(shared_data: pathlib.Path) -> None:
    folder = shared_data / "robustness"
    with (folder / "INDEX.tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert len(rows) > 500
    read = 0
    for row in rows:
        path = folder / row["file"]
        valid = row["file"].startswith("valid/")
        begin = time.process_time()
        try:
            found = JpegFile.read(path)
        except JpegFormatError as error:
            reason = str(error)
            assert reason.isprintable(), row["file"]
            if valid:
                (words,) = [words for words in CONFIRMED if words in reason]
                assert CONFIRMED[words](row, path), (row["file"], reason)
        else:
            if not valid:  # Pillow wants an end marker
                assert found.warnings == ("no end-of-image marker",), row["file"]
                assert "no EOI" in row["notes"]
                continue
            read += 1
            assert (found.width, found.height) == (int(row["width"]), int(row["height"]))
            assert found.progressive == row["frame"].startswith("progressive")
            assert found.quantized is not None
            assert len(found.quantized.levels) == int(row["components"])
            assert found.quantized.sampling == Sampling.parse(row["sampling"]), row["file"]
        assert time.process_time() - begin < 30, row["file"]
    assert read >= 270


def test_all_real_files(shared_data: pathlib.Path) -> None:
    paths = sorted((shared_data / "real").glob("*.jpg"))
    assert len(paths) == 30
    for path in paths:
        np.testing.assert_array_equal(JpegFile.read(path).pixels, pillow(path.read_bytes()))
