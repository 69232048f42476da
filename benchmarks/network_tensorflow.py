"""The forward pass of the decoder's network in Keras on TensorFlow."""

from benchmarks.inputs import Settings, jpeg_path, network_inputs
from benchmarks.jpeg_keras import facts
from benchmarks.processes import Tasks
from keras_jpeg_gan.decoding.runtimes import TensorFlowRuntime
from keras_jpeg_gan.jpeg.file import JpegFile

__all__ = ["facts", "prepare"]


def prepare(settings: Settings) -> Tasks:
    """The network on the photograph."""
    runtime = TensorFlowRuntime(settings.model, settings.threads)
    file = JpegFile.read(jpeg_path(settings))
    pixels, tables, noise = network_inputs(file, runtime.noise_strides)
    return {"network": lambda: runtime.restore(pixels, tables, noise)}
