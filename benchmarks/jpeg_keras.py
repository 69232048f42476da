"""This library's JPEG operations as TensorFlow graphs, with and without XLA."""

from typing import Any

from benchmarks.inputs import HEIGHT, WIDTH, Settings, jpeg_operands, jpeg_path
from benchmarks.processes import Tasks
from keras_jpeg_gan.jpeg.file import JpegFile
from keras_jpeg_gan.jpeg.levels import Quantized
from keras_jpeg_gan.system import import_tensorflow


def facts() -> dict[str, Any]:
    """Versions."""
    import keras
    import tensorflow as tf

    return {"TensorFlow": tf.__version__, "Keras": keras.__version__}


def prepare(settings: Settings) -> Tasks:
    """The operations on the photograph, traced."""
    import_tensorflow()
    import tensorflow as tf

    from keras_jpeg_gan.jpeg.tensors import codec, consistency

    file = JpegFile.read(jpeg_path(settings))
    arrays, parts, steps = jpeg_operands(file)
    pixels, levels, tables = tf.constant(arrays), [*map(tf.constant, parts)], steps
    sampling = file.quantized.sampling

    def penalty(pixels: Any, levels: Any) -> tuple[Any, Any]:
        with tf.GradientTape() as tape:
            tape.watch(pixels)
            costs = consistency.penalty(pixels, Quantized(levels, tables, sampling))
        return costs, tape.gradient(costs, pixels)

    def compressed(rounded: bool) -> Any:
        return lambda pixels, levels: codec.compress(pixels, tables, sampling, rounded)

    def decompressed(rounded: bool) -> Any:
        return lambda pixels, levels: codec.decompress(
            Quantized(levels, tables, sampling), HEIGHT, WIDTH, rounded
        )

    operations = {
        "compress": compressed(rounded=False),
        "decompress": decompressed(rounded=False),
        "penalty": penalty,
        "projection": lambda pixels, levels: consistency.project(
            pixels, Quantized(levels, tables, sampling)
        ),
        "compress, rounded as libjpeg": compressed(rounded=True),
        "decompress, rounded as libjpeg": decompressed(rounded=True),
    }
    tasks = {}
    for name, operation in operations.items():
        for suffix, compiled in (("", None), (", XLA", True)):
            graph = tf.function(operation, jit_compile=compiled)
            tasks[name + suffix] = lambda graph=graph: tf.nest.flatten(graph(pixels, levels))
    return tasks
