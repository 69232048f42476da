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


def unrounded_consistency(
    pixels: np.ndarray,
    levels: Sequence[np.ndarray],
    tables: Sequence[np.ndarray],
    sampling: str,
) -> float:
    """The same of pixels that need not be whole, with this project's codec in real arithmetic.

    Args:
        pixels: [H, W] or [H, W, 3], 0..255.
        levels: [Hb, Wb, 8, 8] integers for each component of the file.
        tables, sampling: as `consistency_rmse`.

    Raises:
        ConfigError: a ratio of the sampling's factors is not whole.
    """
    from keras import ops

    from keras_jpeg_gan.jpeg.tensors import codec, consistency

    height, width = pixels.shape[:2]
    image, wanted, steps = consistency.batch_of_one(pixels, levels, tables)
    ours = codec.compress(image, steps, sampling, rounded=False)
    decoded = [
        ops.convert_to_numpy(codec.decompress(parts, steps, sampling, height, width, rounded=False))
        for parts in (ours, wanted)
    ]
    return float(np.sqrt(np.mean((decoded[0].astype(np.float64) - decoded[1]) ** 2)))
