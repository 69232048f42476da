"""The float projection as a TFLite file."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from export.tflite.convert import convert
from keras_jpeg_gan.jpeg.levels import Quantized
from keras_jpeg_gan.jpeg.projection.floating import MARGIN
from keras_jpeg_gan.jpeg.sampling import Sampling
from keras_jpeg_gan.jpeg.tensors import codec, consistency

SAMPLINGS = tuple(map(Sampling.parse, ("4:4:4", "4:2:2", "4:2:0")))


def convert_projection(tile: int) -> bytes:
    """Convert the float projection of tiles of whole MCUs, always in float32.

    Signatures, for S in 444, 422, 420: `project_S` takes pixels and decoded [1, T, T, 3]
    float32, 0 to 255, and tables [1, 3, 8, 8]; it projects onto the levels that the decoded
    tile has. `project_levels_S` takes levels_y, levels_cb and levels_cr [1, Hb, Wb, 8, 8] in
    place of decoded. Both return projected [1, T, T, 3], not clipped.

    Args:
        tile: side of the tile in pixels.
    """
    functions = {}
    pixels = tf.TensorSpec((1, tile, tile, 3), tf.float32, "pixels")
    decoded = tf.TensorSpec((1, tile, tile, 3), tf.float32, "decoded")
    tables = tf.TensorSpec((1, 3, 8, 8), tf.float32, "tables")
    for sampling in SAMPLINGS:
        name = sampling.name.replace(":", "")
        functions[f"project_{name}"] = tf.function(_from_decode(sampling)).get_concrete_function(
            pixels=pixels, decoded=decoded, tables=tables
        )
        levels = {
            part: tf.TensorSpec((1, tile // 8 // down, tile // 8 // across, 8, 8), tf.float32, part)
            for part, (across, down) in zip(
                ("levels_y", "levels_cb", "levels_cr"),
                sampling.ratios,
                strict=True,
            )
        }
        functions[f"project_levels_{name}"] = tf.function(
            _from_levels(sampling)
        ).get_concrete_function(pixels=pixels, tables=tables, **levels)
    return convert([], functions, "float32")


def _from_decode(sampling: Sampling) -> Callable[..., dict[str, Any]]:
    def project(pixels: Any, decoded: Any, tables: Any) -> dict[str, Any]:
        parts = tf.unstack(tables, axis=1)
        levels = codec.compress(decoded, parts, sampling, rounded=False)
        file = Quantized(levels, parts, sampling)
        return {"projected": consistency.project(pixels, file, MARGIN)}

    return project


def _from_levels(sampling: Sampling) -> Callable[..., dict[str, Any]]:
    def project(
        pixels: Any, levels_y: Any, levels_cb: Any, levels_cr: Any, tables: Any
    ) -> dict[str, Any]:
        levels = [levels_y, levels_cb, levels_cr]
        file = Quantized(levels, tf.unstack(tables, axis=1), sampling)
        return {"projected": consistency.project(pixels, file, MARGIN)}

    return project
