"""The pipeline: every batch depends on the seed and its position alone."""

import numpy as np

from keras_jpeg_gan.data.degradation import SkewedQualities
from keras_jpeg_gan.data.examples import PatchDistribution, example
from keras_jpeg_gan.data.pipeline import batches
from keras_jpeg_gan.jpeg.sampling import Sampling

PATCHES = PatchDistribution(32, 2.0, SkewedQualities(5, 95), {Sampling.parse("4:2:0"): 1.0})
SOURCE = [np.random.default_rng(i).integers(0, 256, (48, 64, 3), np.uint8) for i in range(5)]


def first(count: int, **options: int) -> list[dict[str, np.ndarray]]:
    dataset = batches(SOURCE, PATCHES, **{"seed": 1, "batch": 4, **options})
    return list(dataset.take(count).as_numpy_iterator())


def test_batches_are_the_examples_in_order() -> None:
    for step, batch in enumerate(first(3)):
        np.testing.assert_array_equal(batch["position"], 4 * step + np.arange(4))
        for i in range(4):
            for name, value in example(SOURCE, PATCHES, 1, 4 * step + i).items():
                np.testing.assert_array_equal(batch[name][i], value)


def test_a_later_start_gives_the_same_batches() -> None:
    for expected, got in zip(first(4)[2:], first(2, first_step=2), strict=True):
        for key in expected:
            np.testing.assert_array_equal(expected[key], got[key])


def test_seeds_differ() -> None:
    one, two = first(1)[0], first(1, seed=2)[0]
    assert (one["original"] != two["original"]).any()


def test_two_workers_together_see_what_one_sees() -> None:
    whole = first(3, batch=6)
    parts = [first(3, batch=6, worker=worker, workers=2) for worker in range(2)]
    for expected, *got in zip(whole, *parts, strict=True):
        for name, value in expected.items():
            assert got[0][name].shape == (3, *value.shape[1:])
            np.testing.assert_array_equal(np.concatenate([part[name] for part in got]), value)


def test_shapes_are_static() -> None:
    spec = batches(SOURCE, PATCHES, 1, 4).element_spec
    assert spec["original"].shape == (4, 32, 32, 3)
    assert spec["tables"].shape == (4, 2, 8, 8)
    assert spec["sampling"].shape == spec["position"].shape == (4,)
