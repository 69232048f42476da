"""Fréchet distance: SciPy's matrix root, closed forms of Gaussians, moments in pieces."""

import numpy as np
import pytest
import scipy.linalg

from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.metrics.frechet import Moments, frechet_distance


def moments_of(vectors: np.ndarray) -> Moments:
    moments = Moments(vectors.shape[1])
    moments.add(vectors)
    return moments


def gaussian(mean: list[float], deviations: list[float], count: int = 10) -> Moments:
    """Moments that are exactly a Gaussian's with independent components."""
    moments = Moments(len(mean))
    moments.count, moments.mean = count, np.array(mean)
    moments.scatter = (count - 1) * np.diag(np.square(deviations))
    return moments


def test_distance_is_scipys() -> None:
    rng = np.random.default_rng(0)
    a = rng.normal(size=(500, 12)) @ rng.normal(size=(12, 12)) + 3
    b = rng.normal(size=(300, 12)) @ rng.normal(size=(12, 12))
    root = scipy.linalg.sqrtm(np.cov(a.T) @ np.cov(b.T)).real
    expected = np.sum((a.mean(0) - b.mean(0)) ** 2) + np.trace(np.cov(a.T) + np.cov(b.T) - 2 * root)
    assert frechet_distance(moments_of(a), moments_of(b)) == pytest.approx(expected, rel=1e-9)


def test_distance_of_independent_components_has_its_closed_form() -> None:
    a, b = gaussian([0, 1, 2], [1, 2, 0]), gaussian([3, 1, 0], [4, 0.5, 1])
    expected = (9 + 0 + 4) + (9 + 2.25 + 1)
    assert frechet_distance(a, b) == pytest.approx(expected)
    assert frechet_distance(b, a) == pytest.approx(expected)


def test_fewer_vectors_than_components_do_no_harm() -> None:
    vectors = np.random.default_rng(1).normal(size=(5, 40))
    assert frechet_distance(moments_of(vectors), moments_of(vectors)) < 1e-6
    shifted = frechet_distance(moments_of(vectors), moments_of(vectors + 2))
    assert shifted == pytest.approx(40 * 4)


def test_moments_in_pieces_are_numpys() -> None:
    vectors = np.random.default_rng(2).normal(1e6, 1, (100, 7))
    left, right = Moments(7), Moments(7)
    for piece in (vectors[:1], vectors[1:1], vectors[1:40]):
        left.add(piece)
    right.add(vectors[40:])
    left.merge(right)
    left.merge(Moments(7))
    assert left.count == 100
    np.testing.assert_allclose(left.mean, vectors.mean(0), rtol=1e-12)
    np.testing.assert_allclose(left.covariance, np.cov(vectors.T), atol=1e-7)


def test_one_vector_has_no_covariance() -> None:
    with pytest.raises(ConfigError, match="1 feature vectors"):
        frechet_distance(moments_of(np.zeros((1, 3))), moments_of(np.zeros((4, 3))))
