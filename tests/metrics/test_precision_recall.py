"""Precision and recall against brute force and where they are known."""

import numpy as np
import pytest

from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.metrics import precision_recall

rng = np.random.default_rng(0)
REAL, FAKE = rng.normal(0, 1, (60, 2)), rng.normal(0.7, 0.6, (50, 2))


def share(vectors: np.ndarray, of: np.ndarray, k: int) -> float:
    reach = [sorted(np.linalg.norm(of - x, axis=1))[k] for x in of]
    hits = [
        any(np.linalg.norm(v - x) <= r for x, r in zip(of, reach, strict=True)) for v in vectors
    ]
    return float(np.mean(hits))


@pytest.mark.parametrize("k", [1, 3])
def test_brute_force(k: int) -> None:
    precision, recall = precision_recall(REAL, FAKE, k)
    assert precision == share(FAKE, REAL, k)
    assert recall == share(REAL, FAKE, k)


def test_many_rows_are_as_few(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = precision_recall(REAL, FAKE)
    monkeypatch.setitem(precision_recall.__globals__, "_ROWS", 7)
    assert precision_recall(REAL, FAKE) == whole


def test_equal_sets_and_disjoint_ones() -> None:
    assert precision_recall(REAL, REAL) == (1, 1)
    assert precision_recall(REAL, FAKE + 100) == (0, 0)


def test_a_point_that_all_fakes_sit_on() -> None:
    fakes = np.repeat(REAL[:1], 20, axis=0)
    assert precision_recall(REAL, fakes) == (1, 1 / 60)


def test_too_few() -> None:
    with pytest.raises(ConfigError, match="more than 3"):
        precision_recall(REAL, FAKE[:3])
