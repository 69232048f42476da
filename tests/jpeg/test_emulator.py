import numpy as np
import pytest
from PIL import Image

from keras_jpeg_gan import errors
from keras_jpeg_gan.jpeg import emulator, encoder, tables
from keras_jpeg_gan.jpeg.sampling import GRAY, Sampling

SIZES = [(1, 1), (8, 8), (7, 9), (16, 16), (18, 34), (33, 31), (50, 65)]


def picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    """[H, W, 3] uint8: flat areas, ramps and noise, with clipped values."""
    generator = np.random.default_rng(seed)
    ramp = np.linspace(-60, 320, height * width * 3).reshape(height, width, 3)
    noise = generator.normal(0, 60, (height, width, 3)) * generator.integers(0, 2, (height, 1, 1))
    return np.clip(ramp + noise, 0, 255).astype(np.uint8)


def assert_equals_libjpeg(pixels: np.ndarray, quality: int, sampling: str) -> None:
    luma, chroma = tables.quality_tables(quality)
    steps = [luma] if sampling == "gray" else [luma, chroma, chroma]
    theirs = encoder.quantize(pixels, steps, Sampling.parse(sampling)).levels
    ours = emulator.emulate(pixels, steps, Sampling.parse(sampling))
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("quality", [10, 75, 100])
@pytest.mark.parametrize("sampling", ["4:4:4", "4:2:2", "4:2:0"])
def test_equals_pillow(sampling: str, quality: int, size: tuple[int, int]) -> None:
    assert_equals_libjpeg(picture(*size), quality, sampling)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("quality", [50, 100])
def test_grayscale_equals_pillow(quality: int, size: tuple[int, int]) -> None:
    assert_equals_libjpeg(picture(*size)[..., 0].copy(), quality, "gray")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    "sampling", ["4:4:0", "4:1:1", "2x2,1x2,1x1", "2x2,2x1,1x1", "3x1,1x1,1x1", "1x1,2x2,1x1"]
)
def test_other_samplings_equal_libjpeg_turbo(sampling: str, size: tuple[int, int]) -> None:
    assert_equals_libjpeg(picture(*size), 97, sampling)


@pytest.mark.parametrize("sampling", ["4:4:4", "4:2:0"])
@pytest.mark.parametrize("quality", [5, 50, 95])
def test_photographs_equal_pillow(kodak: list, quality: int, sampling: str) -> None:
    for path in kodak[::8]:
        assert_equals_libjpeg(np.asarray(Image.open(path)), quality, sampling)


@pytest.mark.parametrize("step", [1, 2, 7, 16, 255, 65535])
def test_cells_contain_exactly_what_quantizes_to_their_level(step: int) -> None:
    c8 = np.arange(-9000, 9001, dtype=np.int32)
    levels = emulator.quantize(c8, np.int32(step))
    low, high = emulator.cells(levels, np.int32(step))
    assert ((low <= c8) & (c8 <= high)).all()
    outside = [(low - 1)[low > -emulator.C8_LIMIT], (high + 1)[high < emulator.C8_LIMIT]]
    inside = [levels[low > -emulator.C8_LIMIT], levels[high < emulator.C8_LIMIT]]
    for values, level in zip(outside, inside, strict=True):
        assert (emulator.quantize(values, np.int32(step)) != level).all()


def test_cells_of_hostile_levels_are_ordered_and_bounded() -> None:
    levels = np.array([-32767, -1, 0, 1, 32767])
    low, high = emulator.cells(levels, np.full(5, 65535))
    assert (low <= high).all()
    assert np.abs([low, high]).max() == emulator.C8_LIMIT


def test_coefficients_are_8_times_the_orthonormal_dct() -> None:
    from scipy import fft

    samples = np.random.default_rng(1).integers(0, 256, (64, 64)).astype(np.uint8)
    (c8,) = emulator.coefficients(samples, GRAY)
    blocks = samples.reshape(8, 8, 8, 8).transpose(0, 2, 1, 3) - 128.0
    expected = 8 * fft.dctn(blocks, axes=(2, 3), norm="ortho")
    assert np.abs(c8 - expected).max() < 3


def test_pixels_must_fit_the_sampling() -> None:
    with pytest.raises(errors.ConfigError, match="do not fit"):
        emulator.emulate(picture(8, 8), [np.ones((8, 8), np.int32)], GRAY)
