"""Improved precision and recall of one set of feature vectors against another."""

from collections.abc import Iterator

import numpy as np

from keras_jpeg_gan.errors import ConfigError

_ROWS = 1000  # of distances at once


def precision_recall(real: np.ndarray, fake: np.ndarray, k: int = 3) -> tuple[float, float]:
    """Kynkäänniemi et al. 2019: which share of a set lies within the other's reach.

    A set reaches all that is no farther from one of its vectors than that vector's k-th nearest
    neighbour in the set (itself not counted).

    Args:
        real, fake: [N, d] and [M, d].
        k: as above.

    Returns:
        Precision, the share of fake within real's reach, and recall, the other way round.

    Raises:
        ConfigError: a set has no k neighbours.
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
    """Squared distances of some vectors of `a` after the other: [_ROWS or fewer, M]."""
    squares = (b * b).sum(axis=1)
    for start in range(0, len(a), _ROWS):
        part = a[start : start + _ROWS]
        yield np.maximum((part * part).sum(axis=1)[:, None] + squares - 2 * part @ b.T, 0)
