"""The dry run: what it reports, and what it finds missing."""

import pathlib
import re
import subprocess

import pytest

from keras_jpeg_gan.models.presets import PRESETS
from keras_jpeg_gan.training import dry_run
from tests.programs import with_tensorflow
from tests.training.tiny import TINY, sampler_config, write_images


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return with_tensorflow()("-m", "keras_jpeg_gan.training.train", "--dry_run", *arguments)


def test_a_dry_run_reports_and_trains_nothing(tmp_path: pathlib.Path) -> None:
    images = write_images(tmp_path)
    result = run(
        "--config=configs/smoke.py:sampler", f"--config.images={images}",
        "--config.validation_share=0.3", "--memory_gb=24",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    for part in (
        "moment_every: 3",
        "generator mobile: 446,518 parameters, 38,592 MAC per pixel",
        "critic resnet34: ",
        "memory, estimated",
        "--config.micro_batches=1 fits 24 GB: ",
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


def test_the_fewest_micro_batches_that_fit_are_named(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Parts of two images at least, since one in two counts for the moments."""
    monkeypatch.setitem(PRESETS, "tiny", TINY)
    config = sampler_config(write_images(tmp_path), batch=8)
    *_, memory = dry_run.lines(config)
    whole, states = map(float, re.findall(r"([\d.e-]+) (?:GB|for weights)", memory))
    for gigabytes, parts in ((whole * 1.1, 1), (states + (whole - states) / 2 * 1.1, 2)):
        *_, said = dry_run.lines(config, gigabytes)
        assert f"--config.micro_batches={parts} fits" in said
        assert f"{8 // parts} images at once" in said
    *_, said = dry_run.lines(config, states)
    assert said.startswith("no number of micro_batches fits")
