import numpy as np
import pytest
from scipy import fft

from keras_jpeg_gan.jpeg import emulator
from keras_jpeg_gan.jpeg.tensors import dct


@pytest.fixture(scope="module")
def plane() -> np.ndarray:
    return np.random.default_rng(0).uniform(-1, 1, (3, 32, 40)).astype(np.float32)


def test_dct_is_scipys(plane):
    blocks = np.array(dct.to_blocks(plane), np.float64)
    expected = fft.dctn(blocks, axes=(-2, -1), norm="ortho")
    np.testing.assert_allclose(dct.dct(plane), expected, atol=1e-5)


def test_idct_is_scipys(plane):
    coefficients = np.array(dct.to_blocks(plane))
    expected = fft.idctn(coefficients.astype(np.float64), axes=(-2, -1), norm="ortho")
    found = dct.to_blocks(dct.idct(coefficients))
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_dct_preserves_energy(plane):
    energy = np.square(np.array(dct.dct(plane))).sum((-2, -1))
    expected = np.square(np.array(dct.to_blocks(plane))).sum((-2, -1))
    np.testing.assert_allclose(energy, expected, rtol=1e-5)


def test_blocks_are_in_reading_order():
    plane = np.arange(16 * 24, dtype=np.float32).reshape(1, 16, 24)
    blocks = np.array(dct.to_blocks(plane))
    assert blocks.shape == (1, 2, 3, 8, 8)
    np.testing.assert_array_equal(blocks[0, 1, 2], plane[0, 8:, 16:])
    np.testing.assert_array_equal(dct.from_blocks(blocks), plane)


def test_rounded_dct_is_the_encoders_integers():
    rng = np.random.default_rng(1)
    smooth = np.clip(rng.normal(rng.uniform(0, 255, (500, 1, 1)), 8, (500, 8, 8)), 0, 255)
    harsh = rng.choice([0, 255], (500, 8, 8))
    samples = np.round(np.concatenate([smooth, harsh])).astype(np.int32)
    expected = emulator.forward_dct(samples.transpose(1, 2, 0)).transpose(2, 0, 1)
    plane = (samples - 128).astype(np.float32).reshape(1, -1, 8)  # block below block
    found = np.array(dct.dct(plane, rounded=True)).reshape(expected.shape)
    # A float32 sum may fall on the other side of a half.
    assert np.mean(8 * found != expected) <= 1e-4
    np.testing.assert_allclose(8 * found, expected, atol=1)


def test_rounded_idct_of_dc_rounds_halves_up():
    coefficients = np.zeros((1, 1, 64, 8, 8), np.float32)
    coefficients[..., 0, 0] = np.arange(-32, 32)
    expected = np.floor(np.arange(-32, 32) / 8 + 0.5)
    found = dct.idct(coefficients, rounded=True)
    np.testing.assert_array_equal(found, np.broadcast_to(expected.repeat(8), (1, 8, 512)))
