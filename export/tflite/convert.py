"""From TensorFlow functions to the bytes of TFLite files."""

import tempfile
from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from export.network import Network


def convert_network(network: Network, tile: int | None, precision: str, as_bytes: bool) -> bytes:
    """Convert a network to a TFLite file with signature `restore`.

    Args:
        tile: side of the tile in pixels, or None for any size.
        precision: float32, float16 or int8 weights.
        as_bytes: pixels are uint8 instead of float32, in and out.
    """
    specs = network.specs(tile, as_bytes)
    function = tf.function(network.restore).get_concrete_function(**specs)
    variables = [variable.value for variable in network.generator.variables]
    return convert(variables, {"restore": function}, precision)


def convert(variables: Sequence[Any], functions: Mapping[str, Any], precision: str) -> bytes:
    """Convert concrete functions, which become signatures by their names, to a TFLite file."""
    # Only a SavedModel that tracks the variables converts with their values.
    module = tf.Module()
    module.tracked = list(variables)
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(module, folder, signatures=dict(functions))
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=list(functions))
        if precision != "float32":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if precision == "float16":
            converter.target_spec.supported_types = [tf.float16]
        return converter.convert()
