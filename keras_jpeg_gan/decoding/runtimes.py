"""What runs the network: for now Keras on TensorFlow, which is imported when first needed."""

import os
import pathlib
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from keras_jpeg_gan.decoding import tiles
from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.jpeg.coefficients import caught_standard_error

RUNTIMES = ("auto", "tensorflow")

# Steps that the float projection keeps from the borders of its cells, on which rounding is a toss.
_MARGIN = 0.02


class Runtime(Protocol):
    """A loaded network, and the float projection on the same machine.

    Attributes:
        halo: pixels around a tile that its result depends on, a multiple of `tiles.GRID`.
        noise_strides: of each noise field the network takes, how many pixels of a side lie
            under one of its positions.
    """

    halo: int
    noise_strides: tuple[int, ...]

    def restore(
        self, image: np.ndarray, tables: np.ndarray, noise: Sequence[np.ndarray] | None = None
    ) -> np.ndarray:
        """Run the network.

        Args:
            image: [B, H, W, 3] float32 in [0, 1]; H and W multiples of `tiles.GRID`.
            tables: [B, 2, 8, 8] float32, steps (`jpeg.tables.network_tables`).
            noise: [B, H / stride, W / stride, 1] float32 for each stride, or none.

        Returns:
            [B, H, W, 3] float32, not clipped.
        """

    def project(
        self,
        pixels: np.ndarray,
        levels: Sequence[np.ndarray],
        tables: Sequence[np.ndarray],
        sampling: str,
    ) -> np.ndarray:
        """The float projection (`jpeg.consistency.project`) of one image.

        Args:
            pixels: [H, W] or [H, W, 3] float32, 0..255.
            levels: [Hb, Wb, 8, 8] integers for each component.
            tables: [8, 8] steps for each component.
            sampling: as `emulator.factors` reads it.

        Returns:
            Of the pixels' shape, float32, not clipped.

        Raises:
            ConfigError: a ratio of factors is not whole.
        """


def import_tensorflow() -> None:
    """Import TensorFlow and Keras upon it, without the remarks that they make of it."""
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # No logging level keeps CUDA's and oneDNN's remarks off.
    with caught_standard_error():
        import keras  # noqa: F401
        import tensorflow  # noqa: F401


def open_runtime(kind: str, model: str | pathlib.Path, threads: int | None = None) -> Runtime:
    """Load a model into a runtime.

    Args:
        kind: one of `RUNTIMES`; auto is tensorflow.
        model: a bundled name or a path.
        threads: how many the network may use, or None for all.

    Raises:
        ConfigError: the runtime is unknown or not installed, or already runs with other threads.
        ModelError: the model cannot be loaded.
    """
    if kind not in RUNTIMES:
        raise ConfigError(f"runtime {kind!r}: one of {', '.join(RUNTIMES)}")
    try:
        return TensorFlowRuntime(model, threads)
    except ImportError as error:
        raise ConfigError(f"TensorFlow or Keras cannot be imported ({error})") from error


class TensorFlowRuntime:
    """The generator as a TensorFlow graph: one trace for all sizes."""

    def __init__(self, model: str | pathlib.Path, threads: int | None = None) -> None:
        import_tensorflow()
        import keras
        import tensorflow as tf

        with caught_standard_error():
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
            images = tf.TensorSpec((None, None, None, 3), tf.float32)
            steps = tf.TensorSpec((None, 2, 8, 8), tf.float32)
            fields = [tf.TensorSpec((None, None, None, 1), tf.float32)] * len(self.noise_strides)
            self._without_noise = tf.function(
                lambda image, tables: generator(image, tables), input_signature=[images, steps]
            )
            self._with_noise = tf.function(
                lambda image, tables, noise: generator(image, tables, noise),
                input_signature=[images, steps, fields],
            )
            smallest = np.zeros((1, tiles.GRID, tiles.GRID, 3), np.float32)
            self._without_noise(smallest, np.ones((1, 2, 8, 8), np.float32))

    def restore(
        self, image: np.ndarray, tables: np.ndarray, noise: Sequence[np.ndarray] | None = None
    ) -> np.ndarray:
        """As `Runtime.restore`."""
        if noise is None:
            return self._without_noise(image, tables).numpy()
        return self._with_noise(image, tables, list(noise)).numpy()

    def project(
        self,
        pixels: np.ndarray,
        levels: Sequence[np.ndarray],
        tables: Sequence[np.ndarray],
        sampling: str,
    ) -> np.ndarray:
        """As `Runtime.project`."""
        from keras import ops

        from keras_jpeg_gan.jpeg import consistency

        given = consistency.batch_of_one(pixels, levels, tables)
        projected = consistency.project(*given, sampling, _MARGIN)
        return ops.convert_to_numpy(projected).reshape(pixels.shape)


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
