"""The dry run: what networks cost, against known figures, and what it reports."""

import pathlib
import subprocess
import sys

import numpy as np
import pytest

from keras_jpeg_gan.models.critic import Critic, FeatureCritic
from keras_jpeg_gan.models.features import VGG16, Conv, FeatureNetwork, Pool
from keras_jpeg_gan.models.generator import Generator
from keras_jpeg_gan.training import dry_run
from tests.training.tiny import write_images


@pytest.mark.parametrize("preset", ["compact", "mobile"])
def test_a_generators_convolutions_add_up(preset: str) -> None:
    generator = Generator.from_preset(preset)
    assert dry_run.macs_per_pixel(generator) == pytest.approx(generator.macs_per_pixel())


@pytest.mark.parametrize(("unshuffle", "macs"), [(2, 4_250_160), (4, 1_130_220)])
def test_a_generator_of_the_papers_kind_at_both_grids(unshuffle: int, macs: int) -> None:
    """With two of the 23 RRDBs: the others' kernels are of the same shapes."""
    generator = Generator(blocks=2, unshuffle=unshuffle)
    generator.build((None, None, None, 3), (None, 2, 8, 8))
    kernels = dry_run.convolutions(generator)
    in_rrdbs = sum(part.macs for part in kernels[1:31])
    found = dry_run.macs_per_pixel(generator) + 21 / 2 * in_rrdbs
    assert found == pytest.approx(macs, rel=1e-2)


def test_the_papers_critic_costs_what_resnet34_costs() -> None:
    critic = Critic()
    critic.build((None, None, None, 3))
    assert dry_run.macs_per_pixel(critic) * 128**2 == pytest.approx(1.196e9, rel=1e-3)


def test_a_feature_critic_costs_vgg_and_its_heads() -> None:
    arrays, channels = {}, 3
    widths = {"conv1": 64, "conv2": 128, "conv3": 256}
    for layer in VGG16.layers:
        if isinstance(layer, Conv):
            width = widths[layer.name.split("_")[0]]
            arrays[f"{layer.name}_kernel"] = np.zeros((3, 3, channels, width), np.float32)
            arrays[f"{layer.name}_bias"] = np.zeros(width, np.float32)
            channels = width
    critic = FeatureCritic(FeatureNetwork(VGG16, arrays), width=1.0)
    critic.build((None, None, None, 3))
    vgg = 9 * (3 * 64 + 64 * 64 + (64 * 128 + 128 * 128) / 4 + (128 * 256 + 2 * 256 * 256) / 16)
    conv = 9 * 64 * 64
    heads = (
        (12 * 64 + conv) / 4 + (conv + 64) / 16  # pixels
        + 128 * 64 / 4 + (2 * conv + 64) / 16  # relu2_2
        + (256 * 64 + 2 * conv + 64) / 16  # relu3_3
    )  # fmt: skip
    assert dry_run.macs_per_pixel(critic) == pytest.approx(vgg + heads)
    assert sum(isinstance(layer, Pool) for layer in VGG16.layers) == 2


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "keras_jpeg_gan.training.train", "--dry_run", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_a_dry_run_reports_and_trains_nothing(tmp_path: pathlib.Path) -> None:
    images = write_images(tmp_path)
    result = run(
        "--config=configs/smoke.py:sampler", f"--config.images={images}",
        "--config.validation_share=0.3",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    for part in (
        "moment_every: 3",
        "generator mobile: 313,782 parameters, 49,248 MAC a pixel",
        "critic resnet34: ",
        "memory, estimated",
        "original [4, 32, 32, 3] uint8",
        "held back",
    ):
        assert part in result.stdout
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".png"] * 12


def test_a_dry_run_finds_what_a_training_would_lack() -> None:
    result = run("--config=configs/smoke.py", "--config.images=nowhere")
    assert result.returncode == 1
    last = result.stderr.splitlines()[-1]  # after what TensorFlow has to say
    assert last == "train.py: nowhere: no such folder of images"
    assert "Traceback" not in result.stderr
