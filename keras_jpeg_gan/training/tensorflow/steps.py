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

    def over_parts(self, function: Callable, batch: dict[str, tf.Tensor]) -> Any:
        """The mean of function(part) over the micro-batches, one after the other.

        All losses are means over images, so that it is what the whole batch gives.
        """
        parts = self.config.micro_batches
        if parts == 1:
            return function(batch)

        def part(index: Any) -> dict[str, tf.Tensor]:
            return {
                name: tf.reshape(value, (parts, value.shape[0] // parts, *value.shape[1:]))[index]
                for name, value in batch.items()
            }

        def add(index: tf.Tensor, total: Any) -> tuple[tf.Tensor, Any]:
            return index + 1, tf.nest.map_structure(tf.add, total, function(part(index)))

        _, total = tf.while_loop(
            lambda index, total: index < parts,
            add,
            (tf.constant(1), function(part(0))),
            parallel_iterations=1,
        )
        return tf.nest.map_structure(lambda value: value / parts, total)

    @staticmethod
    def scale(optimizer: Any) -> tf.Tensor:
        """What losses are multiplied by, so that gradients do not vanish in float16."""
        return tf.cast(optimizer.scale_loss(1.0), tf.float32)

    def descend(
        self, optimizer: Any, gradients: Sequence[tf.Tensor], variables: Sequence[Any]
    ) -> tf.Tensor:
        """Apply the scaled gradients of a replica's images, averaged over the replicas.

        Returns:
            The norm of the average, not scaled.
        """
        scale = self.scale(optimizer)
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
        loss, gradients = self.over_parts(self._gradients, batch)
        self.optimizer.learning_rate.assign(rate)
        norm = self.descend(self.optimizer, gradients, self.trained)
        return {"loss": loss, "gradient": norm}

    def _gradients(self, part: dict[str, tf.Tensor]) -> tuple[tf.Tensor, list[tf.Tensor]]:
        part = losses.scaled(part)
        with tf.GradientTape() as tape:
            loss = losses.regression_loss(self.generator, self.config.loss, part)
        return loss, tape.gradient(loss, self.trained, output_gradients=self.scale(self.optimizer))


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
        def gradients_of(part: Any) -> tuple[Any, Any, dict[str, tf.Tensor]]:
            size = part["compressed"].shape[1]
            length = losses.noise_length(self.generator, size)
            positions, samples = part["position"], self.plan.samples
            noise = self._noise(positions, range(samples), length)
            more = None
            if moments:
                streams = range(samples, samples + self.plan.moment_samples)
                more = self._noise(positions[:: self.plan.moment_images], streams, length)
            return self.gradients(part, noise, more, rates["consistency_weight"], r1)

        def on_replica(batch: Any, rates: Any) -> dict[str, tf.Tensor]:
            gradients, critic_gradients, means = self.over_parts(gradients_of, batch)
            return self.apply(gradients, critic_gradients, means, rates)

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

    def gradients(
        self,
        batch: dict[str, tf.Tensor],
        noise: tf.Tensor,
        moment_noise: tf.Tensor | None,
        consistency: tf.Tensor,
        r1: float,
    ) -> tuple[list[tf.Tensor], list[tf.Tensor], dict[str, tf.Tensor]]:
        """Both networks' scaled gradients on one replica, and the means of their losses.

        Arguments as in `losses` and `plan.Needs`.
        """
        batch = losses.scaled(batch)
        noise = tf.ensure_shape(noise, [self.plan.samples * batch["original"].shape[0], None])
        real = self.critic.embed(batch["original"])
        with tf.GradientTape() as tape:
            means, fake = losses.generator_losses(
                self.networks, self.plan, batch, real, noise, moment_noise,
                consistency, _compiled_penalty,
            )  # fmt: skip
        with tf.GradientTape() as critic_tape:
            critic_means = losses.critic_losses(self.networks, real, fake, r1, _gradient)
        gradients = tape.gradient(
            means["generator"], self.trained, output_gradients=self.scale(self.optimizer)
        )
        critic_gradients = critic_tape.gradient(
            critic_means["critic"],
            self.critic.trainable_variables,
            output_gradients=self.scale(self.critic_optimizer),
        )
        return gradients, critic_gradients, {**means, **critic_means}

    def apply(
        self,
        gradients: Sequence[tf.Tensor],
        critic_gradients: Sequence[tf.Tensor],
        means: dict[str, tf.Tensor],
        rates: dict[str, tf.Tensor],
    ) -> dict[str, tf.Tensor]:
        """Both optimizers' step on one replica; the means and the gradients' norms."""
        self.optimizer.learning_rate.assign(rates["learning_rate"])
        norm = self.descend(self.optimizer, gradients, self.trained)
        self.critic_optimizer.learning_rate.assign(rates["critic_learning_rate"])
        critic_norm = self.descend(
            self.critic_optimizer, critic_gradients, self.critic.trainable_variables
        )
        return {**means, "gradient": norm, "critic_gradient": critic_norm}


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
