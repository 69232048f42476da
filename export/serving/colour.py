"""Where a file has no colour, the restored image gets none: `decoding.colour` in a graph."""

from typing import Any

import tensorflow as tf

from keras_jpeg_gan.decoding.colour import CELL


def kept_colour(colour: Any) -> Any:
    """How much of the network's colour to keep in each cell, as `decoding.colour.weights`.

    Args:
        colour: the decode, [H, W, 3].

    Returns:
        [ceil(H / 16), ceil(W / 16)] float32: 0, 1/2 or 1.
    """
    differs = tf.reduce_any(colour != colour[..., :1], axis=-1, keepdims=True)
    # Padded here, since SAME would begin cells before the image.
    height, width = tf.shape(colour)[0], tf.shape(colour)[1]
    padded = tf.pad(tf.cast(differs, tf.float32), [[0, -height % CELL], [0, -width % CELL], [0, 0]])
    cells = tf.nn.max_pool2d(padded[None], CELL, CELL, "VALID")
    near = tf.nn.max_pool2d(cells, 3, 1, "SAME")
    return (near + tf.nn.max_pool2d(near, 3, 1, "SAME"))[0, ..., 0] / 2


def damped(pixels: Any, kept: Any, top: Any, left: Any) -> Any:
    """Pixels [h, w, 3] at a row and column that begin cells, drawn towards their mean."""
    rows = (top + tf.range(tf.shape(pixels)[0])) // CELL
    columns = (left + tf.range(tf.shape(pixels)[1])) // CELL
    weights = tf.gather(tf.gather(kept, rows), columns, axis=1)[..., None]
    mean = tf.reduce_mean(pixels, axis=-1, keepdims=True)
    return mean + weights * (pixels - mean)
