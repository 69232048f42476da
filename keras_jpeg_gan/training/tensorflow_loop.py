"""Training on TensorFlow: GradientTape steps, mirrored over devices and machines."""

import contextlib
import importlib.util
import os
import pathlib
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from absl import logging

from keras_jpeg_gan.data.catalog import open_source
from keras_jpeg_gan.data.pipeline import PatchLaw, batches
from keras_jpeg_gan.data.sources import split
from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.models.presets import load_weights
from keras_jpeg_gan.training import checkpoints, loop, step
from keras_jpeg_gan.training.objectives import REGRESSION, consistency_penalty
from keras_jpeg_gan.training.pictures import Pictures
from keras_jpeg_gan.training.precision import MixedGenerator, policy
from keras_jpeg_gan.training.schedules import scheduled
from keras_jpeg_gan.training.validation import Validation

# Lifts the gradients of R1 above what vanishes in float16; in other precisions, a power of two
# changes nothing.
_R1_SCALE = 2.0**10

# A plain graph writes every product of the DCT, which takes a twentieth of a step.
_compiled_penalty = tf.function(consistency_penalty, jit_compile=True)


class _Step:
    """What both methods share: a generator with its optimizer, on all replicas."""

    def __init__(self, strategy: tf.distribute.Strategy, config: Any, beta_1: float) -> None:
        self.strategy = strategy
        self.config = config
        self.replicas = strategy.num_replicas_in_sync
        with strategy.scope():
            with policy(config.mixed_precision):
                self.generator = MixedGenerator.from_preset(config.preset)
            self.optimizer = self._scaling(
                step.adam(beta_1, name="adam", use_ema=True, ema_momentum=config.ema)
            )
            self.trained = self._trained()
            self.optimizer.build(self.trained)
        self._restore = tf.function(self.generator, reduce_retracing=True)

    def _trained(self) -> list[Any]:
        return self.generator.trainable_variables

    @property
    def variables(self) -> dict[str, Any]:
        """As `loop.Step`."""
        named = {f"generator:{v.path}": v for v in self.generator.variables}
        return named | {f"optimizer:{v.path}": v for v in self.optimizer.variables}

    def averaged_weights(self) -> contextlib.AbstractContextManager[None]:
        """As `loop.Step`."""
        return loop.averaged(self.optimizer, self.trained)

    def restore(self, image: np.ndarray, tables: np.ndarray, noise: Any = None) -> tf.Tensor:
        """As `loop.Step`."""
        return self._restore(image, tables, noise)

    def _scaling(self, optimizer: keras.optimizers.Optimizer) -> keras.optimizers.Optimizer:
        """The optimizer, which scales losses where their gradients vanish in float16."""
        if self.config.mixed_precision != "float16":
            return optimizer
        return keras.optimizers.LossScaleOptimizer(optimizer, name=f"scaled_{optimizer.name}")

    def on_replicas(self, function: Callable, *arguments: Any) -> dict[str, tf.Tensor]:
        """Run on all replicas; the means of their results."""
        names: list[str] = []

        def stacked(*arguments: Any) -> tf.Tensor:
            results = function(*arguments)
            names.extend(results)
            return tf.stack(list(results.values()))  # to be reduced at once

        values = self.strategy.run(stacked, args=arguments)
        means = self.strategy.reduce(tf.distribute.ReduceOp.MEAN, values, axis=None)
        return dict(zip(dict.fromkeys(names), tf.unstack(means), strict=True))

    def descend(
        self, optimizer: Any, tape: tf.GradientTape, loss: tf.Tensor, variables: Sequence[Any]
    ) -> tf.Tensor:
        """Apply the gradient of a mean over the images of all replicas; its norm."""
        scale = tf.cast(optimizer.scale_loss(1.0), tf.float32)
        gradients = tape.gradient(loss, variables, output_gradients=scale)
        context = tf.distribute.get_replica_context()
        gradients = context.all_reduce(tf.distribute.ReduceOp.MEAN, gradients)
        # The optimizer adds up what the replicas give it, which now is the same.
        shares = [gradient / self.replicas for gradient in gradients]
        optimizer.apply_gradients(zip(shares, variables, strict=True))
        norm = tf.linalg.global_norm(gradients) / scale
        # A step that overflows in float16 is left out, and the scale is halved.
        scaling = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
        return tf.where(tf.math.is_finite(norm), norm, 0.0) if scaling else norm


