"""The paper's experiments: settings, rows, and table 2 itself."""

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


def row(method: str, **more: float) -> Row:
    return Row("a.png", "4:2:0", 5, 0, 0, "default", method, 0, **more)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_methods_exist(name: str) -> None:
    for method in PROTOCOLS[name].methods:
        Method.parse(method)


@pytest.mark.parametrize("name", ["table4", "table5"])
def test_ours_and_all_eight_of_the_papers_rows(name: str) -> None:
    text = report(
        PROTOCOLS[name], summarize([row("exact", psnr=23.5, consistency=0.25, megapixels=1)])
    )
    assert "| default, exact | – | 0.2500 | 23.5000 |" in text
    assert len(PROTOCOLS[name].paper) == 8
    assert all(f"| {method} | {fid} |" in text for method, fid, *_ in PROTOCOLS[name].paper)


def test_table3_is_before_and_after_rounding() -> None:
    values = {"consistency": 0.2, "unrounded_consistency": 0.0, "megapixels": 1.0}
    text = report(PROTOCOLS["table3"], summarize([row("float", **values)]))
    assert "| default, float | 0.0000 | 0.2000 |" in text
    assert "| Ours-P (the paper's) | ≈ 0 | 0.1664 |" in text


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
