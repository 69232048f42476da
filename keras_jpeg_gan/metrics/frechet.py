"""Fréchet distance of two sets of feature vectors, seen as Gaussians, from streamed moments."""

from collections.abc import Mapping

import numpy as np

from keras_jpeg_gan.errors import ConfigError


class Moments:
    """Mean and covariance of vectors that pass by; memory does not grow with their number.

    Sums of squares are kept about the mean and joined as Chan, Golub and LeVeque (1979) do, so
    that nothing cancels where the mean is large.

    Args:
        size: components of a vector.

    Attributes:
        count: vectors so far.
        mean: [size] float64.
        scatter: [size, size] float64, sum of the outer squares of the deviations from the mean.
    """

    def __init__(self, size: int) -> None:
        self.count = 0
        self.mean = np.zeros(size)
        self.scatter = np.zeros((size, size))

    def add(self, vectors: np.ndarray) -> None:
        """Take in vectors [N, size]."""
        if len(vectors):
            vectors = np.asarray(vectors, np.float64)
            mean = vectors.mean(axis=0)
            centred = vectors - mean
            self._join(len(vectors), mean, centred.T @ centred)

    def merge(self, other: "Moments") -> None:
        """Take in all that another one has seen."""
        if other.count:
            self._join(other.count, other.mean, other.scatter)

    def _join(self, count: int, mean: np.ndarray, scatter: np.ndarray) -> None:
        total = self.count + count
        difference = mean - self.mean
        weight = self.count * count / total
        self.scatter = self.scatter + scatter + weight * np.outer(difference, difference)
        self.mean = self.mean + difference * (count / total)
        self.count = total

    def state(self) -> dict[str, np.ndarray]:
        """All that `from_state` needs."""
        return {"count": np.array(self.count), "mean": self.mean, "scatter": self.scatter}

    @classmethod
    def from_state(cls, state: Mapping[str, np.ndarray]) -> "Moments":
        """As they were."""
        moments = cls(len(state["mean"]))
        moments.count = int(state["count"])
        moments.mean, moments.scatter = state["mean"], state["scatter"]
        return moments

    @property
    def covariance(self) -> np.ndarray:
        """[size, size], unbiased.

        Raises:
            ConfigError: there are fewer than two vectors.
        """
        if self.count < 2:
            raise ConfigError(f"{self.count} feature vectors: a covariance needs two or more")
        return self.scatter / (self.count - 1)


def frechet_distance(a: Moments, b: Moments) -> float:
    """Squared Fréchet (2-Wasserstein) distance of two Gaussians (Dowson and Landau 1982).

    |m_a - m_b|² + tr(S_a + S_b - 2 (S_a S_b)^½). The trace of the root is taken as the sum of
    the singular values of S_a^½ S_b^½, which are real and not negative whatever the rounding
    and whether or not the covariances have full rank.

    Raises:
        ConfigError: a set has fewer than two vectors.
    """
    first, second = a.covariance, b.covariance
    cross = np.linalg.svd(_root(first) @ _root(second), compute_uv=False).sum()
    between = np.sum((a.mean - b.mean) ** 2)
    return max(0.0, float(between + np.trace(first) + np.trace(second) - 2 * cross))


def _root(covariance: np.ndarray) -> np.ndarray:
    """The symmetric root of a symmetric matrix without negative eigenvalues but by rounding."""
    values, vectors = np.linalg.eigh(covariance)
    return (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
