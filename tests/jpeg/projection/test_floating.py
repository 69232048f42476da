"""The decoder's float projection against the tensors' one, and its own invariants."""

import numpy as np
import pytest
from keras import ops

from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.jpeg import encoder
from keras_jpeg_gan.jpeg.levels import Quantized
from keras_jpeg_gan.jpeg.projection import floating
from keras_jpeg_gan.jpeg.sampling import Sampling
from keras_jpeg_gan.jpeg.tables import quality_tables
from keras_jpeg_gan.jpeg.tensors import consistency
from tests.files import picture


def case(height: int, width: int, quality: int, sampling: str) -> tuple[np.ndarray, Quantized]:
    """Noisy pixels, and what libjpeg makes of the picture without the noise."""
    gray = sampling == "gray"
    original = picture(height, width, gray=gray)
    luma, chroma = quality_tables(quality)
    tables = [luma] if gray else [luma, chroma, chroma]
    noise = np.random.default_rng(0).normal(0, 12, original.shape)
    quantized = encoder.quantize(original, tables, Sampling.parse(sampling))
    return (original + noise).astype(np.float32), quantized


@pytest.mark.parametrize("sampling", ["4:4:4", "4:2:2", "4:2:0", "4:1:1", "gray"])
def test_whole_units_are_projected_as_by_the_tensors(sampling: str) -> None:
    pixels, quantized = case(48, 64, 30, sampling)
    batch = consistency.batch_of_one(pixels, quantized)
    expected = ops.convert_to_numpy(consistency.project(*batch, floating.MARGIN))
    found = floating.project(pixels, quantized)
    assert found.dtype == np.float32
    # The encoder's constants of downsampling, which only this one counts in.
    error = np.abs(found.reshape(expected.shape) - expected)
    assert error.max() < 0.5
    assert error.mean() < 0.05
    assert np.abs(found - pixels).max() > 1


@pytest.mark.parametrize("size", [(33, 50), (7, 9), (48, 1)])
@pytest.mark.parametrize("sampling", ["4:4:4", "4:2:0"])
def test_cut_units_end_within_their_cells(size: tuple[int, int], sampling: str) -> None:
    pixels, quantized = case(*size, 20, sampling)
    assert floating.violations(pixels, quantized).max() > 0.5
    projected = floating.project(pixels, quantized)
    assert floating.violations(projected, quantized).max() <= 0.5


def test_violations_equal_the_tensors() -> None:
    pixels, quantized = case(33, 50, 40, "4:4:4")
    batch = consistency.batch_of_one(pixels, quantized)
    expected = [ops.convert_to_numpy(part).ravel() for part in consistency.violation(*batch)]
    found = floating.violations(pixels, quantized)
    np.testing.assert_allclose(np.sort(found), np.sort(np.concatenate(expected)), atol=2e-3)


def test_consistent_pixels_stay_as_they_are() -> None:
    _, quantized = case(40, 40, 40, "4:2:0")
    pixels = picture(40, 40).astype(np.float32)
    once = floating.project(pixels, quantized)
    twice = floating.project(once, quantized, margin=0.01)
    np.testing.assert_allclose(twice, once, atol=1e-3)


def test_pixels_that_do_not_fit_are_refused() -> None:
    pixels, quantized = case(16, 16, 40, "4:2:0")
    for part in (pixels[..., 0], pixels[:, :8]):
        with pytest.raises(ConfigError, match="do not fit"):
            floating.project(part, quantized)
