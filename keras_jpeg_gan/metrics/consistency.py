"""Consistency with the file as the paper's tables measure it, with libjpeg as the codec."""

import numpy as np

from keras_jpeg_gan.jpeg.encoder import recompress
from keras_jpeg_gan.jpeg.levels import Quantized


def consistency_rmse(pixels: np.ndarray, decoded: np.ndarray, quantized: Quantized) -> float:
    """Compress a restored image again, decode it and compare with the file's decode.

    Args:
        pixels: [H, W] or [H, W, 3] uint8, restored.
        decoded: the file's decode by libjpeg, of the same shape.
        quantized: of the file.

    Returns:
        The root mean square difference in grey levels: 0 where the levels are the file's.

    Raises:
        ConfigError: libjpeg's encoder cannot write the sampling, or shapes do not match.
    """
    return root_mean_square(recompress(pixels, quantized).pixels, decoded)


def unrounded_consistency(pixels: np.ndarray, quantized: Quantized) -> float:
    """`consistency_rmse` of unrounded pixels, with this project's codec in real arithmetic.

    Args:
        pixels: [H, W] or [H, W, 3], 0..255.
        quantized: of the file.

    Raises:
        ConfigError: shapes do not match.
    """
    from keras import ops

    from keras_jpeg_gan.jpeg.tensors import codec, consistency

    quantized.check_fits(pixels.shape)
    height, width = pixels.shape[:2]
    image, wanted = consistency.batch_of_one(pixels, quantized)
    levels = codec.compress(image, wanted.tables, wanted.sampling, rounded=False)
    ours = Quantized(levels, wanted.tables, wanted.sampling)
    decoded = [
        ops.convert_to_numpy(codec.decompress(either, height, width, rounded=False))
        for either in (ours, wanted)
    ]
    return root_mean_square(*decoded)


def root_mean_square(pixels: np.ndarray, others: np.ndarray) -> float:
    """The root mean square difference of two arrays of one shape."""
    return float(np.sqrt(np.mean((pixels.astype(np.float64) - others) ** 2)))
