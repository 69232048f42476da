"""Every config is a training that could start, and says what it is for."""

import importlib
import pathlib
from typing import Any

import pytest

from configs import default
from keras_jpeg_gan.data.examples import PatchDistribution
from keras_jpeg_gan.models.presets import PRESETS
from keras_jpeg_gan.training import plan
from keras_jpeg_gan.training.schedules import scheduled

FOLDER = pathlib.Path(default.__file__).parent
NAMES = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__")
CASES = [(name, ()) for name in NAMES] + [("smoke", ("sampler",)), ("ffhq128_constant", ("3",))]


def config_of(name: str, *arguments: str) -> Any:
    return importlib.import_module(f"configs.{name}").get_config(*arguments)


@pytest.mark.parametrize(("name", "arguments"), CASES)
def test_a_config_resolves_and_has_a_plan(name: str, arguments: tuple[str, ...]) -> None:
    config = config_of(name, *arguments)
    assert set(config) == set(default.get_config())
    plan.check(config)
    patches = PatchDistribution.from_config(config)
    assert patches.size % 16 == 0
    assert config.validation_size % 16 == 0
    assert config.preset in PRESETS
    if config.method == "sampler":
        if config.second_moment_weight:
            assert config.estimate_weights
        assert plan.Plan.from_config(config).samples == config.samples
    for setting in ("learning_rate", "critic_learning_rate", "consistency_weight"):
        first, last = (scheduled(config, setting, step) for step in (0, config.steps))
        if not config.warm_up_steps or setting == "consistency_weight":
            assert first == pytest.approx(config[setting])
        assert last == pytest.approx(config[f"final_{setting}"])


@pytest.mark.parametrize("name", [name for name in NAMES if name != "default"])
def test_a_config_says_its_command(name: str) -> None:
    said = importlib.import_module(f"configs.{name}").__doc__
    assert f"--config=configs/{name}.py" in said
    assert "--workdir=" in said


FFHQ = {
    "method": "sampler", "preset": "paper", "patch": 128, "batch": 32, "steps": 400_000,
    "learning_rate": 1e-4, "final_learning_rate": 1e-7, "ema": 0.999, "r1_weight": 1.0,
    "r1_every": 1, "adversarial_weight": 1e-3, "first_moment_weight": 1.0, "moment_images": 4,
    "moment_samples": 16, "moment_every": 8, "quality_low": 5, "quality_high": 5,
    "perceptual_weight": 0.0, "second_moment_weight": 0.0, "initial_weights": "",
    "consistency_weight": 1e-1, "final_consistency_weight": 1e1, "critic": "resnet34",
    "critic_width": 1.0, "upright": True, "patch_scale": "whole",
}  # fmt: skip
GENERAL = FFHQ | {
    "final_learning_rate": 1e-6, "consistency_weight": 1.0, "final_consistency_weight": 1e3,
    "perceptual_weight": 1e-2, "second_moment_weight": 1e3, "quality_high": 50,
    "quality_distribution": "exponential", "quality_mean": 10.0,
    "initial_weights": "runs/general_regression/generator.weights.h5", "patch_scale": "uniform",
}  # fmt: skip
NONE = {"consistency_weight": 0.0, "final_consistency_weight": 0.0}
THREE = {"consistency_weight": 3.0, "final_consistency_weight": 3.0}


@pytest.mark.parametrize(
    ("config", "papers"),
    [
        (config_of("ffhq128_ours"), FFHQ),
        (config_of("ffhq128_no_consistency"), FFHQ | NONE),
        (config_of("ffhq128_constant", "3"), FFHQ | THREE),
        (config_of("general_ours"), GENERAL),
        (config_of("general_regression"), {"method": "regression", "steps": 50_000, "loss": "mse"}),
        (config_of("general_mmse"), {"method": "regression", "steps": 650_000, "loss": "mse"}),
    ],
)
def test_the_papers_numbers(config: Any, papers: dict[str, Any]) -> None:
    assert {name: config[name] for name in papers} == papers


def test_the_regression_baseline_has_four_periods() -> None:
    config = config_of("ffhq128_regression")
    rates = [scheduled(config, "learning_rate", k * 250_000) for k in range(4)]
    assert rates == pytest.approx([2e-4] * 4)
    assert scheduled(config, "learning_rate", 125_000) == pytest.approx(1e-4, rel=1e-2)
    assert scheduled(config, "learning_rate", 249_999) == pytest.approx(1e-7, rel=1e-2)
    assert scheduled(config, "learning_rate", 1_000_000) == pytest.approx(1e-7)
