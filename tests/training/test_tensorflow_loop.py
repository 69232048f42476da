"""The regression loop: it learns, resumes exactly, mirrors, and stops where it must."""

import pathlib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from configs import default
from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.models.generator import PRESETS
from keras_jpeg_gan.training import checkpoints, tensorflow_loop
from keras_jpeg_gan.training.loop import DivergenceError
from keras_jpeg_gan.training.tensorflow_loop import RegressionStep, SamplerStep, train

TINY = {"features": 8, "blocks": 1, "block": "residual", "head": "shuffle", "body_skip": False,
        "image_skip": True, "table_width": 8}  # fmt: skip


@pytest.fixture(autouse=True)
def tiny_preset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PRESETS, "tiny", TINY)


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    folder = tmp_path_factory.mktemp("images")
    y, x = np.mgrid[:64, :64]
    for i in range(12):
        wave = 127 + 80 * np.sin(x / (3 + i)) * np.cos(y / (9 - i / 2))
        Image.fromarray(np.stack([wave, wave[::-1], wave.T], -1).astype(np.uint8)).save(
            folder / f"{i}.png"
        )
    return folder


def tiny_config(folder: pathlib.Path, **changes: object):
    config = default.get_config()
    config.update(
        preset="tiny", images=str(folder), validation_share=0.3, validation_size=32,
        validation_qualities=(10,), patch=32, batch=4, steps=8, loss="mae", learning_rate=1e-3,
        log_every=4, validate_every=8, checkpoint_every=4,
    )  # fmt: skip
    config.update(changes)
    return config


def test_learns_to_beat_libjpeg(images: pathlib.Path, tmp_path: pathlib.Path) -> None:
    config = tiny_config(images, steps=150, validate_every=150, checkpoint_every=150, ema=0.9,
                         learning_rate=5e-3, quality_high=10, sampling={"4:2:0": 1.0})  # fmt: skip
    assert train(config, tmp_path)["gain_q10"] > 0.2
    assert (tmp_path / "generator.weights.h5").is_file()
    assert (tmp_path / "metrics.jsonl").read_text().count('"loss"') == 37


def test_a_resumed_run_equals_an_uninterrupted_one(
    images: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(tiny_config(images), tmp_path / "whole")
    original = RegressionStep.__call__
    calls = iter(range(100))

    def interrupt(self: RegressionStep, *arguments: object) -> object:
        if next(calls) == 5:
            raise KeyboardInterrupt
        return original(self, *arguments)

    monkeypatch.setattr(RegressionStep, "__call__", interrupt)
    with pytest.raises(KeyboardInterrupt):
        train(tiny_config(images), tmp_path / "parts")
    assert checkpoints.all_steps(tmp_path / "parts" / "checkpoints") == [4, 5]
    train(tiny_config(images), tmp_path / "parts")
    with (
        np.load(tmp_path / "whole" / "checkpoints" / "step_00000008.npz") as whole,
        np.load(tmp_path / "parts" / "checkpoints" / "step_00000008.npz") as parts,
    ):
        assert set(whole.files) == set(parts.files)
        assert any("momentum" in name for name in whole.files)
        for name in whole.files:
            np.testing.assert_array_equal(whole[name], parts[name], err_msg=name)


def test_divergence_stops_with_the_step(
    images: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RegressionStep, "__call__", lambda *_: {"loss": tf.constant(np.nan)})
    with pytest.raises(DivergenceError, match="by step 4; last good checkpoint: none"):
        train(tiny_config(images), tmp_path)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"images": ""}, "--config.images"),
        ({"loss": "huber"}, "mae"),
        ({"validation_share": 0.0}, "validation_share"),
        ({"quality_low": 0}, "quality law"),
        ({"validation_size": 4096}, "validation_size"),
    ],
)
def test_wrong_settings_are_named(
    changes: dict, reason: str, images: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    with pytest.raises(ConfigError, match=reason):
        train(tiny_config(images, **changes), tmp_path)


def test_another_models_checkpoint_is_refused(
    images: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(tiny_config(images, steps=4), tmp_path)
    monkeypatch.setitem(PRESETS, "tiny", {**TINY, "features": 4})
    with pytest.raises(ConfigError, match="start in an empty --workdir"):
        train(tiny_config(images), tmp_path)


def test_strategy_mirrors_only_over_several_devices() -> None:
    assert tensorflow_loop.strategy_for(["CPU:0"]).num_replicas_in_sync == 1


def sampler_config(folder: pathlib.Path, **changes: object):
    """Everything on that the paper has: R1 at every step, moments at every other."""
    settings = dict(
        method="sampler", loss="mse", critic_width=0.0625, moment_images=2, moment_samples=2,
        moment_every=2, first_moment_weight=1.0, validation_samples=2, steps=4, log_every=2,
        validate_every=4, checkpoint_every=4, learning_rate=1e-4,
    )  # fmt: skip
    return tiny_config(folder, **{**settings, **changes})


def test_a_sampler_trains_from_a_regression_and_resumes_exactly(
    images: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(tiny_config(images, steps=4), tmp_path / "regression")
    weights = str(tmp_path / "regression" / "generator.weights.h5")
    config = sampler_config(
        images, initial_weights=weights, estimate_weights=weights, second_moment_weight=1.0
    )
    figures = train(config, tmp_path / "whole")
    assert set(figures) == {"of_one_q10", "of_mean_q10", "deviation_q10"}
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


def test_a_samples_noise_depends_on_seed_stream_and_position_alone(images: pathlib.Path) -> None:
    step = SamplerStep(tensorflow_loop.strategy_for(["CPU:0"]), sampler_config(images))
    whole = step._noise(tf.constant([5, 6, 7], tf.int64), range(2), 50).numpy()
    part = step._noise(tf.constant([7], tf.int64), range(1, 2), 50).numpy()
    np.testing.assert_array_equal(whole[5:], part)
    assert np.abs(np.corrcoef(whole) - np.eye(6)).max() < 0.6
    assert len(np.unique(whole)) == whole.size


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"method": "guess"}, "regression, sampler"),
        ({"critic": "vgg"}, "resnet34 or features"),
        ({"energy_weights": (1.0,)}, "compares two"),
        ({"moment_images": 3}, "does not divide"),
        ({"second_moment_weight": 1.0}, "estimate_weights"),
    ],
)
def test_a_samplers_wrong_settings_are_named(
    changes: dict, reason: str, images: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    with pytest.raises(ConfigError, match=reason):
        train(sampler_config(images, **changes), tmp_path)


def test_an_exploding_critic_stops_the_training(
    images: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SamplerStep, "__call__", lambda *_: {"logit_real": tf.constant(-1e4)})
    with pytest.raises(DivergenceError, match=r"logit_real is -10000\.0 by step 2"):
        train(sampler_config(images), tmp_path)
