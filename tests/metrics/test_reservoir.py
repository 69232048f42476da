"""A reservoir is a uniform sample, the same however it came in."""

import numpy as np

from keras_jpeg_gan.metrics import Moments, Reservoir


def numbers(reservoir: Reservoir) -> list[int]:
    return sorted(int(v[0]) for v in reservoir.vectors)


def test_all_while_there_is_room() -> None:
    reservoir = Reservoir(1, 10)
    reservoir.add(np.arange(7.0)[:, None])
    assert numbers(reservoir) == list(range(7))


def test_each_is_kept_as_often() -> None:
    hits = np.zeros(40)
    for seed in range(600):
        reservoir = Reservoir(1, 10, seed)
        reservoir.add(np.arange(40.0)[:, None])
        hits[numbers(reservoir)] += 1
    # 150 each, by a binomial law of variance 112; the sum of 40 squares is near chi-square.
    assert ((hits - 150) ** 2 / 112.5).sum() < 80  # beyond it: 2 in 10,000
    assert hits.sum() == 6000


def test_pieces_and_a_rest_make_no_difference() -> None:
    vectors = np.random.default_rng(0).normal(size=(50, 3))
    whole, pieces = Reservoir(3, 10), Reservoir(3, 10)
    whole.add(vectors)
    for start in range(0, 50, 7):
        pieces.add(vectors[start : start + 7])
        pieces = Reservoir.from_state(pieces.state())
    np.testing.assert_array_equal(pieces.vectors, whole.vectors)
    assert pieces.count == whole.count == 50


def test_moments_survive() -> None:
    vectors = np.random.default_rng(0).normal(size=(50, 3))
    whole, pieces = Moments(3), Moments(3)
    for part in (vectors[:20], vectors[20:]):
        whole.add(part)
        pieces.add(part)
        pieces = Moments.from_state(pieces.state())
    np.testing.assert_array_equal(pieces.gaussian().covariance, whole.gaussian().covariance)
    np.testing.assert_array_equal(pieces.gaussian().mean, whole.gaussian().mean)
