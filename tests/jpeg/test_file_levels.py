"""`read_levels` against the emulator's levels of the original pixels, and against libjpeg 6b."""

import pathlib
import subprocess
import sys
import threading

import jpeglib
import numpy as np
import pytest

from keras_jpeg_gan.errors import JpegFormatError
from keras_jpeg_gan.jpeg import emulator
from keras_jpeg_gan.jpeg.file import read_levels
from keras_jpeg_gan.jpeg.sampling import Sampling
from keras_jpeg_gan.jpeg.tables import quality_tables
from tests.files import find, jpeg, patched, picture

SIZES = [(1, 1), (7, 9), (16, 16), (17, 33), (40, 56)]
LUMA, CHROMA = quality_tables(60)


def written_by_turbo(pixels: np.ndarray, sampling: str, folder: pathlib.Path) -> bytes:
    """A file of any sampling, written by jpeglib itself."""
    path = folder / "written.jpg"
    with jpeglib.version("turbo210"):
        image = jpeglib.from_spatial(pixels)
        image.samp_factor = np.array([(v, h) for h, v in Sampling.parse(sampling).factors])
        image.write_spatial(
            str(path), qt=np.stack([LUMA, CHROMA]).astype(np.uint16), quant_tbl_no=[0, 1, 1]
        )
    return path.read_bytes()


def check(data: bytes, pixels: np.ndarray, sampling: str) -> None:
    found = read_levels(data)
    quantized = found.quantized
    tables = [LUMA, CHROMA, CHROMA][: len(quantized.levels)]
    assert quantized.sampling.name == sampling
    assert (found.height, found.width) == pixels.shape[:2]
    assert found.remarks == ()
    expected = emulator.emulate(pixels, tables, quantized.sampling)
    for ours, theirs in zip(quantized.levels, expected, strict=True):
        assert ours.dtype == np.int16
        np.testing.assert_array_equal(ours, theirs)
    for ours, theirs in zip(quantized.tables, tables, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("sampling", ["gray", "4:4:4", "4:2:2", "4:2:0"])
def test_levels_of_pillows_files(sampling: str, size: tuple[int, int], progressive: bool) -> None:
    gray = sampling == "gray"
    choice = {} if gray else {"subsampling": sampling}
    data = jpeg(*size, gray=gray, progressive=progressive, quality=60, **choice)
    check(data, picture(*size, gray=gray), sampling)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    "sampling", ["4:4:0", "4:1:1", "2x2,1x2,1x1", "1x4,1x2,1x1", "4x1,2x1,1x1"]
)
def test_levels_of_other_samplings(
    sampling: str, size: tuple[int, int], tmp_path: pathlib.Path
) -> None:
    pixels = picture(*size)
    check(written_by_turbo(pixels, sampling, tmp_path), pixels, sampling)


@pytest.mark.parametrize("quality", [1, 50, 85, 100])
def test_libjpeg_6b_reads_the_same_levels(quality: int, tmp_path: pathlib.Path) -> None:
    data = jpeg(50, 70, quality=quality)
    (tmp_path / "a.jpg").write_bytes(data)
    with jpeglib.version("6b"):
        oracle = jpeglib.read_dct(str(tmp_path / "a.jpg"))
        parts = (oracle.Y, oracle.Cb, oracle.Cr)
    for ours, theirs in zip(read_levels(data).quantized.levels, parts, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_libjpegs_messages_become_remarks_and_errors(capfd: pytest.CaptureFixture[str]) -> None:
    data = jpeg()
    (remark,) = read_levels(data[:-60] + b"\xff\xd9").remarks
    assert "premature end of data segment" in remark
    for broken, words in (
        (patched(data, find(data, 0xDA) + 6, b"\x77"), "Huffman table"),
        (b"text", "Not a JPEG file"),
        (b"", "no reason given"),
    ):
        with pytest.raises(JpegFormatError, match=f"libjpeg cannot .*{words}.* get another copy"):
            read_levels(broken)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("closed", [(2,), (0, 2), (0, 1, 2)])
def test_standard_error_may_be_closed(closed: tuple[int, ...], tmp_path: pathlib.Path) -> None:
    (tmp_path / "a.jpg").write_bytes(jpeg(16, 16))
    program = (
        "import os, pathlib, sys\n"
        "from keras_jpeg_gan.jpeg.file import read_levels\n"
        f"data = pathlib.Path({str(tmp_path / 'a.jpg')!r}).read_bytes()\n"
        "sys.stderr = None\n"
        f"[os.close(number) for number in {closed}]\n"
        "assert read_levels(data[:-20]).remarks\n"
        "assert read_levels(data).height == 16\n"
        "try:\n    os.fstat(2)\nexcept OSError:\n    os._exit(7)\n"
    )
    process = subprocess.run([sys.executable, "-c", program], check=False)
    assert process.returncode == 7


def test_threads_do_not_interfere_and_jpeglibs_version_is_restored(
    capfd: pytest.CaptureFixture[str],
) -> None:
    before = jpeglib.version.get()
    files = [jpeg(8 * n, 64, quality=10 * n) for n in range(1, 5)]
    files[3] = files[3][:-30]
    expected = [read_levels(data) for data in files]
    wrong: list[int] = []

    def read(k: int) -> None:
        for _ in range(20):
            found = read_levels(files[k])
            same = np.array_equal(found.quantized.levels[0], expected[k].quantized.levels[0])
            if not same or found.remarks != expected[k].remarks:
                wrong.append(k)

    threads = [threading.Thread(target=read, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert [bool(each.remarks) for each in expected] == [False, False, False, True]
    assert jpeglib.version.get() == before
    assert capfd.readouterr() == ("", "")
