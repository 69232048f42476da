"""jpeg-gan-evaluate: its figures are those of the parts, and bad input is named."""

import json
import pathlib
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from keras_jpeg_gan.evaluation.runner import Row, compress, measure
from keras_jpeg_gan.evaluation.tables import summarize, to_csv, to_markdown
from keras_jpeg_gan.jpeg.encoder import certify
from keras_jpeg_gan.jpeg.file import JpegFile
from keras_jpeg_gan.metrics import consistency_rmse, psnr


@pytest.fixture
def images(tmp_path: pathlib.Path) -> pathlib.Path:
    folder = tmp_path / "images"
    folder.mkdir()
    y, x = np.mgrid[:40, :56]
    for i in (1, 2):
        wave = 128 + 60 * np.sin(x / (2 + i)) + 30 * np.cos(y * i / 3)
        Image.fromarray(np.stack([wave, wave, 255 - wave], -1).astype(np.uint8)).save(
            folder / f"{i}.png"
        )
    return folder


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own: programs define flags of the same names."""
    return subprocess.run(
        [sys.executable, "-m", "keras_jpeg_gan.evaluation.evaluate", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_libjpegs_row_is_what_its_parts_say(images: pathlib.Path) -> None:
    path = images / "1.png"
    (row,) = measure(path, [30], ["4:2:0"], {"libjpeg": None}, "exact")
    original = np.asarray(Image.open(path))
    file = JpegFile.read(compress(original, 30, "4:2:0"))
    certificate = certify(file.pixels, file.levels, file.tables, file.sampling)
    assert row.psnr == psnr(file.pixels, original)
    assert row.levels_equal == certificate.levels_equal
    assert row.levels_total == 40 * 56 + 2 * 3 * 4 * 64
    assert row.consistency == consistency_rmse(file.pixels, file.pixels, file.tables, file.sampling)


def row(model: str, decibels: float, equal: int, seconds: float = 0.0) -> Row:
    return Row("a.png", 10, "4:2:0", model, decibels, 0.5, equal, 100, 0.4, seconds, 0.5)


def test_summary_and_table() -> None:
    rows = [row("libjpeg", 20, 90), row("libjpeg", 30, 90), row("m", 22, 100, 1), row("m", 31, 99)]
    libjpeg, model = summarize(rows)
    assert libjpeg["psnr"] == 25
    assert model["files_exact"] == 1
    assert model["seconds_a_megapixel"] == 1
    line = to_markdown([libjpeg, model]).splitlines()[-1]
    assert "| 25.00 | 26.50 | +1.50 | 1 of 2 | 1 of 200 |" in line
    assert "–" in to_markdown([model])
    assert to_csv(rows).count("\n") == 5


def test_command_writes_its_results(images: pathlib.Path, tmp_path: pathlib.Path) -> None:
    output = tmp_path / "results"
    result = run(f"--images={images}", "--models=libjpeg", "--quality=5,90", f"--output={output}")
    assert result.returncode == 0
    assert "PSNR over RGB" in result.stdout
    summary = json.loads((output / "summary.json").read_text())
    assert [(s["quality"], s["images"]) for s in summary] == [(5, 2), (90, 2)]
    assert summary[0]["psnr"] < summary[1]["psnr"]


def test_one_bad_image_does_not_end_it(images: pathlib.Path) -> None:
    (images / "0.png").write_bytes(b"broken")
    result = run(f"--images={images}", "--models=libjpeg", "--quality=50")
    assert result.returncode == 1
    assert "0.png: cannot be read" in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "status", "reason"),
    [
        ((), 2, "--images"),
        (("--images=/nowhere",), 1, "no such folder"),
        (("--images=.", "--quality=0"), 2, "--quality=0"),
        (("--images=.", "--quality=ten"), 2, "--quality=ten"),
        (("--images=.", "--sampling=4:1:1"), 2, "--sampling=4:1:1"),
        (("--images=examples", "--models=libjpeg,nobody"), 1, "no model 'nobody'"),
        (("--images=.", "--nonsense"), 2, "nonsense"),
        (("stray",), 2, "stray"),
    ],
)
def test_wrong_usage_is_one_line(arguments: tuple[str, ...], status: int, reason: str) -> None:
    result = run(*arguments)
    assert result.returncode == status
    assert reason in result.stderr
    assert result.stderr.count("\n") == 1
