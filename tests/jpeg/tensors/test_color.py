import numpy as np
import pytest

from keras_jpeg_gan.jpeg import emulator
from keras_jpeg_gan.jpeg.tensors import color


@pytest.fixture(scope="module")
def triples() -> np.ndarray:
    """Random triples and all corners of the cube, [N, 3] float32 integers."""
    corners = np.stack(np.meshgrid([0, 255], [0, 255], [0, 255]), -1).reshape(-1, 3)
    rng = np.random.default_rng(0)
    return np.concatenate([corners, rng.integers(0, 256, (20_000, 3))]).astype(np.float32)


def test_jfif_equations(triples):
    # T.871's equations as printed, to their four digits.
    r, g, b = triples.T
    expected = np.stack(
        [
            0.299 * r + 0.587 * g + 0.114 * b,
            -0.1687 * r - 0.3313 * g + 0.5 * b + 128,
            0.5 * r - 0.4187 * g - 0.0813 * b + 128,
        ],
        -1,
    )
    np.testing.assert_allclose(color.rgb_to_ycbcr(triples), expected, atol=0.03)
    y, cb, cr = expected.T
    back = np.stack(
        [
            y + 1.402 * (cr - 128),
            y - 0.3441 * (cb - 128) - 0.7141 * (cr - 128),
            y + 1.772 * (cb - 128),
        ],
        -1,
    )
    np.testing.assert_allclose(color.ycbcr_to_rgb(expected), back, atol=0.03)


def test_conversions_are_inverse(triples):
    ycbcr = color.rgb_to_ycbcr(triples)
    np.testing.assert_allclose(color.ycbcr_to_rgb(ycbcr), triples, atol=2e-4)


def test_gray_has_no_chroma():
    gray = np.repeat(np.arange(256, dtype=np.float32)[:, None], 3, axis=1)
    for rounded in (False, True):
        ycbcr = np.array(color.rgb_to_ycbcr(gray, rounded))
        np.testing.assert_allclose(ycbcr[:, 0], gray[:, 0], atol=1e-4)
        np.testing.assert_allclose(ycbcr[:, 1:], 128, atol=1e-4)


def test_rounded_components_are_the_encoders_integers(triples):
    expected = emulator.rgb_to_ycbcr(*triples.astype(np.int32).T)
    np.testing.assert_array_equal(color.rgb_to_ycbcr(triples, rounded=True), np.stack(expected, -1))


def test_rounding_on_the_way_back_stays_near_and_in_range(triples):
    found = np.array(color.ycbcr_to_rgb(triples, rounded=True))
    np.testing.assert_array_equal(found, np.round(found))
    exact = np.clip(color.ycbcr_to_rgb(triples), 0, 255)
    assert np.abs(found - exact).max() <= 0.51
