"""What pixels say about an earlier save, against that save itself."""

import numpy as np
import pytest
from PIL import Image

from keras_jpeg_gan.jpeg import encoder
from keras_jpeg_gan.jpeg.file import JpegFile
from keras_jpeg_gan.jpeg.projection.earlier import Agreement, Earlier
from keras_jpeg_gan.jpeg.resaved import EarlierSave, luma, luma_blocks
from keras_jpeg_gan.jpeg.sampling import GRAY
from keras_jpeg_gan.jpeg.tables import quality_tables
from tests.files import picture, saved

OFFSETS = [(0, 0), (4, 4), (3, 5), (0, 2)]


def original(gray: bool = False) -> np.ndarray:
    """A picture with detail in all frequencies, away from black and white."""
    detail = np.random.default_rng(4).normal(0, 9, (125, 141))
    pixels = picture(125, 141, 2, gray) * 0.7 + 40
    return np.clip(pixels + (detail if gray else detail[..., None]), 8, 247).astype(np.uint8)


def twice(offset, first=30, second=88, gray=False):
    """An original and its first file, cut as the second file is, and the second file."""
    x, y = offset
    whole = original(gray)
    once = JpegFile.read(saved(whole, quality=first, subsampling=2))
    cut = np.s_[-y % 8 :, -x % 8 :]
    last = JpegFile.read(saved(np.ascontiguousarray(once.pixels[cut]), quality=second))
    top, left = -(y // -8), -(x // -8)  # blocks of the first grid that are cut
    return whole[cut], once.pixels[cut], once.quantized.levels[0], last, (top, left)


def of(offset, last, first=30) -> Earlier:
    x, y = offset
    return Earlier.of(EarlierSave.parse(f"{first}@{x},{y}"), last.pixels, last.quantized)


def inside(earlier: Earlier, array: np.ndarray) -> np.ndarray:
    """Blocks [Hb, Wb, ...] without those that the picture shows in part."""
    return array[earlier.margin[0] > 0 :, earlier.margin[1] > 0 :]


@pytest.mark.parametrize("gray", [False, True])
@pytest.mark.parametrize("offset", OFFSETS)
def test_the_first_saves_own_levels_are_possible_and_few_others(offset, gray) -> None:
    _, _, levels, last, (top, left) = twice(offset, gray=gray)
    earlier = of(offset, last)
    low, high = (inside(earlier, part) for part in earlier.possible)
    true = levels[top : top + low.shape[0], left : left + low.shape[1]]
    # The margin's block is the one that was cut.
    assert earlier.margin == (-offset[1] % 8, -offset[0] % 8)
    assert np.mean((low <= true) & (true <= high)) > 0.999
    assert np.mean(low == high) > 0.97


@pytest.mark.parametrize("offset", OFFSETS)
def test_the_network_sees_nearly_what_the_first_save_left(offset) -> None:
    _, once, _, last, _ = twice(offset)
    earlier = of(offset, last)
    rows, columns = (np.s_[before:] for before in earlier.margin)
    seen = earlier.pixels[rows, columns]
    assert seen.shape == last.pixels.shape

    def error(pixels: np.ndarray) -> float:
        a, b = (luma(part[8:-8, 8:-8], gray=False) for part in (pixels, once))
        return float(np.mean((a - b) ** 2))

    rounding = 0.2  # of the pixels of both
    assert error(seen) < max(0.35 * error(last.pixels), rounding)


@pytest.mark.parametrize("offset", OFFSETS)
def test_the_original_lies_in_the_cells_and_other_pixels_are_moved_there(offset) -> None:
    whole, _, _, last, _ = twice(offset)
    earlier = of(offset, last)
    assert earlier.agreement(earlier.framed(whole)).share > 0.995
    far = earlier.framed(whole) + np.random.default_rng(1).normal(0, 20, (*earlier.pixels.shape,))
    far = far.astype(np.float32)
    assert earlier.agreement(far).share < 0.97
    moved = earlier.project(far, 0)
    assert earlier.agreement(moved).share == 1
    # Not farther than needed, and only luma: chroma and what is in no whole block stay.
    assert np.abs(moved - far).max() < 60
    chroma = (moved - far) - (moved - far)[..., :1]
    assert np.abs(chroma).max() < 1e-3
    height, width = (length // 8 * 8 for length in far.shape[:2])
    assert np.array_equal(moved[height:], far[height:])
    assert np.array_equal(moved[:, width:], far[:, width:])
    if earlier.margin[0]:
        assert np.array_equal(moved[:8], far[:8])


@pytest.mark.parametrize("offset", OFFSETS)
def test_bands_are_projected_as_the_whole(offset) -> None:
    _, _, _, last, _ = twice(offset)
    earlier = of(offset, last)
    far = earlier.pixels + np.random.default_rng(1).normal(0, 20, (*earlier.pixels.shape,))
    far = far.astype(np.float32)
    parts = [earlier.project(far[top : top + 48], top) for top in (0, 48, 96)]
    np.testing.assert_allclose(np.concatenate(parts), earlier.project(far, 0), atol=1e-3)


def test_levels_of_the_last_file_bind_where_its_steps_are_coarser() -> None:
    first, _ = quality_tables(60)
    coarser = np.add.outer(np.arange(8), np.arange(8)) % 2 == 0
    table = np.where(coarser, 2 * first, first // 3 + 1)
    once = JpegFile.read(saved(original(True), quality=60)).pixels
    last = JpegFile.read(encoder.encode(once, (table,), GRAY))
    earlier = Earlier.of(EarlierSave.parse("60"), last.pixels, last.quantized)
    assert np.array_equal(earlier.steps, np.maximum(first, table))
    assert np.array_equal(earlier.tables[0], earlier.steps)
    far = last.pixels + np.random.default_rng(1).normal(0, 30, last.pixels.shape)
    blocks = luma_blocks(luma(earlier.project(far.astype(np.float32), 0), gray=True))
    levels = last.quantized.levels[0][: blocks.shape[0], : blocks.shape[1]]
    assert (np.abs(blocks / table - levels)[..., coarser] <= 0.5).all()
    assert (np.abs(blocks / table - levels)[..., ~coarser] > 0.5).any()


def test_a_picture_of_another_format_has_only_the_rounding_of_pixels_against_it() -> None:
    _, once, levels, _, _ = twice((0, 0))
    earlier = Earlier.of(EarlierSave.parse("30"), once)
    low, high = earlier.possible
    true = levels[: low.shape[0], : low.shape[1]]
    assert (low == high).all()
    assert (low == true).all()


def test_a_save_that_does_not_show_in_the_pixels_binds_nothing() -> None:
    once = JpegFile.read(saved(original(), quality=30)).pixels
    scaled = np.asarray(Image.fromarray(once).resize((123, 110), Image.Resampling.BICUBIC))
    for pixels, save in ((scaled, "30"), (once, "30@4,4"), (once, "20")):
        earlier = Earlier.of(EarlierSave.parse(save), pixels)
        assert earlier.possible is None
        assert np.array_equal(earlier.pixels, earlier.framed(pixels))
        assert earlier.agreement(earlier.pixels) is None
        far = earlier.pixels.astype(np.float32) + 3
        assert np.array_equal(earlier.project(far, 0), far)


@pytest.mark.parametrize("shape", [(1, 1), (3, 3), (8, 3, 3), (7, 9, 3), (17, 8)])
def test_small_pictures(shape) -> None:
    pixels = np.full(shape, 77, np.uint8)
    earlier = Earlier.of(EarlierSave.parse("30@3,5"), pixels)
    assert earlier.pixels.shape[:2] == (shape[0] + 3, shape[1] + 5)
    projected = earlier.project(earlier.pixels.astype(np.float32), 0)
    assert projected.shape == earlier.pixels.shape
    assert earlier.agreement(projected).share == 1


def test_units_of_16_bits_agree_as_grey_levels_do() -> None:
    _, _, _, last, _ = twice((3, 5))
    earlier = of((3, 5), last)
    pixels = earlier.pixels
    assert earlier.agreement(pixels.astype(np.int32) * 257, 257) == earlier.agreement(pixels)


def test_no_share_but_the_whole_is_100_percent() -> None:
    save = EarlierSave.parse("30@3,5")
    nearly, all_inside = Agreement(save, 99_999, 100_000), Agreement(save, 100, 100)
    assert str(nearly) == (
        "restored as of an earlier save with quality 30 on a grid shifted by (3, 5): 99.9 % of its "
        "estimated luma coefficients within their cells"
    )
    assert ": 100 % of" in str(all_inside)


def test_text_beside_a_photograph_is_left_alone() -> None:
    """A screenshot: the save shows in the photograph, and what is around it has no levels."""
    once = JpegFile.read(saved(original(), quality=25)).pixels[:120, :136]
    screen = np.full((200, 280, 3), 240, np.uint8)
    strokes = np.random.default_rng(0).random((200, 280)) < 0.2
    screen[strokes] = 20
    screen[16 + 3 : 136 + 3, 24 + 5 : 160 + 5] = once
    earlier = Earlier.of(EarlierSave.parse("25@5,3"), screen)
    inner = earlier.bound[3:18, 4:21]
    assert inner.mean() > 0.97
    outside = earlier.bound.copy()
    outside[3:18, 4:21] = False
    assert outside.mean() < 0.02
    left = ~np.kron(earlier.bound, np.ones((8, 8), bool))
    height, width = left.shape
    assert np.array_equal(
        earlier.pixels[:height, :width][left], earlier.framed(screen)[:height, :width][left]
    )
    assert earlier.agreement(earlier.pixels).shown < 0.6
    assert ", except in 6" in str(earlier.agreement(earlier.pixels))
