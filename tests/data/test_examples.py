"""Examples: functions of seed and position, whoever makes them; levels are the file's."""

import dataclasses
import itertools
import subprocess
import sys
import types

import numpy as np
import pytest

from keras_jpeg_gan.data.degradation import ExponentialLaw, QualityLaw
from keras_jpeg_gan.data.examples import (
    LEVELS,
    PatchLaw,
    example,
    example_batch,
    stream,
    worker_positions,
)
from keras_jpeg_gan.data.sources import UnreadableImageError
from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.jpeg.encoder import quantize
from keras_jpeg_gan.jpeg.sampling import PILLOW_COLOR, Sampling

HALVED = Sampling.parse("4:2:0")
LAW = PatchLaw(32, 2.0, QualityLaw(5, 95), {HALVED: 1.0, Sampling.parse("4:4:4"): 1.0})
SOURCE = [np.random.default_rng(i).integers(0, 256, (48, 64, 3), np.uint8) for i in range(5)]


class Flawed:
    """A source of which some images cannot be read."""

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
    made = list(itertools.islice(stream(SOURCE, LAW, 1, 4, first_step=2, threads=threads), 3))
    positions = np.concatenate([batch["position"] for batch in made])
    np.testing.assert_array_equal(positions, np.arange(8, 20))
    for batch in made:
        expected = example_batch(SOURCE, LAW, 1, batch["position"].tolist())
        for name, value in expected.items():
            np.testing.assert_array_equal(batch[name], value)


def test_workers_positions_part_every_batch() -> None:
    for step in (0, 7):
        parts = [worker_positions(step, 12, worker, 3) for worker in range(3)]
        assert [*itertools.chain(*parts)] == [*worker_positions(step, 12)]
        assert {len(part) for part in parts} == {4}
    for batch, worker, workers in ((7, 0, 2), (8, 2, 2), (8, -1, 2), (0, 0, 1)):
        with pytest.raises(ConfigError, match="no even share"):
            worker_positions(0, batch, worker, workers)


@pytest.mark.parametrize("sampling", PILLOW_COLOR, ids=str)
def test_levels_are_those_of_libjpegs_encoder(sampling: Sampling) -> None:
    law = dataclasses.replace(LAW, sampling={sampling: 1.0}, other_tables=0.5, levels=True)
    for position in range(12):
        drawn = example(SOURCE, law, 3, position)
        luma, chroma = drawn["tables"]
        expected = quantize(drawn["original"], (luma, chroma, chroma), sampling)
        for name, levels in zip(LEVELS, expected.levels, strict=True):
            assert drawn[name].dtype == np.int16
            np.testing.assert_array_equal(drawn[name], levels)


def test_levels_change_nothing_else() -> None:
    law = dataclasses.replace(LAW, sampling={HALVED: 1.0})
    plain = example(SOURCE, law, 3, 5)
    more = example(SOURCE, dataclasses.replace(law, levels=True), 3, 5)
    assert set(more) - set(plain) == set(LEVELS)
    for name, value in plain.items():
        np.testing.assert_array_equal(more[name], value)


def test_upright_patches_keep_their_rows() -> None:
    rows = np.repeat(np.arange(0, 192, 4, dtype=np.uint8)[:, None, None], 64, axis=1)
    image = np.repeat(rows, 3, axis=2)
    law = dataclasses.replace(LAW, upright=True)
    for position in range(12):
        down = example([image], law, 0, position)["original"].astype(int).mean(axis=(1, 2))
        assert (np.diff(down) > 0).all()


def test_unreadable_images_are_passed_over() -> None:
    for position in range(20):
        drawn = example(Flawed({0, 2, 3}), LAW, 0, position)["original"]
        assert drawn.min() == drawn.max()
        assert drawn[0, 0, 0] in (1, 4)
    with pytest.raises(UnreadableImageError, match="cannot be read"):
        example(Flawed(set(range(5))), LAW, 0, 0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"sampling": {Sampling.parse("4:1:1"): 1.0}},
        {"other_tables": 1.5},
        {"soft_chroma": -0.1},
        {"levels": True},
    ],
)
def test_impossible_laws_are_refused(wrong: dict) -> None:
    with pytest.raises(ConfigError):
        dataclasses.replace(LAW, **wrong)


def test_a_config_describes_a_law() -> None:
    config = types.SimpleNamespace(
        patch=32,
        max_scale=2.0,
        quality_law="skewed",
        quality_low=5,
        quality_high=50,
        quality_skew=2.0,
        quality_mean=10.0,
        sampling={"4:2:0": 1.0},
        other_tables=0.1,
        upright=True,
        soft_chroma=0.5,
    )
    expected = PatchLaw(32, 2.0, QualityLaw(5, 50, 2.0), {HALVED: 1.0}, 0.1, True, 0.5)
    assert PatchLaw.from_config(config) == expected
    config.quality_law = "exponential"
    assert PatchLaw.from_config(config).quality == ExponentialLaw(5, 50, 10.0)
    config.quality_law = "gamma"
    with pytest.raises(ConfigError, match="gamma"):
        PatchLaw.from_config(config)


def test_examples_and_sources_load_no_framework() -> None:
    code = (
        "import sys, keras_jpeg_gan.data.catalog, keras_jpeg_gan.data.examples\n"
        "sys.exit(', '.join({'keras', 'jax', 'tensorflow'} & set(sys.modules)) or 0)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
