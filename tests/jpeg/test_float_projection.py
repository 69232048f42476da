"""The decoder's float projection, against the one of the graphs and its own laws."""

import numpy as np
import pytest
from keras import ops

from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.jpeg import encoder
from keras_jpeg_gan.jpeg.projection import floating as float_projection
from keras_jpeg_gan.jpeg.tables import quality_tables
from keras_jpeg_gan.jpeg.tensors import consistency
from tests.jpeg.small_files import picture


def case(height: int, width: int, quality: int, sampling: str) -> tuple:
    """Noisy pixels, and levels, tables and sampling of the picture without the noise."""
    gray = sampling == "gray"
    original = picture(height, width, gray)
    luma, chroma = quality_tables(quality)
    tables = [luma] if gray else [luma, chroma, chroma]
    noise = np.random.default_rng(0).normal(0, 12, original.shape)
    levels = encoder.encode_levels(original, tables, sampling)
    return (original + noise).astype(np.float32), levels, tables, sampling


@pytest.mark.parametrize("sampling", ["4:4:4", "4:2:2", "4:2:0", "4:1:1", "gray"])
def test_whole_units_are_projected_as_in_the_graphs(sampling: str) -> None:
    given = case(48, 64, 30, sampling)
    pixels, levels, tables, _ = given
    batch = consistency.batch_of_one(pixels, levels, tables)
    expected = ops.convert_to_numpy(consistency.project(*batch, sampling, float_projection.MARGIN))
    found = float_projection.project(*given)
    assert found.dtype == np.float32
    # The encoder's constants of downsampling, which only this one counts in.
    error = np.abs(found.reshape(expected.shape) - expected)
    assert error.max() < 0.5
    assert error.mean() < 0.05
    assert np.abs(found - pixels).max() > 1


@pytest.mark.parametrize("size", [(33, 50), (7, 9), (48, 1)])
@pytest.mark.parametrize("sampling", ["4:4:4", "4:2:0"])
def test_cut_units_end_within_their_cells(size: tuple[int, int], sampling: str) -> None:
    pixels, *given = case(*size, 20, sampling)
    assert float_projection.violations(pixels, *given).max() > 0.5
    assert (
        float_projection.violations(float_projection.project(pixels, *given), *given).max() <= 0.5
    )


def test_violations_are_the_graphs() -> None:
    pixels, levels, tables, sampling = case(33, 50, 40, "4:4:4")
    batch = consistency.batch_of_one(pixels, levels, tables)
    expected = [
        ops.convert_to_numpy(part).ravel() for part in consistency.violation(*batch, sampling)
    ]
    found = float_projection.violations(pixels, levels, tables, sampling)
    np.testing.assert_allclose(np.sort(found), np.sort(np.concatenate(expected)), atol=2e-3)


def test_what_is_consistent_stays_as_it_is() -> None:
    _, *given = case(40, 40, 40, "4:2:0")
    pixels = picture(40, 40).astype(np.float32)
    once = float_projection.project(pixels, *given)
    twice = float_projection.project(once, *given, margin=0.01)
    np.testing.assert_allclose(twice, once, atol=1e-3)


def test_what_does_not_fit_is_refused() -> None:
    pixels, levels, tables, sampling = case(16, 16, 40, "4:2:0")
    with pytest.raises(ConfigError, match="do not fit"):
        float_projection.project(pixels[..., 0], levels, tables, sampling)
    with pytest.raises(ConfigError, match="do not fit"):
        float_projection.project(pixels[:, :8], levels[:1] * 3, tables, sampling)
