"""The steps on TensorFlow: noise by position, and mixed precision."""

import pathlib
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_jpeg_gan.data.examples import PatchDistribution
from keras_jpeg_gan.data.pipeline import batches
from keras_jpeg_gan.data.sources import FolderSource, find_images
from keras_jpeg_gan.models import critic
from keras_jpeg_gan.models.presets import PRESETS
from keras_jpeg_gan.training import plan
from keras_jpeg_gan.training.tensorflow.run import strategy_for
from keras_jpeg_gan.training.tensorflow.steps import STEPS, SamplerStep
from tests.training.tiny import (
    CONFIGS,
    TINY,
    regression_config,
    sampler_config,
    sgd,
    write_images,
)


@pytest.fixture(autouse=True)
def small_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PRESETS, "tiny", TINY)
    monkeypatch.setattr(critic, "STAGES", (1, 1, 1, 1))


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    return write_images(tmp_path_factory.mktemp("images"))


def test_a_samples_noise_depends_on_seed_stream_and_position_alone(images: pathlib.Path) -> None:
    step = SamplerStep(strategy_for(["CPU:0"]), sampler_config(images))
    whole = step._noise(tf.constant([5, 6, 7], tf.int64), range(2), 50).numpy()
    part = step._noise(tf.constant([7], tf.int64), range(1, 2), 50).numpy()
    np.testing.assert_array_equal(whole[5:], part)
    assert np.abs(np.corrcoef(whole) - np.eye(6)).max() < 0.6
    assert len(np.unique(whole)) == whole.size


def test_mixed_precision_stays_near_float32(images: pathlib.Path) -> None:
    """With R1 and moments: losses are the same within the precision's rounding."""
    found = {}
    for precision in ("none", "bfloat16", "float16"):
        # With "uniform" patches a unit of the critic lies on LeakyReLU's kink: bfloat16 takes
        # the other slope there, and R1 differs by a fifth.
        config = sampler_config(
            images, mixed_precision=precision, moment_every=1, final_consistency_weight=1.0,
            patch_scale="near",
        )  # fmt: skip
        step, means = three_steps(config)
        weights = step.generator.trainable_variables + step.critic.trainable_variables
        assert all(weight.dtype == "float32" for weight in weights)
        assert step.restore(np.zeros((1, 32, 32, 3)), np.ones((1, 2, 8, 8))).dtype == tf.float32
        found[precision] = means
    for precision in ("bfloat16", "float16"):
        for name in ("generator", "first_moment", "critic", "r1", "critic_gradient"):
            half, whole = found[precision][name], found["none"][name]
            assert (half != whole).any(), (precision, name)
            taken = half != 0  # a step that overflows in float16 is skipped: its gradient is 0
            assert taken.sum() >= (2 if precision == "float16" else 3), (precision, name)
            np.testing.assert_allclose(
                half[taken], whole[taken], rtol=0.05, err_msg=f"{precision} {name}"
            )


@pytest.mark.parametrize("method", ["regression", "sampler"])
def test_a_step_in_four_micro_batches_is_one_step(
    images: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    """With R1, moments, an energy-free critic and SGD: the same losses, gradients and weights."""
    monkeypatch.setattr(plan, "adam", sgd)
    estimate = tmp_path / "estimate.weights.h5"
    plan.new_generator(regression_config(images)).save_weights(estimate)
    moments = {"moment_every": 1, "estimate_weights": str(estimate), "second_moment_weight": 10.0}
    more = {"critic_learning_rate": 1e-2, **moments} if method == "sampler" else {}
    found = []
    for parts in (1, 4):
        config = CONFIGS[method](images, batch=8, micro_batches=parts, learning_rate=1e-2, **more)
        keras.utils.set_random_seed(1)
        step = STEPS[method](strategy_for(["CPU:0"]), config)
        source = FolderSource(find_images(config.images))
        stream = batches(source, PatchDistribution.from_config(config), 0, config.batch).take(2)
        means = [step(batch, number) for number, batch in enumerate(stream)]
        values = {name: variable.numpy() for name, variable in step.variables.items()}
        found.append((means, values))
    (means, values), (means_in_parts, values_in_parts) = found
    for one, other in zip(means, means_in_parts, strict=True):
        assert set(one) == set(other)
        for name in one:
            np.testing.assert_allclose(other[name], one[name], rtol=1e-4, atol=1e-7, err_msg=name)
    for name, value in values.items():
        scale = np.abs(value).max() + 1e-3
        assert np.abs(values_in_parts[name] - value).max() <= 1e-5 * scale, name


def three_steps(config: Any) -> tuple[SamplerStep, dict[str, np.ndarray]]:
    """A sampler after three steps, and their means; every weight of the critic has changed."""
    keras.utils.set_random_seed(1)
    step = SamplerStep(strategy_for(["CPU:0"]), config)
    start = [variable.numpy() for variable in step.critic.trainable_variables]
    source = FolderSource(find_images(config.images))
    stream = batches(source, PatchDistribution.from_config(config), 0, config.batch).take(3)
    means = [step(batch, number) for number, batch in enumerate(stream)]
    for variable, value in zip(step.critic.trainable_variables, start, strict=True):
        assert (variable.numpy() != value).any(), variable.path
    return step, {name: np.array([float(mean[name]) for mean in means]) for name in means[0]}
