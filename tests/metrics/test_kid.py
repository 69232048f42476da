"""KID against the double sum, and its mean on samples of one distribution."""

import numpy as np
import pytest

from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.metrics import kid

rng = np.random.default_rng(0)
A, B = rng.normal(0, 1, (12, 5)), rng.normal(0.5, 1, (9, 5))


def kernel(x: np.ndarray, y: np.ndarray) -> float:
    return float((x @ y / 5 + 1) ** 3)


def test_whole_sets_are_the_double_sum() -> None:
    a = A[:9]
    pairs = [(i, j) for i in range(9) for j in range(9)]
    expected = sum(kernel(s[i], s[j]) for s in (a, B) for i, j in pairs if i != j) / 72
    expected -= 2 * sum(kernel(a[i], B[j]) for i, j in pairs) / 81
    mean, error = kid(a, B, subsets=3)
    assert mean == pytest.approx(expected)
    assert error == pytest.approx(0, abs=1e-12)


def test_unbiased() -> None:
    samples = rng.normal(0, 1, (2, 4000, 8))
    mean, error = kid(samples[0], samples[1], size=200)
    assert abs(mean) < 0.02
    assert 0 < error < 0.1
    shifted, _ = kid(samples[0], samples[1] + 0.5, size=200)
    assert shifted > 0.2


def test_the_seed_chooses() -> None:
    assert kid(A, B, size=4, seed=1) == kid(A, B, size=4, seed=1) != kid(A, B, size=4, seed=2)


def test_one_vector_is_too_few() -> None:
    with pytest.raises(ConfigError, match="two or more"):
        kid(A[:1], B)
