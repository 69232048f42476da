"""Deviation of samples: NumPy's, and told apart by texture."""

import numpy as np
import pytest

from keras_jpeg_gan.metrics.deviation import Spread, deviation_by_texture, deviation_map


@pytest.mark.parametrize("shape", [(9, 7), (9, 7, 3)])
def test_spread_is_numpys(shape: tuple[int, ...]) -> None:
    images = np.random.default_rng(0).integers(0, 256, (5, *shape), np.uint8)
    spread = Spread(images)
    np.testing.assert_allclose(spread.mean, images.mean(axis=0), rtol=1e-6)
    variance = images.var(axis=0, ddof=1)
    expected = np.sqrt(variance if len(shape) == 2 else variance.mean(axis=-1))
    assert spread.deviation.shape == (9, 7)
    np.testing.assert_allclose(spread.deviation, expected, rtol=1e-6)


def test_texture_is_where_the_original_varies() -> None:
    original = np.full((28, 16, 3), 100, np.uint8)
    original[:8] += np.random.default_rng(0).integers(0, 90, (8, 16, 1)).astype(np.uint8)
    original[8:16] += np.random.default_rng(1).integers(0, 9, (8, 16, 1)).astype(np.uint8)
    deviation = np.full((28, 16), 50.0)
    deviation[:8], deviation[8:16], deviation[16:24] = 6, 4, 2
    assert deviation_by_texture(deviation, original) == (6, 2)


def test_maps_go_from_white_to_black() -> None:
    known = np.array([[0.0, 4.0, 64.0, 100.0]])
    np.testing.assert_array_equal(deviation_map(known), [[255, 128, 0, 0]])
