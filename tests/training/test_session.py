"""A session: its data, its first weights, and where it resumes."""

import pathlib
import types
from typing import Any

import numpy as np
import pytest

from keras_jpeg_gan.data.examples import example_batch
from keras_jpeg_gan.errors import ConfigError, ModelError
from keras_jpeg_gan.layers.noise import NOISE_ROW_SCALE, NoisyConv2D
from keras_jpeg_gan.models.presets import PRESETS
from keras_jpeg_gan.models.saving import save_weights
from keras_jpeg_gan.training import checkpoints, plan
from keras_jpeg_gan.training.session import Data, Session
from tests.training.tiny import TINY, regression_config, sampler_config, write_images


class Step:
    """A generator and an optimizer; it takes no steps."""

    def __init__(self, config: Any) -> None:
        self.generator = plan.new_generator(config)
        optimizer = plan.generator_optimizer(config)
        optimizer.build(plan.trained_variables(config, self.generator))
        self.variables = checkpoints.variables(self.generator, optimizer)

    @property
    def first_kernel(self) -> np.ndarray:
        return self.generator.first.kernel.numpy()


@pytest.fixture(autouse=True)
def tiny_preset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PRESETS, "tiny", TINY)


@pytest.fixture
def images(tmp_path: pathlib.Path) -> pathlib.Path:
    (tmp_path / "images").mkdir()
    return write_images(tmp_path / "images")


def session(config: Any, workdir: pathlib.Path) -> Session:
    return Session(config, workdir, Data(config), lambda: Step(config))


def test_weights_come_from_the_seed_a_file_or_the_newest_checkpoint(
    images: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    fresh = session(regression_config(images), tmp_path / "one")
    assert fresh.first == 0
    kernel = fresh.step.first_kernel
    again = session(regression_config(images), tmp_path / "two")
    np.testing.assert_array_equal(again.step.first_kernel, kernel)
    other = session(regression_config(images, seed=1), tmp_path / "two")
    assert (other.step.first_kernel != kernel).any()
    path = tmp_path / "start.weights.h5"
    save_weights(fresh.step.generator, path, "float32")
    started = session(regression_config(images, seed=1, initial_weights=str(path)), tmp_path / "3")
    np.testing.assert_array_equal(started.step.first_kernel, kernel)
    checkpoints.save(tmp_path / "3" / "checkpoints", 7, other.step.variables)
    resumed = session(regression_config(images, initial_weights=str(path)), tmp_path / "3")
    assert resumed.first == 7
    np.testing.assert_array_equal(resumed.step.first_kernel, other.step.first_kernel)


def test_noise_starts_small_after_a_regression_and_in_full_without(
    images: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    config = regression_config(images)
    regression = session(config, tmp_path / "regression").step.generator
    path = tmp_path / "start.weights.h5"
    save_weights(regression, path, "float32")
    settings = {"fresh": "", "warm": str(path)}
    fresh, warm = (
        session(
            sampler_config(images, initial_weights=start, pictures_every=0), tmp_path / name
        ).step.generator
        for name, start in settings.items()
    )
    small, full, kept = (
        [
            np.array(layer.kernel)
            for layer in model._flatten_layers()
            if isinstance(layer, NoisyConv2D)
        ]
        for model in (regression, fresh, warm)
    )
    assert small
    for before, scaled, same in zip(small, full, kept, strict=True):
        np.testing.assert_allclose(scaled[:, :, -1], before[:, :, -1] / NOISE_ROW_SCALE, rtol=1e-6)
        np.testing.assert_array_equal(scaled[:, :, :-1], before[:, :, :-1])
        np.testing.assert_array_equal(same, before)


def test_perceptual_features_are_normalized_over_the_first_originals(
    images: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    class Perceptual:
        photographs = None

        def normalize(self, photographs: np.ndarray) -> None:
            self.photographs = photographs

    def make() -> Step:
        step = Step(config)
        step.networks = types.SimpleNamespace(perceptual=Perceptual())
        return step

    config = sampler_config(images, pictures_every=0)
    data = Data(config)
    step = Session(config, tmp_path / "run", data, make).step
    expected = example_batch(data.training, data.patches, config.seed, range(16))["original"]
    np.testing.assert_allclose(step.networks.perceptual.photographs, expected / 255, atol=1e-6)


def test_data_are_parted_by_the_share_held_back(images: pathlib.Path) -> None:
    data = Data(regression_config(images))
    assert len(data.training) + len(data.validating) == 12
    assert not set(data.training.names) & set(data.validating.names)
    assert data.patches.size == 32


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"images": ""}, "--config.images"),
        ({"validation_share": 0.0}, "validation_share"),
        ({"quality_low": 0}, "low <= high"),
        ({"validation_size": 4096}, "validation_size"),
        ({"preset": "large"}, "no preset 'large'"),
        ({"mixed_precision": "half"}, "mixed_precision"),
    ],
)
def test_wrong_settings_are_named(
    changes: dict, reason: str, images: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    with pytest.raises(ConfigError, match=reason):
        session(regression_config(images, **changes), tmp_path / "run")


def test_initial_weights_must_be_there(images: pathlib.Path, tmp_path: pathlib.Path) -> None:
    config = regression_config(images, initial_weights=str(tmp_path / "none.weights.h5"))
    with pytest.raises(ModelError, match="none"):
        session(config, tmp_path / "run")
