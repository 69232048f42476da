"""Consistency against libjpeg's own compression and decode."""

import numpy as np
import pytest

from keras_jpeg_gan.jpeg.file import JpegFile
from keras_jpeg_gan.metrics import consistency_rmse
from tests.files import pillow, saved


@pytest.mark.parametrize(("subsampling", "gray"), [(0, False), (2, False), (0, True)])
def test_consistency_is_zero_for_an_original_but_not_for_its_decode(
    subsampling: int, gray: bool
) -> None:
    rng = np.random.default_rng(0)
    original = rng.integers(60, 200, (40, 56) if gray else (40, 56, 3), np.uint8)
    file = JpegFile.read(saved(original, quality=90, subsampling=subsampling))
    arguments = (file.pixels, file.quantized)
    assert consistency_rmse(original, *arguments) == 0
    decoded = pillow(saved(file.pixels, quality=90, subsampling=subsampling)).astype(float)
    expected = np.sqrt(np.mean((decoded - file.pixels) ** 2))
    assert consistency_rmse(file.pixels, *arguments) == pytest.approx(expected)
    assert consistency_rmse(255 - original, *arguments) > 10
