"""The programs of data/: what they do, and how they refuse wrong usage."""

import os
import pathlib
import subprocess
import sys

import pytest
from PIL import Image

from keras_jpeg_gan.data.patch_cache import PackedSource, pack
from tests.programs import with_tensorflow


def run(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return with_tensorflow()("-m", f"keras_jpeg_gan.data.{module}", *arguments)


def test_photographs_are_packed(tmp_path: pathlib.Path) -> None:
    photographs = tmp_path / "photographs"
    photographs.mkdir()
    for index in range(3):
        Image.new("RGB", (40, 64)).save(photographs / f"{index}.png")
    cache = tmp_path / "deep" / "cache"
    result = run(
        "packed", f"--images={photographs}", f"--output={cache}", "--size=32", "--max_mb=1"
    )
    assert result.returncode == 0, result.stderr
    assert "6 patches of 32 x 32" in result.stdout
    assert len(PackedSource(cache)) == 6
    again = run("packed", f"--images={photographs}", f"--output={cache}", "--size=32")
    assert again.returncode == 1
    assert again.stderr.count("\n") == 1


@pytest.mark.slow
def test_rates_are_measured(tmp_path: pathlib.Path) -> None:
    Image.new("RGB", (96, 96)).save(tmp_path / "0.png")
    pack([tmp_path / "0.png"], tmp_path / "cache", 64, 1.0, 1.0)
    result = subprocess.run(
        [
            sys.executable,
            "benchmarks/data.py",
            f"--sources={tmp_path / 'cache'},{tmp_path}",
            "--patch=32",
            "--batch=4",
            "--seconds=0.2",
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={**os.environ, "PYTHONPATH": "."},
    )
    assert result.returncode == 0, result.stderr
    rows = [line.split("|")[1:-1] for line in result.stdout.splitlines() if line.startswith("| /")]
    assert [row[1].strip() for row in rows] == ["tf.data", "threads"] * 2
    assert all(float(row[2]) > 0 for row in rows)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("packed", "--images=there"), "--output"),
        (("packed", "there"), "there"),
        (("packed", "--images=a", "--output=b", "--size=0"), "--size"),
        (("prepare",), "--name"),
        (("prepare", "ffhq"), "ffhq"),
        (("prepare", "--name=ffhq", "--manual_dir=nowhere"), "nowhere"),
    ],
)
def test_wrong_usage_is_status_2_and_one_line(arguments: tuple[str, ...], reason: str) -> None:
    result = run(*arguments)
    assert result.returncode == 2
    assert reason in result.stderr
    assert result.stderr.count("\n") == 1
