"""The plan: wrong settings are named, and each step gets what it needs."""

import pathlib

import pytest

from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.models.networks import from_preset
from keras_jpeg_gan.training import plan
from tests.training.tiny import regression_config, sampler_config

NOWHERE = pathlib.Path("images")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"method": "guess"}, "regression, sampler"),
        ({"loss": "huber"}, "mae"),
        ({"warm_up_steps": -1}, "0 or more"),
        ({"critic": "vgg"}, "resnet34 or features"),
        ({"energy_weights": (1.0,)}, "compares two"),
        ({"critic": "features", "samples": 2, "energy_weights": (1.0,)}, "three taps"),
        ({"moment_images": 3}, "does not divide"),
        ({"micro_batches": 3}, "divide the batch"),
        ({"micro_batches": 4}, "a part of it"),
        ({"second_moment_weight": 1.0}, "estimate_weights"),
    ],
)
def test_wrong_settings_are_named(changes: dict, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        plan.check(sampler_config(NOWHERE, **changes))


def test_a_step_has_its_rates_moments_and_penalty() -> None:
    config = sampler_config(
        NOWHERE, steps=100, moment_every=3, r1_every=4, r1_weight=2.0, warm_up_steps=10
    )
    needs = [plan.needs(config, step) for step in range(13)]
    assert [step for step, need in enumerate(needs) if need.moments] == [0, 3, 6, 9, 12]
    # The four steps of a period have 4 x 2 together, all in one.
    assert [need.r1 for need in needs[:5]] == [8.0, 0.0, 0.0, 0.0, 8.0]
    assert set(needs[0].rates) == {"learning_rate", "critic_learning_rate", "consistency_weight"}
    assert needs[0].rates["learning_rate"] == pytest.approx(config.learning_rate / 10)
    assert needs[0].rates["consistency_weight"] == config.consistency_weight


def test_a_regression_needs_its_rate_alone() -> None:
    config = regression_config(NOWHERE)
    assert plan.needs(config, 0) == plan.Needs({"learning_rate": config.learning_rate})


def test_no_moments_without_samples_for_them() -> None:
    assert not plan.needs(sampler_config(NOWHERE, moment_samples=0), 0).moments


def test_a_regression_does_not_train_the_noise() -> None:
    generator = from_preset("mobile")
    sampler = plan.trained_variables(sampler_config(NOWHERE), generator)
    regression = plan.trained_variables(regression_config(NOWHERE), generator)
    left_out = {v.path for v in sampler} - {v.path for v in regression}
    assert len(left_out) == sum(generator.config["depths"])
    assert all(path.endswith("/noise_scale") for path in left_out)
