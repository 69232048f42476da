"""Regression training on TensorFlow: a GradientTape step under MirroredStrategy."""

import contextlib
import math
import pathlib
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from absl import logging

from keras_jpeg_gan.data.degradation import QualityLaw
from keras_jpeg_gan.data.pipeline import PatchLaw, batches
from keras_jpeg_gan.data.sources import FolderSource, find_images, held_back
from keras_jpeg_gan.errors import ConfigError, JpegGanError
from keras_jpeg_gan.models.generator import Generator
from keras_jpeg_gan.models.presets import load_weights, save_model
from keras_jpeg_gan.training import checkpoints
from keras_jpeg_gan.training.monitor import Monitor
from keras_jpeg_gan.training.objectives import REGRESSION
from keras_jpeg_gan.training.schedules import cosine
from keras_jpeg_gan.training.validation import Validation


class DivergenceError(JpegGanError):
    """The loss is no longer a number."""


class RegressionStep:
    """One optimizer step on all replicas: squared or absolute error, without noise.

    Args:
        strategy: where the replicas are.
        preset: the generator's architecture.
        loss: a name of `objectives.REGRESSION`.
        batch: images of a step, over all replicas.
        ema: momentum of the moving average of the weights.
    """

    def __init__(
        self, strategy: tf.distribute.Strategy, preset: str, loss: str, batch: int, ema: float
    ) -> None:
        self.strategy = strategy
        self._loss = REGRESSION[loss]
        self._batch = batch
        with strategy.scope():
            self.generator = Generator.from_preset(preset)
            self.optimizer = keras.optimizers.Adam(
                beta_1=0.9, beta_2=0.99, use_ema=True, ema_momentum=ema, name="adam"
            )
            # The noise's scalars have no gradient where there is no noise.
            self._trained = [
                variable
                for variable in self.generator.trainable_variables
                if variable.name != "noise_scale"
            ]
            self.optimizer.build(self._trained)

    @property
    def variables(self) -> dict[str, Any]:
        """All that a resumed run needs, by stable names."""
        named = {f"generator:{v.path}": v for v in self.generator.variables}
        return named | {f"optimizer:{v.path}": v for v in self.optimizer.variables}

    @tf.function
    def __call__(self, batch: dict[str, tf.Tensor], learning_rate: tf.Tensor) -> tf.Tensor:
        """Mean loss over the global batch, before the step."""
        losses = self.strategy.run(self._replica_step, args=(batch, learning_rate))
        return self.strategy.reduce(tf.distribute.ReduceOp.SUM, losses, axis=None)

    def _replica_step(self, batch: dict[str, tf.Tensor], learning_rate: tf.Tensor) -> tf.Tensor:
        original = tf.cast(batch["original"], tf.float32) / 255
        compressed = tf.cast(batch["compressed"], tf.float32) / 255
        with tf.GradientTape() as tape:
            restored = self.generator(compressed, batch["tables"])
            loss = tf.reduce_sum(self._loss(restored, original)) / self._batch
        variables = self._trained
        self.optimizer.learning_rate.assign(learning_rate)
        self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return loss

    @contextlib.contextmanager
    def averaged_weights(self) -> Iterator[None]:
        """Within, the generator has the moving average of its weights."""
        variables = self._trained
        current = [variable.numpy() for variable in variables]
        self.optimizer.finalize_variable_values(variables)
        try:
            yield
        finally:
            for variable, value in zip(variables, current, strict=True):
                variable.assign(value)


