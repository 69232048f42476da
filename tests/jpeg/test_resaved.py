"""Files saved once, again on the same grid, and again on another."""

import pathlib

import numpy as np
import pytest
from PIL import Image

from keras_jpeg_gan.jpeg.file import JpegFile
from keras_jpeg_gan.jpeg.resaved import resaving_remark
from tests import files
from tests.files import picture, pillow


def saved(pixels: np.ndarray, quality: int, subsampling: int = 2) -> bytes:
    return files.saved(pixels, quality=quality, subsampling=subsampling)


def remark(data: bytes) -> str:
    file = JpegFile.read(data)
    return resaving_remark(file.pixels, file.tables, file.quantized.sampling) or ""


@pytest.fixture(scope="module")
def photographs(kodak: list[pathlib.Path]) -> list[np.ndarray]:
    found = []
    for path in kodak[::4]:
        with Image.open(path) as image:
            found.append(np.asarray(image))
    return found


@pytest.mark.parametrize("quality", [10, 30, 75, 95])
@pytest.mark.parametrize("subsampling", [0, 2])
def test_what_was_saved_once_has_no_remark(photographs, quality, subsampling) -> None:
    for pixels in photographs:
        assert remark(saved(pixels, quality, subsampling)) == ""
    gray = photographs[0][..., 1]
    assert remark(saved(gray, quality)) == ""


@pytest.mark.parametrize(("first", "second"), [(30, 75), (30, 95), (50, 90)])
def test_coarse_blocks_under_fine_tables_are_seen(photographs, first, second) -> None:
    for pixels in photographs:
        words = remark(saved(pillow(saved(pixels, first)), second))
        assert "more than its tables explain" in words
        assert words.isprintable()
    gray = photographs[0][..., 1]
    assert remark(saved(pillow(saved(gray, first)), second))


def test_blocks_of_another_grid_are_seen(photographs) -> None:
    seen = [remark(saved(pillow(saved(pixels, 75))[5:, 3:], 95)) for pixels in photographs]
    assert all("another grid" in words for words in seen)


def test_files_of_cameras_and_of_several_saves(shared_data: pathlib.Path) -> None:
    remarks = {
        path.name: remark(path.read_bytes())
        for path in (shared_data / "real").iterdir()
        if path.suffix == ".jpg"
    }
    assert not any(words for name, words in remarks.items() if name.startswith("me_"))
    assert "more than its tables" in remarks["app_six_saves.jpg"]
    assert "another grid" in remarks["app_double_offgrid_q50_then_q85.jpg"]
    assert remarks["app_messenger_q80_then_q60.jpg"] == ""  # the later save covers the first


@pytest.mark.parametrize("size", [(1, 1), (8, 200), (24, 24), (64, 40)])
def test_of_small_and_flat_pictures_nothing_is_said(size) -> None:
    flat = np.full((256, 256, 3), 99, np.uint8)
    for pixels in (picture(*size), picture(*size, gray=True), flat):
        assert remark(saved(pillow(saved(pixels, 20)), 95)) == ""
