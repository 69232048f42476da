"""Schedules and objectives: known values."""

import numpy as np
import pytest

from keras_jpeg_gan.training.monitor import time_words
from keras_jpeg_gan.training.objectives import REGRESSION
from keras_jpeg_gan.training.schedules import cosine


def test_cosine_goes_from_first_to_last_through_the_middle() -> None:
    assert cosine(1.0, 3.0, 0, 10) == 1.0
    assert cosine(1.0, 3.0, 5, 10) == pytest.approx(2.0)
    assert cosine(1.0, 3.0, 10, 10) == 3.0
    assert cosine(1.0, 3.0, 99, 10) == 3.0


def test_regression_objectives_against_numpy() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.random((2, 3, 4, 5, 3)).astype(np.float32)
    error = a - b
    expected = {
        "mae": np.abs(error).mean(axis=(1, 2, 3)),
        "mse": (error**2).mean(axis=(1, 2, 3)),
        "rmse": np.sqrt((error**2).mean(axis=(1, 2, 3))),
    }
    assert set(expected) == set(REGRESSION)
    for name, values in expected.items():
        np.testing.assert_allclose(np.asarray(REGRESSION[name](a, b)), values, rtol=1e-4)


def test_time_words() -> None:
    assert time_words(7503) == "2 h 05 min"
    assert time_words(200) == "3 min 20 s"
