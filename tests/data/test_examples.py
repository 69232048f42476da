"""Examples depend on seed and position alone, whoever makes them."""

import dataclasses
import itertools
import subprocess
import sys
import types

import numpy as np
import pytest

from keras_jpeg_gan.data.degradation import ExponentialQualities, SkewedQualities, degrade
from keras_jpeg_gan.data.examples import (
    PatchDistribution,
    example,
    example_batch,
    stream,
    worker_positions,
)
from keras_jpeg_gan.data.sources import UnreadableImageError
from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.jpeg.sampling import Sampling

HALVED, NARROW, WHOLE = map(Sampling.parse, ("4:2:0", "4:2:2", "4:4:4"))
PATCHES = PatchDistribution(32, 2.0, SkewedQualities(5, 95), {HALVED: 1.0, WHOLE: 1.0})
SOURCE = [np.random.default_rng(i).integers(0, 256, (48, 64, 3), np.uint8) for i in range(5)]


class Flawed:
    """A source some of whose images cannot be read."""

    def __init__(self, unreadable: set[int]) -> None:
        self.unreadable = unreadable

    def __len__(self) -> int:
        return len(SOURCE)

    def __getitem__(self, index: int) -> np.ndarray:
        if index in self.unreadable:
            raise UnreadableImageError(f"{index}.png: cannot be read")
        return np.full((40, 40, 3), index, np.uint8)


@pytest.mark.parametrize("threads", [1, 3])
def test_the_stream_is_the_examples_in_order(threads: int) -> None:
    made = list(itertools.islice(stream(SOURCE, PATCHES, 1, 4, first_step=2, threads=threads), 3))
    positions = np.concatenate([batch["position"] for batch in made])
    np.testing.assert_array_equal(positions, np.arange(8, 20))
    for batch in made:
        expected = example_batch(SOURCE, PATCHES, 1, batch["position"].tolist())
        for name, value in expected.items():
            np.testing.assert_array_equal(batch[name], value)


def test_workers_share_the_positions_of_every_batch() -> None:
    for step in (0, 7):
        parts = [worker_positions(step, 12, worker, 3) for worker in range(3)]
        assert [*itertools.chain(*parts)] == [*worker_positions(step, 12)]
        assert {len(part) for part in parts} == {4}
    for batch, worker, workers in ((7, 0, 2), (8, 2, 2), (8, -1, 2), (0, 0, 1)):
        with pytest.raises(ConfigError, match="no even share"):
            worker_positions(0, batch, worker, workers)


def test_upright_patches_keep_their_rows() -> None:
    rows = np.repeat(np.arange(0, 192, 4, dtype=np.uint8)[:, None, None], 64, axis=1)
    image = np.repeat(rows, 3, axis=2)
    patches = dataclasses.replace(PATCHES, upright=True)
    for position in range(12):
        down = example([image], patches, 0, position)["original"].astype(int).mean(axis=(1, 2))
        assert (np.diff(down) > 0).all()


def test_unreadable_images_are_skipped() -> None:
    for position in range(20):
        drawn = example(Flawed({0, 2, 3}), PATCHES, 0, position)["original"]
        assert drawn.min() == drawn.max()
        assert drawn[0, 0, 0] in (1, 4)
    with pytest.raises(UnreadableImageError, match="cannot be read"):
        example(Flawed(set(range(5))), PATCHES, 0, 0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"sampling": {Sampling.parse("4:1:1"): 1.0}},
        {"other_tables": 1.5},
        {"soft_chroma": -0.1},
        {"resaved": 2},
    ],
)
def test_impossible_distributions_are_refused(wrong: dict) -> None:
    with pytest.raises(ConfigError):
        dataclasses.replace(PATCHES, **wrong)


def test_a_config_describes_a_distribution() -> None:
    config = types.SimpleNamespace(
        patch=32,
        max_scale=2.0,
        patch_scale="uniform",
        quality_distribution="skewed",
        quality_low=5,
        quality_high=50,
        quality_skew=2.0,
        quality_mean=10.0,
        sampling={"4:2:0": 1.0},
        other_tables=0.1,
        upright=True,
        soft_chroma=0.5,
        resaved=0.25,
    )
    quality = SkewedQualities(5, 50, 2.0)
    expected = PatchDistribution(32, 2.0, quality, {HALVED: 1.0}, 0.1, True, 0.5, "uniform", 0.25)
    assert PatchDistribution.from_config(config) == expected
    config.quality_distribution = "exponential"
    assert PatchDistribution.from_config(config).quality == ExponentialQualities(5, 50, 10.0)
    config.quality_distribution = "gamma"
    with pytest.raises(ConfigError, match="gamma"):
        PatchDistribution.from_config(config)


def test_resaved_patches_have_their_share_and_leave_the_others_alone() -> None:
    patches = dataclasses.replace(PATCHES, resaved=0.5)
    pairs = [(example(SOURCE, PATCHES, 0, k), example(SOURCE, patches, 0, k)) for k in range(24)]
    for once, twice in pairs:
        assert np.array_equal(once["original"], twice["original"])
        assert twice["compressed"].shape == once["compressed"].shape
    same = [np.array_equal(once["compressed"], twice["compressed"]) for once, twice in pairs]
    assert 4 < sum(same) < 20


def test_an_example_names_its_sampling() -> None:
    mix = {WHOLE: 1.0, HALVED: 1.0, NARROW: 0.0}
    patches = dataclasses.replace(PATCHES, quality=SkewedQualities(30, 30), sampling=mix)
    seen = set()
    for position in range(12):
        drawn = example(SOURCE, patches, 1, position)
        sampling = (HALVED, NARROW, WHOLE)[drawn["sampling"]]
        expected, _ = degrade(drawn["original"], 30, sampling)
        np.testing.assert_array_equal(drawn["compressed"], expected)
        seen.add(sampling)
    assert seen == {HALVED, WHOLE}


def test_examples_and_sources_load_no_framework() -> None:
    code = (
        "import sys, keras_jpeg_gan.data.catalog, keras_jpeg_gan.data.examples\n"
        "sys.exit(', '.join({'keras', 'jax', 'tensorflow'} & set(sys.modules)) or 0)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
