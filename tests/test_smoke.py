"""From photographs to a restored file, by the commands alone: a minute on a CPU."""

import json
import pathlib
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

EXAMPLE = pathlib.Path(__file__).parents[1] / "examples" / "mountain.jpg"


def run(module: str, *flags: str) -> str:
    command = [sys.executable, "-m", f"keras_jpeg_gan.{module}", *flags]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.slow
def test_from_regression_to_sampler_to_decode(tmp_path: pathlib.Path) -> None:
    images = tmp_path / "images"
    images.mkdir()
    with Image.open(EXAMPLE) as example:
        for i in range(16):  # under names of their own, so that some are held back
            left, top = 20 * i, 10 * i
            example.crop((left, top, left + 96, top + 96)).save(images / f"{i}.png")
    packed, start, sampler = (tmp_path / name for name in ("packed", "regression", "sampler"))
    run("data.packed", f"--images={images}", f"--output={packed}", "--size=80", "--max_mb=1")
    run(
        "training.train", "--config=configs/smoke.py", f"--config.images={packed}",
        f"--workdir={start}",
    )  # fmt: skip
    run(
        "training.train", "--config=configs/smoke.py:sampler", f"--config.images={packed}",
        f"--config.initial_weights={start / 'generator.weights.h5'}", f"--workdir={sampler}",
    )  # fmt: skip
    assert list((sampler / "pictures").glob("*.png"))
    last = json.loads((sampler / "metrics.jsonl").read_text().splitlines()[-1])
    assert last["step"] == 6
    assert last["deviation_q10"] > 0
    small = tmp_path / "small.jpg"
    with Image.open(EXAMPLE) as example:
        example.crop((0, 0, 96, 64)).save(small, quality=10)
    said = run(
        "decoding.decode", f"--model={sampler / 'generator.weights.h5'}", "--samples=2", str(small)
    )  # fmt: skip
    assert "exact" in said
    outputs = [tmp_path / f"small.restored.{k}.png" for k in (1, 2)]
    one, two = (np.asarray(Image.open(path)) for path in outputs)
    assert one.shape == two.shape == (64, 96, 3)
    assert (one != two).any()
