"""jpeg-gan-train: help at once, and one line for what is wrong."""

import pathlib
import subprocess
import sys
import time

import pytest

from tests.programs import with_tensorflow


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return with_tensorflow()("-m", "keras_jpeg_gan.training.train", *arguments)


def test_help_loads_no_framework() -> None:
    start = time.monotonic()
    command = [sys.executable, "-m", "keras_jpeg_gan.training.train", "--help"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert result.returncode == 0
    assert "--workdir" in result.stdout
    assert time.monotonic() - start < 20  # a second on an idle machine; TensorFlow takes ten


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((), "--config="),
        (("--config=configs/default.py",), "--workdir="),
        (("--config=configs/nowhere.py", "--workdir=w"), "nowhere.py"),
        (("--workdir=w", "--nonsense"), "nonsense"),
        (("--config=configs/default.py", "--workdir=w", "--config.nothing=3"), "nothing"),
        (("stray",), "stray"),
    ],
)
def test_wrong_usage_is_status_2_and_one_line(arguments: tuple[str, ...], reason: str) -> None:
    result = run(*arguments)
    assert result.returncode == 2, result.stderr
    assert reason in result.stderr
    assert result.stderr.count("\n") == 1
    assert not pathlib.Path("w").exists()


@pytest.mark.parametrize(
    ("package", "arguments"),
    [
        ("tensorflow_datasets", ("--config.images=tfds:ffhq",)),
        ("tensorboard", ()),
        ("h5py", ("--dry_run",)),
    ],
)
def test_missing_extras_are_named_before_any_work(package: str, arguments: tuple[str, ...]) -> None:
    code = (
        f"import sys; sys.modules[{package!r}] = None; "
        "from keras_jpeg_gan.training import train; train.run()"
    )
    flags = ["--config=configs/smoke.py", "--workdir=w", *arguments]
    result = with_tensorflow()("-c", code, *flags)
    assert result.returncode == 2, result.stderr
    assert f"{package} is not installed: pip install 'keras-jpeg-gan[train]'" in result.stderr
    assert not pathlib.Path("w").exists()
