"""Pictures from generators whose results are known."""

import numpy as np
import pytest

from keras_jpeg_gan.training.pictures import Pictures, grid
from keras_jpeg_gan.training.validation import Crops

SIZES = [(16, 16)]


@pytest.fixture
def images() -> list[np.ndarray]:
    y, x = np.mgrid[:40, :48]
    waves = [100 + 60 * np.sin(x / (2 + k)) * np.cos(y / 3) for k in range(3)]
    return [np.stack([wave, wave, 255 - wave], -1).astype(np.uint8) for wave in waves]


def shifted(image: np.ndarray, tables: np.ndarray, noise: list[np.ndarray]) -> np.ndarray:
    """Shift each pixel by its noise, two gray levels per unit."""
    return image + np.kron(noise[0], np.ones((1, 2, 2, 1))) * 2 / 255


def test_pictures_show_input_start_samples_and_deviation(images: list[np.ndarray]) -> None:
    crops = Crops.of(images, 10, 32)
    start = lambda image, tables: 0 * image  # noqa: E731
    picture = Pictures(crops, SIZES, start)(shifted)
    assert picture.shape == (3 * 32 + 2 * 4, 6 * 32 + 5 * 4, 3)
    tiles = [picture[36 : 36 + 32, left : left + 32].astype(float) for left in range(0, 216, 36)]
    np.testing.assert_array_equal(tiles[0], crops.compressed[1])
    assert not tiles[1].any()
    for sample in tiles[2:5]:
        assert np.std(sample - tiles[0]) == pytest.approx(2.0, abs=0.3)
    assert (tiles[2] != tiles[3]).any()
    # (2 / 64) ** (1 / 4) of black.
    assert np.median(tiles[5]) == pytest.approx(255 * (1 - 0.42), abs=12)
    plain = Pictures(crops)(lambda image, tables: image)
    np.testing.assert_array_equal(plain[:, :32], plain[:, 36:])


def test_a_grid_has_white_gaps() -> None:
    ones = np.ones((2, 8, 8, 3))
    made = grid([ones, 2 * ones])
    assert made.shape == (20, 20, 3)
    assert (made[8:12] == 255).all()
    assert (made[:, 8:12] == 255).all()
    assert (made[:8, :8] == 1).all()
