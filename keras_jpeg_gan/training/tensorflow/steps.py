"""Training steps on TensorFlow: GradientTape, on all replicas."""

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_jpeg_gan.training import checkpoints, loop, losses, plan
from keras_jpeg_gan.training.objectives import consistency_penalty

# Keeps the gradients of R1 from vanishing in float16; in other precisions, a power of two
# changes nothing.
_R1_SCALE = 2.0**10

# A plain graph writes out every product of the DCT, which takes a twentieth of a step.
_compiled_penalty = tf.function(consistency_penalty, jit_compile=True)


class _Step:
    """What both methods share: a generator with its optimizer, on all replicas."""

    def __init__(self, strategy: tf.distribute.Strategy, config: Any) -> None:
        self.strategy = strategy
        self.config = config
        self.replicas = strategy.num_replicas_in_sync
        with strategy.scope():
            self.generator = plan.new_generator(config)
            self.optimizer = self._scaling(plan.generator_optimizer(config))
            self.trained = plan.trained_variables(config, self.generator)
            self.optimizer.build(self.trained)
        self._restore = tf.function(self.generator, reduce_retracing=True)

    @property
    def variables(self) -> dict[str, Any]:
        """As `loop.Step`."""
        return checkpoints.variables(self.generator, self.optimizer)

    def averaged_weights(self) -> contextlib.AbstractContextManager[None]:
        """As `loop.Step`."""
        return loop.averaged(self.optimizer, self.trained)

    def restore(self, image: np.ndarray, tables: np.ndarray, noise: Any = None) -> tf.Tensor:
        """As `loop.Step`."""
        return self._restore(image, tables, noise)

    def _scaling(self, optimizer: keras.optimizers.Optimizer) -> keras.optimizers.Optimizer:
        """The optimizer, with loss scaling where gradients would vanish in float16."""
        if self.config.mixed_precision != "float16":
            return optimizer
        return keras.optimizers.LossScaleOptimizer(optimizer, name=f"scaled_{optimizer.name}")

    def on_replicas(self, function: Callable, *arguments: Any) -> dict[str, tf.Tensor]:
        """Run on all replicas; returns the means of their results."""
        names: list[str] = []

        def stacked(*arguments: Any) -> tf.Tensor:
            results = function(*arguments)
            names.extend(results)
            return tf.stack(list(results.values()))  # all reduced at once

        values = self.strategy.run(stacked, args=arguments)
        means = self.strategy.reduce(tf.distribute.ReduceOp.MEAN, values, axis=None)
        return dict(zip(dict.fromkeys(names), tf.unstack(means), strict=True))

    def descend(
        self, optimizer: Any, tape: tf.GradientTape, loss: tf.Tensor, variables: Sequence[Any]
    ) -> tf.Tensor:
        """Apply the gradient of a mean over the images of all replicas; returns its norm."""
        scale = tf.cast(optimizer.scale_loss(1.0), tf.float32)
        gradients = tape.gradient(loss, variables, output_gradients=scale)
        context = tf.distribute.get_replica_context()
        gradients = context.all_reduce(tf.distribute.ReduceOp.MEAN, gradients)
        # The optimizer adds up what the replicas give it, and now they all give the same.
        shares = [gradient / self.replicas for gradient in gradients]
        optimizer.apply_gradients(zip(shares, variables, strict=True))
        norm = tf.linalg.global_norm(gradients) / scale
        # A step that overflows in float16 is skipped, and the scale is halved.
        scaling = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
        return tf.where(tf.math.is_finite(norm), norm, 0.0) if scaling else norm


class RegressionStep(_Step):
    """One step of squared or absolute error, without noise."""

    def __call__(self, batch: Any, number: int) -> dict[str, Any]:
        """As `loop.Step`."""
        rates = plan.needs(self.config, number).rates
        return {**self._step(batch, tf.constant(rates["learning_rate"], tf.float32)), **rates}

    @tf.function
    def _step(self, batch: Any, rate: tf.Tensor) -> dict[str, tf.Tensor]:
        return self.on_replicas(self._replica_step, batch, rate)

    def _replica_step(self, batch: dict[str, tf.Tensor], rate: tf.Tensor) -> dict[str, tf.Tensor]:
        batch = losses.scaled(batch)
        with tf.GradientTape() as tape:
            loss = losses.regression_loss(self.generator, self.config.loss, batch)
        self.optimizer.learning_rate.assign(rate)
        norm = self.descend(self.optimizer, tape, loss, self.trained)
        return {"loss": loss, "gradient": norm}


