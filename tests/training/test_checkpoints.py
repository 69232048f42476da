"""Checkpoints: names that stay, values that come back, and only the newest kept."""

import pathlib

import keras
import numpy as np
import pytest

from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.models.critic import Critic
from keras_jpeg_gan.models.networks import from_preset
from keras_jpeg_gan.training import checkpoints, plan
from tests.training.tiny import regression_config


def variables(value: float = 0.0, size: int = 3) -> dict[str, keras.Variable]:
    return {"one": keras.Variable(np.full(size, value)), "two": keras.Variable(value)}


def test_the_newest_of_three_comes_back(tmp_path: pathlib.Path) -> None:
    for step in (5, 10, 15, 20):
        checkpoints.save(tmp_path, step, variables(step))
    assert checkpoints.all_steps(tmp_path) == [10, 15, 20]
    assert {path.suffix for path in tmp_path.iterdir()} == {".npz"}
    found = variables()
    assert checkpoints.restore_latest(tmp_path, found) == 20
    np.testing.assert_array_equal(found["one"].numpy(), [20, 20, 20])
    assert float(found["two"].numpy()) == 20


def test_nothing_to_resume_from_is_step_0(tmp_path: pathlib.Path) -> None:
    assert checkpoints.restore_latest(tmp_path / "none", variables()) == 0


def test_a_damaged_checkpoint_is_named_and_the_one_before_comes_back(
    tmp_path: pathlib.Path, caplog: pytest.LogCaptureFixture
) -> None:
    checkpoints.save(tmp_path, 1, variables(1))
    path = checkpoints.save(tmp_path, 2, variables(2))
    content, found = path.read_bytes(), variables()
    place = content.index(b"PK\1\2") - 1  # in the last variable: the others can be read
    changed = content[:place] + b"\xff" + content[place + 1 :]
    for broken in (b"", content[:200], content[:-1], changed):
        path.write_bytes(broken)
        caplog.clear()
        assert checkpoints.restore_latest(tmp_path, found) == 1
        np.testing.assert_array_equal(found["one"].numpy(), [1, 1, 1])
        assert float(found["two"].numpy()) == 1
        (line,) = caplog.messages
        assert line.startswith(f"{path}: damaged: ")
        assert line.endswith("; the checkpoint before it is used")


def test_no_training_starts_anew_over_checkpoints_that_are_all_damaged(
    tmp_path: pathlib.Path,
) -> None:
    for step in (1, 2):
        checkpoints.save(tmp_path, step, variables(step)).write_bytes(b"")
    with pytest.raises(ConfigError, match="every checkpoint is damaged; start in an empty"):
        checkpoints.restore_latest(tmp_path, variables())


def test_another_models_checkpoint_is_refused(tmp_path: pathlib.Path) -> None:
    checkpoints.save(tmp_path, 1, variables())
    with pytest.raises(ConfigError, match=r"one is \(3,\) there and \(4,\) here"):
        checkpoints.restore_latest(tmp_path, variables(size=4))
    with pytest.raises(ConfigError, match="2 variables differ, among them one"):
        checkpoints.restore_latest(tmp_path, {})


def test_names_are_those_of_earlier_checkpoints() -> None:
    """Renaming a variable would leave running trainings without their checkpoints."""
    generator, critic = from_preset("mobile"), Critic(width=0.0625, name="critic")
    critic.build((None, None, None, 3))
    optimizer = plan.generator_optimizer(regression_config(pathlib.Path("images")))
    optimizer.build(generator.trainable_variables)
    critic_optimizer = plan.critic_optimizer()
    critic_optimizer.build(critic.trainable_variables)
    names = set(checkpoints.variables(generator, optimizer, critic, critic_optimizer))
    assert set(checkpoints.variables(generator, optimizer)) < names
    assert {
        "generator:mobile/grid_bias",
        "generator:mobile/first/kernel",
        "generator:mobile/block_0_2/conv_1/kernel",
        "generator:mobile/block_4_0/noise_scale",
        "generator:mobile/modulation_2_1/dense/bias",
        "generator:mobile/downsampling_1/kernel",
        "generator:mobile/upsampling_0/bias",
        "optimizer:adam/iteration",
        "optimizer:adam/learning_rate",
        "optimizer:adam/mobile_block_0_2_conv_1_kernel_momentum",
        "optimizer:adam/mobile_first_kernel_average",
        "critic:critic/block_0_0/conv_0/kernel",
        "critic_optimizer:critic_adam/critic_logit_kernel_velocity",
    } <= names