def train(config: Any, workdir: pathlib.Path) -> dict[str, float]:
    """Train until config.steps; taken up from the newest checkpoint in workdir.

    Writes workdir/checkpoints, workdir/metrics.jsonl and the model of the newest validation,
    workdir/generator.weights.h5 (averaged weights) with its card. Ctrl-C writes a
    checkpoint before it ends.

    Returns:
        The last validation's figures.

    Raises:
        ConfigError: a setting is wrong. DivergenceError: the loss is not finite.
        KeyboardInterrupt: after the checkpoint is written.
    """
    training, validating = _sources(config)
    workdir.mkdir(parents=True, exist_ok=True)
    quality = QualityLaw(config.quality_low, config.quality_high, config.quality_skew)
    law = PatchLaw(config.patch, config.max_scale, quality, config.sampling)
    if config.loss not in REGRESSION:
        raise ConfigError(f"loss {config.loss!r}: one of {', '.join(REGRESSION)}")
    strategy = strategy_for(_devices())
    if config.batch % strategy.num_replicas_in_sync:
        raise ConfigError(f"batch {config.batch} for {strategy.num_replicas_in_sync} devices")
    keras.utils.set_random_seed(config.seed)  # the initial weights
    step_function = RegressionStep(strategy, config.preset, config.loss, config.batch, config.ema)
    if config.initial_weights:
        load_weights(step_function.generator, pathlib.Path(config.initial_weights))
    folder = workdir / "checkpoints"
    first = checkpoints.restore_latest(folder, step_function.variables)
    if first:
        logging.info("taken up at step %d", first)
    dataset = batches(training, law, config.seed, config.batch, first)
    monitor = Monitor(workdir / "metrics.jsonl", first, config.steps, config.batch)
    validation = Validation(
        [image for image in validating if min(image.shape[:2]) >= config.validation_size],
        config.validation_qualities,
        config.validation_size,
    )
    restore = tf.function(step_function.generator, reduce_retracing=True)
    figures: dict[str, float] = {}
    step, losses = first, []
    try:
        for batch in strategy.experimental_distribute_dataset(dataset):
            if step >= config.steps:
                break
            rate = cosine(config.learning_rate, config.final_learning_rate, step, config.steps)
            losses.append(step_function(batch, tf.constant(rate, tf.float32)))
            step += 1
            if step % config.log_every == 0:
                loss = float(np.mean([loss.numpy() for loss in losses]))
                losses = []
                if not math.isfinite(loss):
                    good = checkpoints.all_steps(folder)[-1:]
                    raise DivergenceError(
                        f"the loss is {loss} by step {step}; last good checkpoint: "
                        f"{'step ' + str(good[0]) if good else 'none'}"
                    )
                monitor.report(step, {"loss": loss, "learning_rate": rate})
            if step % config.validate_every == 0 or step == config.steps:
                with step_function.averaged_weights():
                    figures = validation(restore)
                    save_model(
                        step_function.generator,
                        workdir / "generator.weights.h5",
                        kind="regression",
                        trained={"steps": step, "config": _trained_by(config)},
                        validation=figures,
                    )
                monitor.validation(step, figures)
            if step % config.checkpoint_every == 0 or step == config.steps:
                checkpoints.save(folder, step, step_function.variables)
    except KeyboardInterrupt:
        path = checkpoints.save(folder, step, step_function.variables)
        logging.info("interrupted; %s", path.name)
        raise
    return figures


def _trained_by(config: Any) -> dict[str, Any]:
    """The config as JSON can hold it, without the paths of this machine."""
    left_out = ("images", "initial_weights")
    return {key: value for key, value in config.to_dict().items() if key not in left_out}


def strategy_for(devices: Sequence[str]) -> tf.distribute.Strategy:
    """Mirrored over several devices; one needs no mirroring, which costs half a step there."""
    several = len(devices) > 1
    return tf.distribute.MirroredStrategy(devices) if several else tf.distribute.get_strategy()


def _devices() -> list[str]:
    """All GPUs, or without one all logical CPUs."""
    kind = "GPU" if tf.config.list_logical_devices("GPU") else "CPU"
    return [device.name for device in tf.config.list_logical_devices(kind)]


def _sources(config: Any) -> tuple[FolderSource, FolderSource]:
    """Training images and held-back images of the configured folder."""
    if not config.images:
        raise ConfigError("no training images: give --config.images=FOLDER")
    paths = find_images(config.images)
    validating = [path for path in paths if held_back(path, config.validation_share)]
    training = [path for path in paths if not held_back(path, config.validation_share)]
    if not training or not validating:
        raise ConfigError(
            f"{config.images}: {len(training)} images to train on, {len(validating)} held back; "
            "both are needed (see config.validation_share)"
        )
    return FolderSource(training, config.cache_mb), FolderSource(validating, config.cache_mb)
