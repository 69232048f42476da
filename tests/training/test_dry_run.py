"""The dry run: what it reports, and what it finds missing."""

import pathlib
import subprocess
import sys

from tests.training.tiny import write_images


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
        "generator mobile: 446,518 parameters, 38,592 MAC per pixel",
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
