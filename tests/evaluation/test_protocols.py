"""The paper's experiments: settings, rows, and table 2 itself."""

import dataclasses
import io
import pathlib

import numpy as np
import pytest
from PIL import Image

from keras_jpeg_gan.data.sources import CachedSource, FolderSource
from keras_jpeg_gan.evaluation.contenders import Method
from keras_jpeg_gan.evaluation.measures import Row
from keras_jpeg_gan.evaluation.protocols import PROTOCOLS, report, rounding
from keras_jpeg_gan.evaluation.tables import summarize


def row(method: str, model: str, **more: float) -> Row:
    return Row("a.png", "4:2:0", 5, 0, "0,0", model, method, 0, **more)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_methods_exist(name: str) -> None:
    for method in PROTOCOLS[name].methods:
        Method.parse(method)


def filled(text: str, name: str) -> list[str]:
    """The cells of a row."""
    (line,) = [line for line in text.splitlines() if line.startswith(f"| {name} |")]
    return line.strip("| ").split(" | ")


@pytest.mark.parametrize("name", ["table4", "table5"])
def test_the_papers_rows_are_filled_by_model_and_method(name: str) -> None:
    sample = {"psnr": 23.5, "consistency": 0.75, "megapixels": 1.0}
    exact = {"psnr": 23.25, "consistency": 0.5, "unrounded_consistency": 0.0, "megapixels": 1.0}
    rows = [
        row("sample", "ours", **sample), row("float", "ours", **exact),
        row("exact", "default", **sample), row("itself", "original", psnr=np.inf, megapixels=1.0),
        row("peer", "bahat", **sample),
    ]  # fmt: skip
    text = report(PROTOCOLS[name], summarize(rows))
    papers = {paper.name: paper for paper in PROTOCOLS[name].rows}
    assert filled(text, "Ours")[1:4] == ["–", "0.7500", "23.5000"]
    assert filled(text, "Ours-P")[1:4] == ["–", "0.0000 (0.5000)", "23.2500"]
    assert filled(text, "Bahat")[1:4] == ["–", "0.7500", "23.5000"]
    assert filled(text, "Ground truth")[1:4] == ["–", "0.0000", "∞"]
    assert filled(text, "default, exact")[1:] == ["–", "0.7500", "23.5000", "–", "–", "–"]
    for paper in papers.values():
        assert filled(text, paper.name)[4:] == [paper.fid, paper.consistency, paper.psnr]


def test_models_that_stand_for_a_method_are_used_as_the_paper_does() -> None:
    table4 = PROTOCOLS["table4"]
    assert table4.methods_of("regression") == ("sample",)
    assert table4.methods_of("ours") == ("mean:64:sample", "sample", "float", "exact")
    assert table4.methods_of("unconstrained") == ("sample", "float")
    assert table4.methods_of("default") == table4.methods


def test_each_case_has_a_table_of_its_own() -> None:
    rows = [row("sample", "ours", megapixels=1.0)]
    rows.append(dataclasses.replace(rows[0], sampling="4:4:4"))
    text = report(PROTOCOLS["table4"], summarize(rows))
    assert text.count("| Ours |") == 2
    assert "Quality 5, 4:4:4:" in text


def test_table3_is_before_and_after_rounding() -> None:
    values = {"consistency": 0.2, "unrounded_consistency": 0.0, "megapixels": 1.0}
    text = report(PROTOCOLS["table3"], summarize([row("float", "ours", **values)]))
    assert filled(text, "Ours-P") == ["Ours-P", "0.0000", "0.2000", "0.1664"]
    assert filled(text, "λ_C = 0-P") == ["λ_C = 0-P", "–", "–", "0.9466"]


def test_rounding_in_rgb_loses_nothing_and_in_ycbcr_what_libjpeg_loses(
    kodak: list[pathlib.Path],
) -> None:
    found = rounding(FolderSource(kodak, 0))
    assert found.images == 24
    assert found.rgb == 0
    assert found.ycbcr == pytest.approx(0.564, abs=0.003)  # as cjpeg and djpeg -dct float
    assert "0.5465" in str(found)


def test_rounding_is_libjpegs_at_quality_100_where_blocks_are_flat() -> None:
    """There the DCT and its rounding lose nothing, and colour is all that does."""
    colours = np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)
    pixels = np.kron(colours, np.ones((8, 8, 1), np.uint8))
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=100, subsampling=0)
    decoded = np.asarray(Image.open(buffer), float)
    expected = np.sqrt(np.mean((decoded - pixels) ** 2))
    found = rounding(CachedSource(["a"], lambda index: pixels, 0))
    assert found.ycbcr == pytest.approx(expected, rel=0.01)


def test_gains_of_files_compressed_twice_stand_by_qualities_and_shift() -> None:
    def of(shift: str, model: str, method: str, psnr: float) -> Row:
        return Row("a.png", "4:2:0", 75, 30, shift, model, method, 0, psnr=psnr, megapixels=1.0)

    rows = [
        of("0,0", "libjpeg", "decode", 28), of("0,0", "m", "exact", 28.5),
        of("0,0", "m", "auto", 29.25), of("5,3", "libjpeg", "decode", 27),
        of("5,3", "m", "exact", 27.5), of("5,3", "m", "auto", 28),
    ]  # fmt: skip
    text = report(PROTOCOLS["double"], summarize(rows))
    assert "| shifted by (0, 0) | shifted by (5, 3) |" in text
    assert "| m | 4:2:0 | 30, then 75 | 28.00: +0.50 / +1.25 | 27.00: +0.50 / +1.00 |" in text
