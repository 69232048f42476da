"""Fréchet distance: SciPy's matrix root, closed forms of Gaussians, moments in pieces."""

import pathlib

import numpy as np
import pytest
import scipy.linalg

from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.metrics import frechet
from keras_jpeg_gan.metrics.frechet import Gaussian, Moments, frechet_distance


def gaussian_of(vectors: np.ndarray) -> Gaussian:
    moments = Moments(vectors.shape[1])
    moments.add(vectors)
    return moments.gaussian()


def independent(mean: list[float], deviations: list[float]) -> Gaussian:
    return Gaussian(np.array(mean, float), np.diag(np.square(deviations)))


def test_distance_is_scipys() -> None:
    rng = np.random.default_rng(0)
    a = rng.normal(size=(500, 12)) @ rng.normal(size=(12, 12)) + 3
    b = rng.normal(size=(300, 12)) @ rng.normal(size=(12, 12))
    root = scipy.linalg.sqrtm(np.cov(a.T) @ np.cov(b.T)).real
    expected = np.sum((a.mean(0) - b.mean(0)) ** 2) + np.trace(np.cov(a.T) + np.cov(b.T) - 2 * root)
    assert frechet_distance(gaussian_of(a), gaussian_of(b)) == pytest.approx(expected, rel=1e-9)


def test_distance_of_independent_components_has_its_closed_form() -> None:
    a, b = independent([0, 1, 2], [1, 2, 0]), independent([3, 1, 0], [4, 0.5, 1])
    expected = (9 + 0 + 4) + (9 + 2.25 + 1)
    assert frechet_distance(a, b) == pytest.approx(expected)
    assert frechet_distance(b, a) == pytest.approx(expected)


def test_fewer_vectors_than_components_do_no_harm() -> None:
    vectors = np.random.default_rng(1).normal(size=(5, 40))
    assert frechet_distance(gaussian_of(vectors), gaussian_of(vectors)) < 1e-6
    shifted = frechet_distance(gaussian_of(vectors), gaussian_of(vectors + 2))
    assert shifted == pytest.approx(40 * 4)


def test_a_references_root_is_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    reference = independent([0, 0], [1, 2])
    expected = frechet_distance(independent([0, 1], [2, 2]), reference)

    def again(matrix: np.ndarray) -> None:
        raise AssertionError("the root was computed again")

    monkeypatch.setattr(frechet.np.linalg, "eigh", again)
    assert frechet_distance(independent([0, 1], [2, 2]), reference) == expected == 1 + 1


def test_moments_in_pieces_are_numpys() -> None:
    """Blocks fill in the middle of a piece, and are left unfinished by a saved state."""
    vectors = np.random.default_rng(2).normal(1e6, 1, (3 * Moments.BLOCK + 100, 7))
    moments = Moments(7)
    for piece in np.split(vectors, [1, 1, 40, 1200, 1500]):
        moments.add(piece)
        moments = Moments.from_state(moments.state())
    assert moments.count == len(vectors)
    for _ in range(2):  # asking changes nothing
        np.testing.assert_allclose(moments.gaussian().mean, vectors.mean(0), rtol=1e-12)
        np.testing.assert_allclose(moments.gaussian().covariance, np.cov(vectors.T), atol=1e-7)


def test_moments_do_not_depend_on_how_the_vectors_came() -> None:
    vectors = np.random.default_rng(3).normal(size=(1300, 5))
    one_by_one = Moments(5)
    for vector in vectors:
        one_by_one.add(vector[None])
    together = gaussian_of(vectors)
    np.testing.assert_array_equal(one_by_one.gaussian().covariance, together.covariance)
    np.testing.assert_array_equal(one_by_one.gaussian().mean, together.mean)


def test_one_vector_has_no_covariance() -> None:
    with pytest.raises(ConfigError, match="1 feature vectors"):
        gaussian_of(np.zeros((1, 3)))


def test_sizes_must_agree() -> None:
    with pytest.raises(ConfigError, match="2 components against 3"):
        frechet_distance(independent([0, 0], [1, 1]), independent([0, 0, 0], [1, 1, 1]))


def test_statistics_in_ttur_format(tmp_path: pathlib.Path) -> None:
    rng = np.random.default_rng(4)
    vectors = rng.normal(size=(30, 4))
    np.savez(tmp_path / "good.npz", mu=vectors.mean(0), sigma=np.cov(vectors, rowvar=False))
    loaded = Gaussian.load(tmp_path / "good.npz")
    assert frechet_distance(gaussian_of(vectors), loaded) == pytest.approx(0, abs=1e-9)
    np.savez(tmp_path / "other.npz", mu=vectors)
    np.savez(tmp_path / "odd.npz", mu=vectors, sigma=vectors)
    (tmp_path / "broken.npz").write_bytes(b"nothing")
    (tmp_path / "empty.npz").write_bytes(b"")
    for name in ("other", "odd", "broken", "empty", "none"):
        with pytest.raises(ConfigError, match=rf"{name}\.npz"):
            Gaussian.load(tmp_path / f"{name}.npz")
