"""Kernel distance between two sets of feature vectors, with an error bar."""

import numpy as np

from keras_jpeg_gan.errors import ConfigError


def kid(
    a: np.ndarray, b: np.ndarray, subsets: int = 100, size: int = 1000, seed: int = 0
) -> tuple[float, float]:
    """Squared maximum mean discrepancy with the kernel (x.y / d + 1)^3 (Binkowski et al. 2018).

    The estimate is unbiased: its mean is 0 when both sets come from the same distribution, so it
    may be negative.

    Args:
        a, b: [N, d] and [M, d].
        subsets: how many random subsets are averaged over.
        size: vectors that a subset takes from each set, without repetition; at most all.
        seed: determines the subsets.

    Returns:
        The mean over the subsets and their standard deviation, the error of a single subset.

    Raises:
        ConfigError: a set has fewer than two vectors.
    """
    size = min(size, len(a), len(b))
    if size < 2:
        raise ConfigError(f"{size} feature vectors: a kernel distance needs two or more")
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    rng = np.random.default_rng(seed)
    estimates = [
        _estimate(a[rng.choice(len(a), size, False)], b[rng.choice(len(b), size, False)])
        for _ in range(subsets)
    ]
    return float(np.mean(estimates)), float(np.std(estimates))


def _estimate(a: np.ndarray, b: np.ndarray) -> float:
    count = len(a)
    within = [(_kernel(x, x).sum() - _diagonal(x).sum()) / (count * (count - 1)) for x in (a, b)]
    return sum(within) - 2 * _kernel(a, b).mean()


def _kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    linear = a @ b.T / a.shape[1] + 1
    return linear * linear * linear  # many times faster than a power


def _diagonal(a: np.ndarray) -> np.ndarray:
    return ((a * a).sum(axis=1) / a.shape[1] + 1) ** 3
