"""Fréchet distance between two sets of feature vectors, taken as Gaussians."""

import dataclasses
import functools
import pathlib
from collections.abc import Mapping

import numpy as np

from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.system import read_npz


@dataclasses.dataclass(frozen=True)
class Gaussian:
    """A mean and a covariance; the covariance's root is computed once, when first needed.

    Attributes:
        mean: [size] float64.
        covariance: [size, size] float64, symmetric.
    """

    mean: np.ndarray
    covariance: np.ndarray

    @classmethod
    def load(cls, path: pathlib.Path) -> "Gaussian":
        """Read precomputed statistics in TTUR's format: an .npz with `mu` and `sigma`.

        Raises:
            ConfigError: the file cannot be read, or holds something else.
        """
        try:
            arrays = read_npz(path)
            mean, covariance = (np.asarray(arrays[name], float) for name in ("mu", "sigma"))
        except (OSError, ValueError, KeyError) as error:
            raise ConfigError(f"{path}: no statistics with mu and sigma ({error})") from error
        if mean.ndim != 1 or covariance.shape != (mean.size, mean.size):
            raise ConfigError(f"{path}: mu is {mean.shape} and sigma {covariance.shape}")
        return cls(mean, covariance)

    @functools.cached_property
    def root(self) -> np.ndarray:
        """The symmetric square root of the covariance: [size, size]."""
        values, vectors = np.linalg.eigh(self.covariance)
        return (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T


class Moments:
    """Mean and covariance of a stream of vectors, in memory that does not grow with it.

    Vectors are collected into blocks of `BLOCK`, since an update touches all of the covariance.
    Squares are summed about the mean and joined as in Chan, Golub and LeVeque (1979), so that
    nothing cancels where the mean is large.

    Args:
        size: components of a vector.

    Attributes:
        count: vectors so far.
    """

    BLOCK = 512

    def __init__(self, size: int) -> None:
        self.count = 0
        self._mean = np.zeros(size)
        self._scatter = np.zeros((size, size))
        self._waiting: np.ndarray = np.empty((0, size))

    def add(self, vectors: np.ndarray) -> None:
        """Add vectors [N, size]."""
        self.count += len(vectors)
        waiting = np.concatenate([self._waiting, vectors])
        while len(waiting) >= self.BLOCK:
            self._join(waiting[: self.BLOCK], self.count - len(waiting))
            waiting = waiting[self.BLOCK :]
        self._waiting = waiting.copy()

    def _join(self, vectors: np.ndarray, before: int) -> None:
        count = len(vectors)
        mean = vectors.mean(axis=0)
        centred = vectors - mean
        difference = mean - self._mean
        weight = before * count / (before + count)
        self._scatter += centred.T @ centred
        self._scatter += np.outer(weight * difference, difference)
        self._mean = self._mean + difference * (count / (before + count))

    def gaussian(self) -> Gaussian:
        """The Gaussian with these moments; the covariance is the unbiased one.

        Raises:
            ConfigError: there are fewer than two vectors.
        """
        if self.count < 2:
            raise ConfigError(f"{self.count} feature vectors: a covariance needs two or more")
        whole = Moments.from_state(self.state())
        if len(whole._waiting):
            whole._join(whole._waiting, whole.count - len(whole._waiting))
        return Gaussian(whole._mean, whole._scatter / (self.count - 1))

    def state(self) -> dict[str, np.ndarray]:
        """Everything that `from_state` needs."""
        return {
            "count": np.array(self.count),
            "mean": self._mean.copy(),
            "scatter": self._scatter.copy(),
            "waiting": self._waiting.copy(),
        }

    @classmethod
    def from_state(cls, state: Mapping[str, np.ndarray]) -> "Moments":
        """The moments that `state` came from."""
        moments = cls(0)
        moments.count = int(state["count"])
        moments._mean, moments._scatter = state["mean"], state["scatter"]
        moments._waiting = state["waiting"]
        return moments


def frechet_distance(a: Gaussian, b: Gaussian) -> float:
    """Squared Fréchet (2-Wasserstein) distance between Gaussians (Dowson and Landau 1982).

    |m_a - m_b|² + tr(S_a + S_b - 2 (S_b^½ S_a S_b^½)^½). The matrix under the root is symmetric,
    so the trace is the sum of the square roots of its eigenvalues, whether or not the
    covariances have full rank; eigenvalues within rounding of zero count as zero.

    Args:
        a: one set.
        b: the set that others are compared with too: its root is computed once.

    Raises:
        ConfigError: the sets' features differ in size.
    """
    if a.mean.size != b.mean.size:
        raise ConfigError(f"features of {a.mean.size} components against {b.mean.size}")
    values = np.linalg.eigvalsh(b.root @ a.covariance @ b.root)
    values[values < values.max(initial=0) * values.size * np.finfo(float).eps] = 0
    between = np.sum((a.mean - b.mean) ** 2)
    traces = np.trace(a.covariance) + np.trace(b.covariance)
    return max(0.0, float(between + traces - 2 * np.sqrt(values).sum()))
