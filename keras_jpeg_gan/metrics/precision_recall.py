"""Improved precision and recall between two sets of feature vectors."""

from collections.abc import Iterator

import numpy as np

from keras_jpeg_gan.errors import ConfigError

_ROWS = 1000  # rows of the distance matrix held at once


def precision_recall(real: np.ndarray, fake: np.ndarray, k: int = 3) -> tuple[float, float]:
    """The share of each set within the other's reach (Kynkäänniemi et al. 2019).

    A set reaches every point that is no farther from one of its vectors than that vector's k-th
    nearest neighbour in the set, not counting itself.

    Args:
        real, fake: [N, d] and [M, d].
        k: as above.

    Returns:
        Precision, the share of `fake` within reach of `real`, and recall, the reverse.

    Raises:
        ConfigError: a set has k vectors or fewer.
    """
    if min(len(real), len(fake)) <= k:
        raise ConfigError(f"{min(len(real), len(fake))} feature vectors: more than {k} are needed")
    real, fake = np.asarray(real, np.float64), np.asarray(fake, np.float64)
    return _share(fake, real, k), _share(real, fake, k)


def _share(vectors: np.ndarray, of: np.ndarray, k: int) -> float:
    reach = np.concatenate(
        [np.partition(part, k, axis=1)[:, k] for part in _distances(of, of)]  # 0 is itself
    )
    within = [(part <= reach).any(axis=1) for part in _distances(vectors, of)]
    return float(np.concatenate(within).mean())


def _distances(a: np.ndarray, b: np.ndarray) -> Iterator[np.ndarray]:
    """Squared distances from the vectors of `a` to those of `b`, at most [_ROWS, M] at a time."""
    squares = (b * b).sum(axis=1)
    for start in range(0, len(a), _ROWS):
        part = a[start : start + _ROWS]
        yield np.maximum((part * part).sum(axis=1)[:, None] + squares - 2 * part @ b.T, 0)
