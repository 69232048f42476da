"""What runs the network: LiteRT for a model's light file, or Keras on TensorFlow.

Either is imported when a model is opened with it.
"""

import os
import pathlib
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from keras_jpeg_gan.decoding import tiles
from keras_jpeg_gan.errors import ConfigError, ModelError
from keras_jpeg_gan.models.cards import LightCard, find_light, find_model
from keras_jpeg_gan.system import captured_standard_error, import_tensorflow

RUNTIMES = ("auto", "litert", "tensorflow")


class Runtime(Protocol):
    """A loaded network.

    Attributes:
        halo: pixels around a tile that its result depends on, a multiple of `tiles.GRID`.
        noise_strides: of each noise field the network takes, how many pixels of a side lie
            under one of its positions.
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
        kind: one of `RUNTIMES`; auto is litert where the model has a light file, else tensorflow.
        model: a bundled name or a path.
        threads: how many the network may use, or None for all.

    Raises:
        ConfigError: the runtime is unknown or not installed, or already runs with other threads.
        ModelError: the model cannot be loaded, or has no light file for litert.
    """
    if kind not in RUNTIMES:
        raise ConfigError(f"runtime {kind!r}: one of {', '.join(RUNTIMES)}")
    weights, _ = find_model(model)
    light = None if kind == "tensorflow" else find_light(weights)
    if light is not None:
        return LiteRTRuntime(*light, threads)
    if kind == "litert":
        raise ModelError(
            f"{weights}: no light file of these weights beside it: make one by export/tflite.py"
        )
    try:
        return TensorFlowRuntime(model, threads)
    except ImportError as error:
        raise ConfigError(
            f"TensorFlow or Keras cannot be imported ({error}): "
            "pip install 'keras-jpeg-gan[train]', or export the model by export/tflite.py"
        ) from error


class LiteRTRuntime:
    """A TFLite model in LiteRT's interpreter; one that takes any size is laid out anew for each.

    Args:
        path: the TFLite file; card: what it is.
        threads: how many it may use, or None for all.

    Raises:
        ConfigError: LiteRT cannot be imported.
        ModelError: the file does not load.
    """

    def __init__(self, path: pathlib.Path, card: LightCard, threads: int | None = None) -> None:
        with captured_standard_error():
            try:
                from ai_edge_litert.interpreter import Interpreter
            except ImportError as error:
                raise ConfigError(
                    f"LiteRT cannot be imported ({error}): pip install ai-edge-litert"
                ) from error
            try:
                self._interpreter = Interpreter(
                    str(path), num_threads=threads or len(os.sched_getaffinity(0))
                )
            except (ValueError, RuntimeError) as error:
                raise ModelError(f"{path}: does not load ({error})") from error
        self._runner = self._interpreter.get_signature_runner("restore")
        self.halo = card.halo
        self.noise_strides = card.noise_strides
        # Its only words are of the delegate that the first run makes. Later ones are long, and
        # other threads' words are not to be caught meanwhile.
        side = card.tile or tiles.GRID
        smallest = np.zeros((1, side, side, 3), np.float32)
        with captured_standard_error():
            self.restore(smallest, np.ones((1, 2, 8, 8), np.float32))

    def restore(
        self, pixels: np.ndarray, tables: np.ndarray, noise: Sequence[np.ndarray] | None = None
    ) -> np.ndarray:
        """As `Runtime.restore`."""
        if noise is None:
            _, height, width, _ = pixels.shape
            noise = [
                np.zeros((1, height // s, width // s, 1), np.float32) for s in self.noise_strides
            ]
        fields = {f"noise_{i}": field for i, field in enumerate(noise)}
        return self._runner(pixels=pixels, tables=tables, **fields)["restored"]


class TensorFlowRuntime:
    """The generator as a TensorFlow graph: one trace for all sizes."""

    def __init__(self, model: str | pathlib.Path, threads: int | None = None) -> None:
        import_tensorflow()
        import keras
        import tensorflow as tf

        with captured_standard_error():
            from keras_jpeg_gan.models.presets import load_model

            if keras.backend.backend() != "tensorflow":
                raise ConfigError(
                    f"Keras runs on {keras.backend.backend()}: set KERAS_BACKEND=tensorflow"
                )
            _set_threads(tf, threads)
            generator, _ = load_model(model)
            self.halo = halo_of(generator)
            self.noise_strides = tuple(
                tiles.GRID // size for size, _ in generator.noise_sizes(tiles.GRID, tiles.GRID)
            )
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
        """As `Runtime.restore`."""
        if noise is None:
            return self._without_noise(pixels, tables).numpy()
        return self._with_noise(pixels, tables, list(noise)).numpy()


def halo_of(generator: Any) -> int:
    """A bound of a generator's receptive radius in pixels, a multiple of `tiles.GRID`.

    Every 3x3 convolution is counted as if it stood in one chain at the body's resolution, which
    is exact for the networks without an upsampling head.
    """
    sizes = [weight.shape for weight in generator.trainable_variables if len(weight.shape) == 4]
    return tiles.round_up(generator.unshuffle * sum(size[0] // 2 for size in sizes))


def _set_threads(tf: Any, threads: int | None) -> None:
    if threads is None:
        return
    try:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    except RuntimeError as error:
        raise ConfigError(
            "TensorFlow already runs: set the threads before anything else uses it"
        ) from error
