"""The pipeline: every batch is a function of the seed and its position."""

import numpy as np

from keras_jpeg_gan.data.degradation import QualityLaw
from keras_jpeg_gan.data.pipeline import PatchLaw, batches, example

LAW = PatchLaw(32, 2.0, QualityLaw(5, 95), {"4:2:0": 1.0})
SOURCE = [np.random.default_rng(i).integers(0, 256, (48, 64, 3), np.uint8) for i in range(5)]


def first(count: int, **options: int) -> list[dict[str, np.ndarray]]:
    dataset = batches(SOURCE, LAW, **{"seed": 1, "batch": 4, **options})
    return list(dataset.take(count).as_numpy_iterator())


def test_batches_are_the_examples_in_order() -> None:
    for step, batch in enumerate(first(3)):
        np.testing.assert_array_equal(batch["position"], 4 * step + np.arange(4))
        for i in range(4):
            original, compressed, tables = example(SOURCE, LAW, 1, 4 * step + i)
            np.testing.assert_array_equal(batch["original"][i], original)
            np.testing.assert_array_equal(batch["compressed"][i], compressed)
            np.testing.assert_array_equal(batch["tables"][i], tables)


def test_a_later_start_gives_the_same_batches() -> None:
    for expected, got in zip(first(4)[2:], first(2, first_step=2), strict=True):
        for key in expected:
            np.testing.assert_array_equal(expected[key], got[key])


def test_seeds_differ() -> None:
    one, two = first(1)[0], first(1, seed=2)[0]
    assert (one["original"] != two["original"]).any()
