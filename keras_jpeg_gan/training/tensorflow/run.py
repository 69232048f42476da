"""A training on TensorFlow, from its config: devices, batches and TensorBoard."""

import os
import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from keras_jpeg_gan.data.pipeline import batches
from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.training.session import Data, Session
from keras_jpeg_gan.training.tensorflow.steps import STEPS


class TensorBoard:
    """A `monitor.Board` that writes event files to a folder; needs tensorboard."""

    def __init__(self, folder: pathlib.Path) -> None:
        self._writer = tf.summary.create_file_writer(str(folder))

    def scalars(self, step: int, values: dict[str, float]) -> None:
        """As `monitor.Board`."""
        with self._writer.as_default(step):
            for name, value in values.items():
                tf.summary.scalar(name, value)
        self._writer.flush()

    def picture(self, step: int, pixels: np.ndarray) -> None:
        """As `monitor.Board`."""
        with self._writer.as_default(step):
            tf.summary.image("pictures", pixels[None])
        self._writer.flush()


def train(config: Any, workdir: pathlib.Path) -> dict[str, float]:
    """Train until config.steps; resume from the newest checkpoint in workdir.

    With a TF_CONFIG of several workers, each of them runs this with the same config and a
    workdir that all of them see; the first validates and writes.

    Returns:
        The last validation's figures.

    Raises:
        ConfigError: a setting is wrong. Others as `loop.run`.
    """
    strategy = strategy_for()
    data = Data(config)
    check_shares(config, strategy.num_replicas_in_sync)
    session = Session(config, workdir, data, lambda: STEPS[config.method](strategy, config))
    first = session.first
    if _mean_over_replicas(strategy, first) != first:
        raise ConfigError(f"{workdir}: the workers see different checkpoints there: share it")
    per_replica = config.batch // strategy.num_replicas_in_sync

    def for_worker(context: tf.distribute.InputContext) -> tf.data.Dataset:
        worker, workers = context.input_pipeline_id, context.num_input_pipelines
        dataset = batches(
            data.training, data.patches, config.seed, config.batch, first, worker, workers
        )
        return dataset.rebatch(per_replica, drop_remainder=True)

    distributed = strategy.distribute_datasets_from_function(for_worker)
    chief = strategy.extended.should_checkpoint
    board = TensorBoard(workdir / "tensorboard") if chief and config.tensorboard else None
    figures = session.run(distributed, board, chief)
    _mean_over_replicas(strategy, config.steps)  # no worker ends before the first has written
    return figures


def strategy_for(devices: Sequence[str] | None = None) -> tf.distribute.Strategy:
    """Mirrored over the machines in TF_CONFIG, or over several devices.

    A single device is not mirrored: that would cost half a step.

    Args:
        devices: on this machine; by default all GPUs, or without one all logical CPUs.

    Raises:
        ConfigError: TF_CONFIG is not understood.
    """
    if os.environ.get("TF_CONFIG"):
        try:
            return tf.distribute.MultiWorkerMirroredStrategy()
        except (ValueError, KeyError, TypeError) as error:
            raise ConfigError(f"TF_CONFIG: not understood ({error})") from error
    devices = devices or _devices()
    if len(devices) > 1:
        return tf.distribute.MirroredStrategy(devices)
    return tf.distribute.get_strategy()


def check_shares(config: Any, replicas: int) -> None:
    """Refuse a batch that the replicas cannot share evenly.

    Raises:
        ConfigError: the batch is not divisible, or the images that count for the moments are not.
    """
    if config.batch % replicas:
        raise ConfigError(f"batch {config.batch} for {replicas} devices: no even share")
    share = config.batch // replicas
    if share % config.micro_batches:
        raise ConfigError(f"micro_batches {config.micro_batches} do not divide a share, {share}")
    share //= config.micro_batches
    if config.method == "sampler" and share % config.moment_images:
        raise ConfigError(f"moment_images {config.moment_images} does not divide a share, {share}")


def _devices() -> list[str]:
    kind = "GPU" if tf.config.list_logical_devices("GPU") else "CPU"
    return [device.name for device in tf.config.list_logical_devices(kind)]


def _mean_over_replicas(strategy: tf.distribute.Strategy, number: int) -> float:
    """The mean of a number that each worker has; all wait for each other."""
    values = strategy.run(lambda: tf.constant(number, tf.float64))
    return float(strategy.reduce(tf.distribute.ReduceOp.MEAN, values, axis=None))
