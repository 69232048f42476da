"""Means, spreads and tables."""

import csv
import io

import pytest

from keras_jpeg_gan.evaluation.measures import Row
from keras_jpeg_gan.evaluation.sets import Score
from keras_jpeg_gan.evaluation.tables import summarize, to_csv, to_markdown


def row(model: str, decibels: float, equal: int = 100, seed: int = 0, **more: float) -> Row:
    return Row(
        "a.png", "4:2:0", 10, 0, "0,0", model, "exact", seed, psnr=decibels, consistency=0.5,
        levels_equal=equal, levels_total=100, seconds=1.0, megapixels=0.5, **more,
    )  # fmt: skip


def score(seed: int, distance: float) -> Score:
    return Score(
        "4:2:0", 10, 0, "0,0", "m", "exact", seed, "AlexNet", "FD AlexNet-64", 2, 9, distance,
        kid=0.002, kid_error=0.001, precision=0.5, recall=0.25,
    )  # fmt: skip


def test_means_and_gain() -> None:
    rows = [row("libjpeg", 20), row("libjpeg", 30), row("m", 22), row("m", 31, equal=99)]
    libjpeg, model = summarize(rows)
    assert (libjpeg["psnr"], libjpeg["gain"]) == (25, None)
    assert (model["psnr"], model["gain"], model["psnr_spread"]) == (26.5, 1.5, None)
    assert (model["files"], model["files_exact"], model["images"]) == (2, 1, 2)
    assert model["seconds_a_megapixel"] == 2
    assert model["ssim"] is None


def test_spread_is_over_seeds_of_means_over_images() -> None:
    rows = [row("m", 20), row("m", 24), row("m", 21, seed=1), row("m", 29, seed=1)]
    (line,) = summarize(rows, [score(0, 10.0), score(1, 14.0)])
    assert (line["psnr"], line["seeds"], line["images"]) == (23.5, 2, 2)
    assert line["psnr_spread"] == pytest.approx(3 / 2**0.5)
    assert line["sets"][0]["distance"] == 12
    assert line["sets"][0]["distance_spread"] == pytest.approx(8**0.5)


def test_table_shows_what_was_measured() -> None:
    lines = to_markdown(summarize([row("libjpeg", 20), row("m", 22)], [score(0, 10)])).splitlines()
    assert lines[0] == (
        "| sampling | quality | model | method | PSNR, dB | gain, dB | consistency | FD AlexNet-64 "
        "| KID AlexNet-64 | precision | recall | files exact | levels off | s/MP |"
    )
    assert lines[1].count("---:") == 10
    assert lines[2].startswith("| 4:2:0 | 10 | libjpeg | exact | 20.00 | – | 0.5000 | – | – | – |")
    assert lines[3] == (
        "| 4:2:0 | 10 | m | exact | 22.00 | +2.00 | 0.5000 | 10.00 | 2.00 ± 1.00 | 0.500 | 0.250 "
        "| 1 of 1 | 0 of 100 | 2.00 |"
    )


def test_deviation_column() -> None:
    lines = to_markdown(summarize([row("m", 20, deviation=3.0, textured=6.0, flat=1.5)]))
    assert "| deviation, textured / flat |" in lines
    assert "| 3.00, 6.00 / 1.50 |" in lines


def test_csv_has_a_line_a_row() -> None:
    rows = list(csv.DictReader(io.StringIO(to_csv([row("m", 20), row("m", 21, seed=1)]))))
    assert [r["seed"] for r in rows] == ["0", "1"]
    assert rows[0]["ssim"] == ""
