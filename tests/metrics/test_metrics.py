"""PSNR and consistency: closed forms and libjpeg."""

import io

import numpy as np
import pytest
from PIL import Image

from keras_jpeg_gan.jpeg.file import JpegFile
from keras_jpeg_gan.metrics import consistency_rmse, psnr


def test_psnr_has_its_closed_form() -> None:
    black = np.zeros((4, 5, 3), np.uint8)
    assert psnr(black, black) == float("inf")
    assert psnr(black, black + np.uint8(255)) == 0
    assert psnr(black + np.uint8(10), black) == pytest.approx(20 * np.log10(25.5))
    half = black.copy()
    half[:2] = 10
    assert psnr(half, black) == pytest.approx(20 * np.log10(25.5) + 10 * np.log10(2))


@pytest.mark.parametrize(("subsampling", "gray"), [(0, False), (2, False), (0, True)])
def test_consistency_is_zero_for_an_original_and_not_for_its_decode(
    subsampling: int, gray: bool
) -> None:
    rng = np.random.default_rng(0)
    original = rng.integers(60, 200, (40, 56) if gray else (40, 56, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(original).save(buffer, "JPEG", quality=90, subsampling=subsampling)
    file = JpegFile.read(buffer.getvalue())
    arguments = (file.pixels, file.tables, file.sampling)
    assert consistency_rmse(original, *arguments) == 0
    again = io.BytesIO()
    Image.fromarray(file.pixels).save(again, "JPEG", quality=90, subsampling=subsampling)
    decoded = JpegFile.read(again.getvalue()).pixels.astype(float)
    expected = np.sqrt(np.mean((decoded - file.pixels) ** 2))
    assert consistency_rmse(file.pixels, *arguments) == pytest.approx(expected)
    assert consistency_rmse(255 - original, *arguments) > 10
