"""What runs the network: LiteRT, for a model's TFLite file, or Keras on TensorFlow.

Either is imported only when a model is opened with it.
"""

import pathlib
import re
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from keras_jpeg_gan import program
from keras_jpeg_gan.decoding import tiles
from keras_jpeg_gan.errors import ConfigError, ModelError
from keras_jpeg_gan.models.cards import TFLiteCard, find_model, find_tflite
from keras_jpeg_gan.streams import caught_messages
from keras_jpeg_gan.system import captured_standard_error, import_tensorflow, processors

RUNTIMES = ("auto", "litert", "tensorflow")

_LOG_LINE = re.compile("INFO: |WARNING: |[IW][0-9]{4} ")  # of LiteRT


class Runtime(Protocol):
    """A loaded network.

    Attributes:
        halo: pixels around a tile that its result depends on, a multiple of `tiles.GRID`.
        noise_strides: for each noise field that the network takes, how many pixels of the image,
            along a side, there are to one of its positions.
    """

    halo: int
    noise_strides: tuple[int, ...]

    def restore(
        self, pixels: np.ndarray, tables: np.ndarray, noise: Sequence[np.ndarray] | None = None
    ) -> np.ndarray:
        """Run the network.

        Args:
            pixels: [1, H, W, 3] float32, 0..255; H and W multiples of `tiles.GRID`.
            tables: [1, 2, 8, 8] float32, steps (`jpeg.tables.network_tables`).
            noise: [1, H / stride, W / stride, 1] float32 for each stride, or none.

        Returns:
            [1, H, W, 3] float32, 0..255 but not clipped.
        """


def open_runtime(kind: str, model: str | pathlib.Path, threads: int | None = None) -> Runtime:
    """Load a model into a runtime.

    Args:
        kind: one of `RUNTIMES`; auto is litert if the model has a TFLite file, else tensorflow.
        model: the name of a bundled model, or a path.
        threads: how many the network may use, or None for all.

    Raises:
        ConfigError: the runtime is unknown or not installed, or already runs with another number
            of threads.
        ModelError: the model cannot be loaded, or has no TFLite file for litert.
    """
    if kind not in RUNTIMES:
        raise ConfigError(f"runtime {kind!r}: one of {', '.join(RUNTIMES)}")
    weights, _ = find_model(model)
    found = None if kind == "tensorflow" else find_tflite(weights)
    if found is not None:
        return LiteRTRuntime(*found, threads)
    if kind == "litert":
        raise ModelError(
            f"{weights}: no TFLite file of these weights beside it: make one with export/tflite.py"
        )
    try:
        return TensorFlowRuntime(model, threads)
    except ImportError as error:
        raise ConfigError(
            f"TensorFlow or Keras cannot be imported ({error}): "
            f"{program.install('train')}, or export the model with export/tflite.py"
        ) from error


class LiteRTRuntime:
    """A TFLite model in LiteRT's interpreter. One of any size is allocated again for each size.

    Args:
        path: the TFLite model.
        card: its card.
        threads: how many it may use, or None for all.

    Raises:
        ConfigError: LiteRT cannot be imported.
        ModelError: the file does not load.
    """

    def __init__(self, path: pathlib.Path, card: TFLiteCard, threads: int | None = None) -> None:
        with caught_messages(_LOG_LINE):
            try:
                from ai_edge_litert.interpreter import Interpreter
            except ImportError as error:
                raise ConfigError(
                    f"LiteRT cannot be imported ({error}): pip install ai-edge-litert"
                ) from error
            try:
                self._interpreter = Interpreter(str(path), num_threads=threads or processors())
            except (ValueError, RuntimeError) as error:
                raise ModelError(f"{path}: does not load ({error})") from error
        self._runner = self._interpreter.get_signature_runner("restore")
        self.halo = card.halo
        self.noise_strides = card.noise_strides
        # It prints only when the first run creates the delegate.
        side = card.tile or tiles.GRID
        smallest = np.zeros((1, side, side, 3), np.float32)
        with caught_messages(_LOG_LINE):
            self.restore(smallest, np.ones((1, 2, 8, 8), np.float32))

    def restore(
        self, pixels: np.ndarray, tables: np.ndarray, noise: Sequence[np.ndarray] | None = None
    ) -> np.ndarray:
        """As for `Runtime.restore`."""
        if noise is None:
            _, height, width, _ = pixels.shape
            noise = [
                np.zeros((1, height // s, width // s, 1), np.float32) for s in self.noise_strides
            ]
        fields = {f"noise_{i}": field for i, field in enumerate(noise)}
        return self._runner(pixels=pixels, tables=tables, **fields)["restored"]


class TensorFlowRuntime:
    """The generator as a TensorFlow graph, traced once for all sizes."""

    def __init__(self, model: str | pathlib.Path, threads: int | None = None) -> None:
        import_tensorflow()
        import keras
        import tensorflow as tf

        with captured_standard_error():
            from keras_jpeg_gan.models import costs
            from keras_jpeg_gan.models.saving import load_model

            if keras.backend.backend() != "tensorflow":
                raise ConfigError(
                    f"Keras runs on {keras.backend.backend()}: set KERAS_BACKEND=tensorflow"
                )
            _set_threads(tf, threads)
            generator, _ = load_model(model)
            self.halo = costs.halo(generator, tiles.GRID)
            self.noise_strides = generator.noise_strides
            pixels = tf.TensorSpec((None, None, None, 3), tf.float32)
            steps = tf.TensorSpec((None, 2, 8, 8), tf.float32)
            fields = [tf.TensorSpec((None, None, None, 1), tf.float32)] * len(self.noise_strides)
            self._without_noise = tf.function(
                lambda pixels, tables: 255 * generator(pixels / 255, tables),
                input_signature=[pixels, steps],
            )
            self._with_noise = tf.function(
                lambda pixels, tables, noise: 255 * generator(pixels / 255, tables, noise),
                input_signature=[pixels, steps, fields],
            )
            smallest = np.zeros((1, tiles.GRID, tiles.GRID, 3), np.float32)
            self._without_noise(smallest, np.ones((1, 2, 8, 8), np.float32))

    def restore(
        self, pixels: np.ndarray, tables: np.ndarray, noise: Sequence[np.ndarray] | None = None
    ) -> np.ndarray:
        """As for `Runtime.restore`."""
        if noise is None:
            return self._without_noise(pixels, tables).numpy()
        return self._with_noise(pixels, tables, list(noise)).numpy()


def _set_threads(tf: Any, threads: int | None) -> None:
    if threads is None:
        return
    try:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    except RuntimeError as error:
        raise ConfigError(
            "TensorFlow is already running: set the threads before anything else uses it"
        ) from error
