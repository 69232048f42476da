"""Validation of generators whose results are known."""

import numpy as np
import pytest

from keras_jpeg_gan.training.validation import Crops, Validation

SIZES = [(16, 16)]


@pytest.fixture
def images() -> list[np.ndarray]:
    y, x = np.mgrid[:40, :48]
    waves = [100 + 60 * np.sin(x / (2 + k)) * np.cos(y / 3) for k in range(3)]
    return [np.stack([wave, wave, 255 - wave], -1).astype(np.uint8) for wave in waves]


def shifted(image: np.ndarray, tables: np.ndarray, noise: list[np.ndarray]) -> np.ndarray:
    """Shift each pixel by its noise, two gray levels per unit."""
    return image + np.kron(noise[0], np.ones((1, 2, 2, 1))) * 2 / 255


def test_the_original_is_consistent_and_the_input_gains_nothing(images: list[np.ndarray]) -> None:
    validation = Validation(images, (10,), 32)
    original = validation.crops[10].original / np.float32(255)
    figures = validation(lambda image, tables: original)
    assert figures["consistency_q10"] == 0
    assert figures["gain_q10"] > 20
    assert validation(lambda image, tables: image)["gain_q10"] == 0
    brighter = validation(lambda image, tables: original + 0.1)
    assert brighter["consistency_q10"] > 10


def test_crops_lie_in_the_middle(images: list[np.ndarray]) -> None:
    crops = Crops.of(images, 10, 32)
    np.testing.assert_array_equal(crops.original[1], images[1][4:36, 8:40])
    assert crops.tables.shape == (3, 2, 8, 8)


def test_a_samplers_figures_are_those_of_its_noise(images: list[np.ndarray]) -> None:
    validation = Validation(images, (10,), 32, samples=8)
    figures = validation(shifted, SIZES)
    assert figures["deviation_q10"] == pytest.approx(2.0, abs=0.15)
    assert figures["of_one_q10"] < figures["of_mean_q10"] < 0
    assert figures == validation(shifted, SIZES)
    assert figures == pytest.approx(validation(shifted, SIZES, batch=3), rel=0.2)