class SamplerStep(_Step):
    """One step of the generator, then one of the critic on the same samples."""

    def __init__(self, strategy: tf.distribute.Strategy, config: Any) -> None:
        super().__init__(strategy, config)
        self.plan = plan.Plan.from_config(config)
        with strategy.scope():
            self.networks = plan.Networks.from_config(config, self.generator)
            self.critic = self.networks.critic
            self.critic_optimizer = self._scaling(plan.critic_optimizer())
            self.critic_optimizer.build(self.critic.trainable_variables)

    @property
    def variables(self) -> dict[str, Any]:
        """As `loop.Step`."""
        return checkpoints.variables(
            self.generator, self.optimizer, self.critic, self.critic_optimizer
        )

    def __call__(self, batch: Any, number: int) -> dict[str, Any]:
        """As `loop.Step`."""
        needs = plan.needs(self.config, number)
        rates = {name: tf.constant(value, tf.float32) for name, value in needs.rates.items()}
        return {**self._step(batch, rates, needs.moments, needs.r1), **needs.rates}

    @tf.function
    def _step(
        self, batch: Any, rates: dict[str, tf.Tensor], moments: bool, r1: float
    ) -> dict[str, tf.Tensor]:
        def on_replica(batch: Any, rates: Any) -> dict[str, tf.Tensor]:
            size = batch["compressed"].shape[1]
            length = losses.noise_length(self.generator, size)
            positions, samples = batch["position"], self.plan.samples
            noise = self._noise(positions, range(samples), length)
            more = None
            if moments:
                streams = range(samples, samples + self.plan.moment_samples)
                more = self._noise(positions[:: self.plan.moment_images], streams, length)
            return self.replica_step(batch, noise, more, rates, r1)

        return self.on_replicas(on_replica, batch, rates)

    def _noise(self, positions: tf.Tensor, streams: range, length: int) -> tf.Tensor:
        """Normals that depend on (seed, stream, image position) alone, stream by stream."""
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
        r1: float,
    ) -> dict[str, tf.Tensor]:
        """Both networks' step on one replica; arguments as in `losses` and `plan.Needs`."""
        batch = losses.scaled(batch)
        noise = tf.ensure_shape(noise, [self.plan.samples * batch["original"].shape[0], None])
        real = self.critic.embed(batch["original"])
        with tf.GradientTape() as tape:
            means, fake = losses.generator_losses(
                self.networks, self.plan, batch, real, noise, moment_noise,
                rates["consistency_weight"], _compiled_penalty,
            )  # fmt: skip
        with tf.GradientTape() as critic_tape:
            critic_means = losses.critic_losses(self.networks, real, fake, r1, _gradient)
        self.optimizer.learning_rate.assign(rates["learning_rate"])
        norm = self.descend(self.optimizer, tape, means["generator"], self.trained)
        self.critic_optimizer.learning_rate.assign(rates["critic_learning_rate"])
        critic_norm = self.descend(
            self.critic_optimizer,
            critic_tape,
            critic_means["critic"],
            self.critic.trainable_variables,
        )
        norms = {"gradient": norm, "critic_gradient": critic_norm}
        return {**means, **critic_means, **norms}


def _stream(seed: int, stream: int) -> tf.Tensor:
    return tf.constant((seed << 16) + stream, tf.int64)


def _gradient(function: Callable, parts: Sequence[tf.Tensor]) -> list[tf.Tensor]:
    with tf.GradientTape() as tape:
        tape.watch(parts)
        value = function(parts)
    # No head may score a part of the embedding: its gradient is then zero.
    gradients = tape.gradient(
        value, parts, output_gradients=tf.constant(_R1_SCALE), unconnected_gradients="zero"
    )
    return [gradient / _R1_SCALE for gradient in gradients]


STEPS: dict[str, Callable[..., loop.Step]] = {"regression": RegressionStep, "sampler": SamplerStep}