class RegressionStep(_Step):
    """One step of squared or absolute error, without noise."""

    def __init__(self, strategy: tf.distribute.Strategy, config: Any) -> None:
        if config.loss not in REGRESSION:
            raise ConfigError(f"loss {config.loss!r}: one of {', '.join(REGRESSION)}")
        super().__init__(strategy, config, beta_1=0.9)

    def _trained(self) -> list[Any]:
        # The noise's scalars have no gradient where there is no noise.
        return [v for v in self.generator.trainable_variables if v.name != "noise_scale"]

    def __call__(self, batch: Any, number: int) -> dict[str, Any]:
        """As `loop.Step`."""
        rate = scheduled(self.config, "learning_rate", number)
        return {**self._step(batch, tf.constant(rate, tf.float32)), "learning_rate": rate}

    @tf.function
    def _step(self, batch: Any, rate: tf.Tensor) -> dict[str, tf.Tensor]:
        return self.on_replicas(self._replica_step, batch, rate)

    def _replica_step(self, batch: dict[str, tf.Tensor], rate: tf.Tensor) -> dict[str, tf.Tensor]:
        batch = step.scaled(batch)
        with tf.GradientTape() as tape:
            restored = self.generator(batch["compressed"], batch["tables"])
            loss = tf.reduce_mean(REGRESSION[self.config.loss](restored, batch["original"]))
        self.optimizer.learning_rate.assign(rate)
        norm = self.descend(self.optimizer, tape, loss, self.trained)
        return {"loss": loss, "gradient": norm}


class SamplerStep(_Step):
    """One step of the generator, then one of the critic on the same samples."""

    def __init__(self, strategy: tf.distribute.Strategy, config: Any) -> None:
        super().__init__(strategy, config, beta_1=0.0)
        self.plan = step.Plan.from_config(config)
        with strategy.scope():
            self.networks = step.Networks.from_config(config, self.generator)
            self.critic = self.networks.critic
            self.critic_optimizer = self._scaling(step.adam(0.0, name="critic_adam"))
            self.critic_optimizer.build(self.critic.trainable_variables)

    @property
    def variables(self) -> dict[str, Any]:
        """As `loop.Step`."""
        named = {f"critic:{v.path}": v for v in self.critic.trainable_variables}
        named |= {f"critic_optimizer:{v.path}": v for v in self.critic_optimizer.variables}
        return super().variables | named

    def __call__(self, batch: Any, number: int) -> dict[str, Any]:
        """As `loop.Step`."""
        config = self.config
        names = ("learning_rate", "critic_learning_rate", "consistency_weight")
        rates = {name: scheduled(config, name, number) for name in names}
        moments = bool(self.plan.moment_samples) and number % config.moment_every == 0
        penalized = number % config.r1_every == 0
        constants = {name: tf.constant(value, tf.float32) for name, value in rates.items()}
        return {**self._step(batch, constants, moments, penalized), **rates}

    @tf.function
    def _step(
        self, batch: Any, rates: dict[str, tf.Tensor], moments: bool, penalized: bool
    ) -> dict[str, tf.Tensor]:
        def on_replica(batch: Any, rates: Any) -> dict[str, tf.Tensor]:
            size = batch["compressed"].shape[1]
            length = step.noise_length(self.generator, size)
            positions, plan = batch["position"], self.plan
            noise = self._noise(positions, range(plan.samples), length)
            more = None
            if moments:
                streams = range(plan.samples, plan.samples + plan.moment_samples)
                more = self._noise(positions[:: plan.moment_images], streams, length)
            return self.replica_step(batch, noise, more, rates, penalized)

        return self.on_replicas(on_replica, batch, rates)

    def _noise(self, positions: tf.Tensor, streams: range, length: int) -> tf.Tensor:
        """Normals by (seed, stream, position of the image) alone, stream by stream."""
        seeds = [
            tf.stack([tf.fill(tf.shape(positions), _stream(self.config.seed, s)), positions], -1)
            for s in streams
        ]
        return tf.map_fn(
            lambda seed: tf.random.stateless_normal([length], seed),
            tf.concat(seeds, 0),
            fn_output_signature=tf.TensorSpec([length], tf.float32),
        )

    def replica_step(
        self,
        batch: dict[str, tf.Tensor],
        noise: tf.Tensor,
        moment_noise: tf.Tensor | None,
        rates: dict[str, tf.Tensor],
        penalized: bool,
    ) -> dict[str, tf.Tensor]:
        """Both networks' step on one replica; arguments as `step.generator_losses`."""
        batch = step.scaled(batch)
        noise = tf.ensure_shape(noise, [self.plan.samples * batch["original"].shape[0], None])
        real = self.critic.embed(batch["original"])
        with tf.GradientTape() as tape:
            losses, fake = step.generator_losses(
                self.networks, self.plan, batch, real, noise, moment_noise,
                rates["consistency_weight"], _compiled_penalty,
            )  # fmt: skip
        # R1 left out of some steps counts for these in the others.
        penalty = self.plan.r1 * self.config.r1_every if penalized else 0.0
        with tf.GradientTape() as critic_tape:
            critic_losses = step.critic_losses(
                self.networks, self.plan, real, fake, penalty, _gradient
            )
        self.optimizer.learning_rate.assign(rates["learning_rate"])
        norm = self.descend(self.optimizer, tape, losses["generator"], self.trained)
        self.critic_optimizer.learning_rate.assign(rates["critic_learning_rate"])
        critic_norm = self.descend(
            self.critic_optimizer,
            critic_tape,
            critic_losses["critic"],
            self.critic.trainable_variables,
        )
        norms = {"gradient": norm, "critic_gradient": critic_norm}
        return {**losses, **critic_losses, **norms}


