"""Violations and consistency of unrounded pixels."""

import dataclasses

import numpy as np
import pytest

from keras_jpeg_gan.jpeg.file import JpegFile
from keras_jpeg_gan.metrics import unrounded_consistency, violation
from tests.files import saved


@pytest.fixture
def file() -> JpegFile:
    pixels = np.random.default_rng(0).integers(60, 200, (32, 48, 3), np.uint8)
    return JpegFile.read(saved(pixels, quality=60, subsampling=0))


def test_the_violation_of_one_changed_coefficient(file: JpegFile) -> None:
    """The mean of a luma block is moved by 3/4 of a step: that is the violation."""
    flat = np.full((32, 48, 3), 128.0)
    zero = [np.zeros_like(part) for part in file.quantized.levels]
    step = float(file.tables[0][0, 0])
    flat[:8, :8] += 0.75 * step / 8  # the DC of a constant c is 8 c
    found = violation(flat, dataclasses.replace(file.quantized, levels=zero))
    assert found.largest == pytest.approx(0.75, abs=1e-4)
    total = sum(part.size for part in zero)
    assert found.share_over_half == pytest.approx(1 / total)
    assert found.mean == pytest.approx(0.75 / total, rel=1e-3)


def test_consistency_of_unrounded_pixels(file: JpegFile) -> None:
    decoded = file.pixels.astype(np.float32)
    assert violation(decoded, file.quantized).share_over_half < 0.05
    near = unrounded_consistency(decoded, file.quantized)
    assert near < unrounded_consistency(decoded + np.eye(32, 48)[..., None] * 40, file.quantized)
