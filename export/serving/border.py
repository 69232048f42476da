"""The float projection onto a file's levels, whose samples beyond the image may be free.

As `jpeg.projection.border` and `decoding.decoder`, in a graph, where sizes may be unknown.
"""

from typing import Any

import tensorflow as tf

from keras_jpeg_gan.jpeg.levels import Quantized
from keras_jpeg_gan.jpeg.projection.alternating import FAR
from keras_jpeg_gan.jpeg.tensors import codec, consistency


def project(
    pixels: Any, file: Quantized, height: Any, width: Any, margin: float
) -> tuple[Any, Any]:
    """The nearest images consistent with the levels, and the largest violation left.

    If no image whose edge is repeated has the levels, the images are extended to whole units,
    projected, judged and cropped.

    Args:
        pixels: [1, H, W, 3] or [1, H, W, 1] float32, 0..255.
        file: its levels, without dummy blocks.
        height, width: of the image, integers.
        margin: as `consistency.project`.

    Returns:
        The shape of pixels, float32; and [] float32, in steps: consistent is <= 1/2.
    """
    plain = codec.decompress(file, height, width, rounded=False, smooth=False)
    outside = consistency.violation(consistency.project(plain, file), file)
    far = [
        tf.reduce_any((part - 0.5) * table > FAR / 8)
        for part, table in zip(outside, file.tables, strict=True)
    ]

    def repeated() -> tuple[Any, Any]:
        found = consistency.project(pixels, file, margin)
        return found, _largest(consistency.violation(found, file))

    def free() -> tuple[Any, Any]:
        given, whole = _extended(pixels, file, height, width)
        found = consistency.project(given, whole, margin)
        return found[:, :height, :width], _largest(consistency.violation(found, whole))

    return tf.cond(tf.reduce_any(far), free, repeated)


def _extended(pixels: Any, file: Quantized, height: Any, width: Any) -> tuple[Any, Quantized]:
    """An image in whole units, hidden samples as the levels have them, and levels of that size.

    Blocks that the file does not have get what the image gives them, so that they are free.
    """
    sampling = file.sampling
    down, across = sampling.unit_height, sampling.unit_width
    rows, columns = -(-height // down), -(-width // across)
    sizes = [(rows * v, columns * h) for h, v in sampling.reduced]
    padded = [_filled(part, size) for part, size in zip(file.levels, sizes, strict=True)]
    whole = Quantized(padded, file.tables, sampling)
    hidden = codec.decompress(whole, rows * down, columns * across, rounded=False, smooth=False)
    seen = _filled(tf.ones_like(pixels), (rows * down, columns * across))
    given = tf.where(seen > 0, _filled(pixels, (rows * down, columns * across)), hidden)
    own = consistency.coefficients(given, file.tables, sampling)
    levels = [
        tf.where(_filled(tf.ones_like(part), size) > 0, more, found)
        for part, more, found, size in zip(file.levels, padded, own, sizes, strict=True)
    ]
    return given, Quantized(levels, file.tables, sampling)


def _filled(values: Any, size: tuple[Any, Any]) -> Any:
    """Values [1, h, w, ...] extended by zeros to [1, *size, ...]."""
    shape = tf.shape(values)
    missing = [[0, 0], [0, size[0] - shape[1]], [0, size[1] - shape[2]]]
    return tf.pad(values, missing + [[0, 0]] * (len(values.shape) - 3))


def _largest(outside: list[Any]) -> Any:
    return tf.reduce_max([tf.reduce_max(part) for part in outside])