def _stream(seed: int, stream: int) -> tf.Tensor:
    return tf.constant((seed << 16) + stream, tf.int64)


def _gradient(function: Callable, parts: Sequence[tf.Tensor]) -> list[tf.Tensor]:
    with tf.GradientTape() as tape:
        tape.watch(parts)
        value = function(parts)
    # A part of the embedding that no head scores is no error.
    gradients = tape.gradient(
        value, parts, output_gradients=tf.constant(_R1_SCALE), unconnected_gradients="zero"
    )
    return [gradient / _R1_SCALE for gradient in gradients]


class TensorBoard:
    """A `monitor.Board` of event files in a folder.

    Raises:
        ConfigError: tensorboard is not installed.
    """

    def __init__(self, folder: pathlib.Path) -> None:
        if importlib.util.find_spec("tensorboard") is None:
            raise ConfigError(
                "tensorboard is not installed: pip install 'keras-jpeg-gan[train]', "
                "or give --config.tensorboard=False"
            )
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
    """Train until config.steps; taken up from the newest checkpoint in workdir.

    With a TF_CONFIG of several workers, each of them runs this with the same config and a
    workdir that all of them see; the first validates and writes.

    Returns:
        The last validation's figures.

    Raises:
        ConfigError: a setting is wrong. Others as `loop.run`.
    """
    loop.check(config)
    strategy = strategy_for()
    check_shares(config, strategy.num_replicas_in_sync)
    source = open_source(config.images, config.cache_mb)
    training, validating = split(source, config.validation_share)
    workdir.mkdir(parents=True, exist_ok=True)
    law = PatchLaw.from_config(config)
    keras.utils.set_random_seed(config.seed)  # the initial weights
    make = SamplerStep if config.method == "sampler" else RegressionStep
    step_function = make(strategy, config)
    if config.initial_weights:
        load_weights(step_function.generator, pathlib.Path(config.initial_weights))
    validation = Validation.from_config(config, validating)
    pictures = Pictures.from_config(config, validation, step_function)
    first = checkpoints.restore_latest(workdir / "checkpoints", step_function.variables)
    if _mean_over_replicas(strategy, first) != first:
        raise ConfigError(f"{workdir}: the workers see different checkpoints there: share it")
    if first:
        logging.info("taken up at step %d", first)
    per_replica = config.batch // strategy.num_replicas_in_sync

    def of_worker(context: tf.distribute.InputContext) -> tf.data.Dataset:
        worker, workers = context.input_pipeline_id, context.num_input_pipelines
        dataset = batches(training, law, config.seed, config.batch, first, worker, workers)
        return dataset.rebatch(per_replica, drop_remainder=True)

    distributed = strategy.distribute_datasets_from_function(of_worker)
    chief = strategy.extended.should_checkpoint
    board = TensorBoard(workdir / "tensorboard") if chief and config.tensorboard else None
    figures = loop.run(
        config, workdir, step_function, distributed, first, validation, pictures, board, chief
    )
    _mean_over_replicas(strategy, config.steps)  # no worker goes before the first has written
    return figures


def strategy_for(devices: Sequence[str] | None = None) -> tf.distribute.Strategy:
    """Mirrored over the machines of TF_CONFIG, or over several devices.

    One device needs no mirroring, which costs half a step there.

    Args:
        devices: of this machine; by default all GPUs, or without one all logical CPUs.

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
        ConfigError: it is so, or the images whose moments count cannot be shared.
    """
    if config.batch % replicas:
        raise ConfigError(f"batch {config.batch} for {replicas} devices: no even share")
    share = config.batch // replicas
    if config.method == "sampler" and share % config.moment_images:
        raise ConfigError(f"moment_images {config.moment_images} does not divide a share, {share}")


def _devices() -> list[str]:
    kind = "GPU" if tf.config.list_logical_devices("GPU") else "CPU"
    return [device.name for device in tf.config.list_logical_devices(kind)]


def _mean_over_replicas(strategy: tf.distribute.Strategy, number: int) -> float:
    """Of a number that each worker has; all wait for each other."""
    values = strategy.run(lambda: tf.constant(number, tf.float64))
    return float(strategy.reduce(tf.distribute.ReduceOp.MEAN, values, axis=None))
