"""Earlier saves are found with their grid and tables, and none where there was none."""

import pathlib

import numpy as np
import pytest
from PIL import Image

from benchmarks.drawings import drawings
from benchmarks.resaving import (
    FIRST,
    OFFSETS,
    ONCE,
    SAMPLINGS,
    SECOND,
    find,
    is_found,
    saved,
    saved_twice,
)
from keras_jpeg_gan.data.degradation import compress
from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.jpeg.file import JpegFile
from keras_jpeg_gan.jpeg.published_tables import PUBLISHED_TABLES
from keras_jpeg_gan.jpeg.resaved import OWN_TABLES, EarlierSave, find_earlier_save
from keras_jpeg_gan.jpeg.sampling import Sampling
from keras_jpeg_gan.jpeg.tables import quality_tables
from tests.files import picture


@pytest.fixture(scope="module")
def photographs(kodak: list[pathlib.Path]) -> list[np.ndarray]:
    """Crops of 384 pixels."""
    found = []
    for path in kodak[::6]:
        with Image.open(path) as image:
            found.append(np.asarray(image)[60:444, 100:484])
    return found


@pytest.mark.parametrize("sampling", SAMPLINGS)
@pytest.mark.parametrize("offset", OFFSETS)
@pytest.mark.parametrize(("first", "second"), [(10, 30), (30, 75), (50, 90)])
def test_the_first_of_two_saves_is_found(photographs, first, second, offset, sampling) -> None:
    for pixels in photographs[:2]:
        save = find(saved_twice(pixels, first, second, offset, sampling), second)
        assert is_found(save, first, offset), save


@pytest.mark.parametrize("quality", [5, 20, 50, 75, 90, 95])
def test_no_other_save_is_found_in_what_was_saved_once(photographs, quality) -> None:
    for pixels, sampling in zip(photographs, ("4:2:0", "4:4:4") * 2, strict=True):
        assert find(saved(pixels, quality, sampling), quality) is None
    gray = photographs[0][..., 1]
    assert find(saved(gray, quality, "4:4:4"), quality) is None


@pytest.mark.parametrize("quality", [5, 30, 75, 95])
def test_the_save_of_a_picture_in_another_format_is_found_where_it_was_cut(
    photographs, quality
) -> None:
    cut = saved(photographs[1], quality, "4:2:0")[3:, 6:]
    save = find_earlier_save(cut)
    assert is_found(save, quality, (2, 5)), save
    assert find_earlier_save(cut[5:, 2:], save.luma) is None  # and there was none before


def test_of_a_picture_saved_twice_the_last_and_then_the_first_is_found(photographs) -> None:
    twice = saved_twice(photographs[0], 30, 75, (3, 5), "4:2:0")[1:, 2:]
    last = find_earlier_save(twice)
    assert is_found(last, 75, (6, 7)), last
    assert is_found(find_earlier_save(twice[7:, 6:], last.luma), 30, (3, 5))


@pytest.mark.parametrize("name", ["mozjpeg 60", "Nokia 3110c", "Photoshop CS5"])
def test_published_tables_are_named(photographs, name) -> None:
    once = compress(photographs[1], PUBLISHED_TABLES[name], Sampling.parse("4:2:0"))[1:, 4:]
    save = find(saved(np.ascontiguousarray(once), 95, "4:2:0"), 95)
    assert (save.name, save.offset) == (name, (4, 7))
    np.testing.assert_array_equal([save.luma, save.chroma], PUBLISHED_TABLES[name])
    assert name in str(save)
    assert "shifted by (4, 7)" in str(save)


@pytest.mark.parametrize("offset", [(0, 0), (2, 6)])
def test_steps_of_tables_that_nobody_published_are_read(photographs, offset) -> None:
    rng = np.random.default_rng(1)
    tables = rng.integers(6, 24, (2, 8, 8)).astype(np.float32)
    once = compress(photographs[1], tables, Sampling.parse("4:4:4"))[
        -offset[1] % 8 :, -offset[0] % 8 :
    ]
    save = find_earlier_save(once)
    assert (save.name, save.offset) == (OWN_TABLES, offset)
    lowest = [(u, v) for u in range(5) for v in range(5 - u)]
    right = [save.luma[at] == tables[0][at] for at in lowest]
    assert sum(right) >= 13, right


def test_a_change_to_what_was_found_is_none_to_what_is_found_next(photographs) -> None:
    decode = saved(photographs[2], 50, "4:4:4")
    find_earlier_save(decode).luma[:] = 0
    assert find_earlier_save(decode).luma.min() > 0


def test_no_save_is_found_in_drawings_and_screenshots() -> None:
    for pixels in drawings(5):
        assert find_earlier_save(pixels) is None
        assert find(saved(pixels, 75, "4:2:0"), 75) is None


def test_files_of_cameras_and_of_several_saves(shared_data: pathlib.Path) -> None:
    found = {}
    for path in (shared_data / "real").glob("*.jpg"):
        file = JpegFile.read(path)
        found[path.name] = find_earlier_save(file.pixels, file.tables[0])
    off_grid = found.pop("app_double_offgrid_q50_then_q85.jpg")
    assert (off_grid.quality, off_grid.offset) == (50, (5, 3))
    assert off_grid.confidence > 0.99
    assert found.pop("app_six_saves.jpg").offset == (0, 0)
    assert {name: save for name, save in found.items() if save is not None} == {}


@pytest.mark.parametrize("size", [(1, 1), (8, 200), (39, 400)])
def test_in_small_and_flat_pictures_nothing_is_found(size) -> None:
    flat = np.full((256, 256, 3), 99, np.uint8)
    for pixels in (picture(*size), picture(*size, gray=True), flat):
        assert find_earlier_save(pixels) is None
        assert find(saved_twice(pixels, 20, 95, (0, 0), "4:2:0"), 95) is None


@pytest.mark.slow
def test_nearly_all_are_found_and_hardly_one_that_never_was(photographs) -> None:
    cases = [
        (first, second, offset, sampling)
        for first in FIRST
        for second in SECOND
        for offset in OFFSETS
        for sampling in SAMPLINGS
        if second >= first + 15
    ]
    found = [
        is_found(find(saved_twice(pixels, *case), case[1]), case[0], case[2])
        for pixels in photographs
        for case in cases
    ]
    assert np.mean(found) >= 0.9
    alarms = [
        find(saved(pixels, quality, sampling), quality) is not None
        for pixels in photographs
        for quality in ONCE
        for sampling in SAMPLINGS
    ]
    assert np.mean(alarms) <= 0.005


def test_a_save_that_is_known_is_parsed() -> None:
    save = EarlierSave.parse("7@3,5")
    assert (save.quality, save.offset, save.confidence) == (7, (3, 5), 1)
    assert np.array_equal([save.luma, save.chroma], quality_tables(7))
    assert str(save) == "quality 7 on a grid shifted by (3, 5)"
    assert EarlierSave.parse("100").offset == (0, 0)
    for text in ("", "0", "101", "30@", "30@8,0", "30@1", "-3", "30 ", "３0", "auto"):
        with pytest.raises(ConfigError):
            EarlierSave.parse(text)
