"""Training on TensorFlow: it learns, resumes exactly, and refuses what it cannot do."""

import dataclasses
import json
import pathlib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.models import critic
from keras_jpeg_gan.models.presets import PRESETS
from keras_jpeg_gan.training import checkpoints
from keras_jpeg_gan.training.tensorflow.run import check_shares, strategy_for, train
from keras_jpeg_gan.training.tensorflow.steps import RegressionStep, SamplerStep
from keras_jpeg_gan.versions import code_sha256
from tests.training.tiny import TINY, regression_config, sampler_config, write_images


@pytest.fixture(autouse=True)
def small_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PRESETS, "tiny", TINY)
    monkeypatch.setattr(critic, "STAGES", (1, 1, 1, 1))


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    return write_images(tmp_path_factory.mktemp("images"))


def test_learns_to_beat_libjpeg(images: pathlib.Path, tmp_path: pathlib.Path) -> None:
    config = regression_config(images, steps=150, validate_every=150, checkpoint_every=150, ema=0.9,
                         learning_rate=5e-3, quality_high=10, sampling={"4:2:0": 1.0})  # fmt: skip
    assert train(config, tmp_path)["gain_q10"] > 0.2
    assert (tmp_path / "generator.weights.h5").is_file()
    assert (tmp_path / "metrics.jsonl").read_text().count('"loss"') == 37


def test_a_resumed_run_equals_an_uninterrupted_one(
    images: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(regression_config(images), tmp_path / "whole")
    original = RegressionStep.__call__
    calls = iter(range(100))

    def interrupt(self: RegressionStep, *arguments: object) -> object:
        if next(calls) == 5:
            raise KeyboardInterrupt
        return original(self, *arguments)

    monkeypatch.setattr(RegressionStep, "__call__", interrupt)
    with pytest.raises(KeyboardInterrupt):
        train(regression_config(images), tmp_path / "parts")
    assert checkpoints.all_steps(tmp_path / "parts" / "checkpoints") == [4, 5]
    train(regression_config(images), tmp_path / "parts")
    text = (tmp_path / "parts" / "runs.jsonl").read_text()
    starts = [json.loads(line) for line in text.splitlines()]
    assert [start["step"] for start in starts] == [0, 5]
    assert starts[0]["config"]["learning_rate"] == 1e-3
    assert starts[0]["code"] == starts[1]["code"] == code_sha256()
    assert starts[0]["versions"]["tensorflow"] == tf.__version__
    with (
        np.load(tmp_path / "whole" / "checkpoints" / "step_00000008.npz") as whole,
        np.load(tmp_path / "parts" / "checkpoints" / "step_00000008.npz") as parts,
    ):
        assert set(whole.files) == set(parts.files)
        assert any("momentum" in name for name in whole.files)
        for name in whole.files:
            np.testing.assert_array_equal(whole[name], parts[name], err_msg=name)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"images": ""}, "--config.images"),
        ({"loss": "huber"}, "mae"),
        ({"validation_share": 0.0}, "validation_share"),
        ({"quality_low": 0}, "low <= high"),
        ({"validation_size": 4096}, "validation_size"),
    ],
)
def test_wrong_settings_are_named(
    changes: dict, reason: str, images: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    with pytest.raises(ConfigError, match=reason):
        train(regression_config(images, **changes), tmp_path)


def test_another_models_checkpoint_is_refused(
    images: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(regression_config(images, steps=4), tmp_path)
    arguments = {**TINY.arguments, "widths": (4, 4)}
    monkeypatch.setitem(PRESETS, "tiny", dataclasses.replace(TINY, arguments=arguments))
    with pytest.raises(ConfigError, match="start in an empty --workdir"):
        train(regression_config(images), tmp_path)


def test_strategy_mirrors_only_over_several_devices() -> None:
    assert strategy_for(["CPU:0"]).num_replicas_in_sync == 1


@pytest.mark.parametrize(
    ("changes", "replicas", "reason"),
    [({"batch": 6}, 4, "6 for 4 devices"), ({"batch": 12, "moment_images": 4}, 2, "a share, 6")],
)
def test_what_replicas_cannot_share_is_refused(changes: dict, replicas: int, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        check_shares(sampler_config(pathlib.Path(), **changes), replicas)


def test_a_tf_config_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_CONFIG", "worker 1")
    with pytest.raises(ConfigError, match="TF_CONFIG: not understood"):
        strategy_for()


def test_a_sampler_trains_from_a_regression_and_resumes_exactly(
    images: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(regression_config(images, steps=4), tmp_path / "regression")
    weights = str(tmp_path / "regression" / "generator.weights.h5")
    config = sampler_config(
        images, initial_weights=weights, estimate_weights=weights, second_moment_weight=1.0,
        moment_every=1,
    )  # fmt: skip
    figures = train(config, tmp_path / "whole")
    assert set(figures) == {"of_one_q10", "of_mean_q10", "deviation_q10", "consistency_q10"}
    assert (tmp_path / "whole" / "generator.json").read_text().count('"sampler"') >= 1
    original = SamplerStep.__call__

    def interrupt(self: SamplerStep, batch: object, number: int) -> object:
        if number == 2 and not (tmp_path / "parts" / "checkpoints").exists():
            raise KeyboardInterrupt
        return original(self, batch, number)

    monkeypatch.setattr(SamplerStep, "__call__", interrupt)
    with pytest.raises(KeyboardInterrupt):
        train(config, tmp_path / "parts")
    train(config, tmp_path / "parts")
    with (
        np.load(tmp_path / "whole" / "checkpoints" / "step_00000004.npz") as whole,
        np.load(tmp_path / "parts" / "checkpoints" / "step_00000004.npz") as parts,
    ):
        assert set(whole.files) == set(parts.files)
        assert any(name.startswith("critic_optimizer") for name in whole.files)
        for name in whole.files:
            np.testing.assert_array_equal(whole[name], parts[name], err_msg=name)


def test_pictures_and_tensorboard_show_the_training(
    images: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    train(regression_config(images, steps=2, log_every=1), tmp_path / "regression")
    assert not (tmp_path / "regression" / "pictures").exists()
    config = sampler_config(
        images, steps=2, log_every=1, pictures_every=2, pictures=2,
        initial_weights=str(tmp_path / "regression" / "generator.weights.h5"),
    )  # fmt: skip
    train(config, tmp_path / "sampler")
    with Image.open(tmp_path / "sampler" / "pictures" / "step_00000002.png") as picture:
        # Input, regression, three samples and deviation, of two crops.
        assert picture.size == (6 * 32 + 5 * 4, 2 * 32 + 4)
    (events,) = (tmp_path / "sampler" / "tensorboard").iterdir()
    seen: dict[str, list[int]] = {}
    for event in tf.compat.v1.train.summary_iterator(str(events)):
        for value in event.summary.value:
            seen.setdefault(value.tag, []).append(event.step)
    assert seen["pictures"] == [2]
    assert seen["validation/of_mean_q10"] == [2]
    names = ("generator", "adversarial", "consistency", "first_moment", "critic", "r1",
             "logit_real", "logit_fake", "gradient", "critic_gradient", "learning_rate",
             "consistency_weight", "patches_per_second")  # fmt: skip
    assert all(seen[f"training/{name}"] == [1, 2] for name in names if name != "first_moment")


def test_no_tensorboard_where_it_is_not_wanted(
    images: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    train(regression_config(images, steps=1, tensorboard=False), tmp_path)
    assert not (tmp_path / "tensorboard").exists()
