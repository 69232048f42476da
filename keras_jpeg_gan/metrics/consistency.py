"""Consistency with the file, as the paper's tables measure it, with libjpeg as the codec."""

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image

from keras_jpeg_gan.jpeg.encoder import encode


def consistency_rmse(
    pixels: np.ndarray, decoded: np.ndarray, tables: Sequence[np.ndarray], sampling: str
) -> float:
    """Root mean square difference of the restored image, compressed again and decoded, from
    the file's decode: 0 where the levels are the file's.

    Args:
        pixels: [H, W] or [H, W, 3] uint8, restored; decoded: of the file, by libjpeg.
        tables: [8, 8] steps for each component; sampling: a name or factors.

    Raises:
        ConfigError: libjpeg's encoder cannot write the sampling.
    """
    with Image.open(io.BytesIO(encode(pixels, tables, sampling)), formats=("JPEG",)) as image:
        again = np.asarray(image, np.float64)
    return float(np.sqrt(np.mean((again - decoded) ** 2)))
