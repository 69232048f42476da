"""Training on JAX: one compiled step on one accelerator. Imports no TensorFlow."""

import contextlib
import functools
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import keras
import numpy as np
from absl import logging
from jax import numpy as jnp

from keras_jpeg_gan.data.catalog import open_source
from keras_jpeg_gan.data.examples import PatchLaw, stream
from keras_jpeg_gan.data.sources import split
from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.models.presets import load_weights
from keras_jpeg_gan.training import checkpoints, loop, step
from keras_jpeg_gan.training.objectives import REGRESSION
from keras_jpeg_gan.training.pictures import Pictures
from keras_jpeg_gan.training.precision import MixedGenerator, policy
from keras_jpeg_gan.training.schedules import scheduled
from keras_jpeg_gan.training.validation import Validation

# Values of variables, in the order of a list of these.
_Values = list[jax.Array]


class _Trained:
    """Variables, their optimizer, and the values of both while they are in JAX's hands.

    Args:
        variables: the trained ones.
        optimizer: theirs, built here.
    """

    def __init__(self, variables: Sequence[Any], optimizer: keras.optimizers.Optimizer) -> None:
        self.variables = list(variables)
        self.optimizer = optimizer
        optimizer.build(self.variables)
        (self._rate,) = (
            i for i, v in enumerate(optimizer.variables) if v is optimizer.learning_rate
        )

    def values(self) -> tuple[_Values, _Values]:
        """Of the variables, and of the optimizer's."""
        return [v.value for v in self.variables], [v.value for v in self.optimizer.variables]

    def assign(self, values: tuple[_Values, _Values]) -> None:
        """What `values` gives."""
        for own, given in zip((self.variables, self.optimizer.variables), values, strict=True):
            for variable, value in zip(own, given, strict=True):
                variable.assign(value)

    def descend(
        self, values: tuple[_Values, _Values], gradients: _Values, rate: Any
    ) -> tuple[tuple[_Values, _Values], Any]:
        """Pure: the values after a step of the optimizer, and the gradients' norm."""
        trained, own = values
        own = [rate if i == self._rate else value for i, value in enumerate(own)]
        norm = jnp.sqrt(sum(jnp.sum(jnp.square(gradient)) for gradient in gradients))
        return self.optimizer.stateless_apply(own, gradients, trained), norm


class _Step:
    """What both methods share: a generator with its optimizer."""

    def __init__(self, config: Any, beta_1: float) -> None:
        if config.mixed_precision == "float16":
            raise ConfigError("mixed_precision float16: the JAX loop has bfloat16")
        self.config = config
        with policy(config.mixed_precision):
            self.generator = MixedGenerator.from_preset(config.preset)
        optimizer = step.adam(beta_1, name="adam", use_ema=True, ema_momentum=config.ema)
        self.parts = [_Trained(self._trained(), optimizer)]
        # The variables' values, taken from Keras while steps follow each other.
        self._values: list[tuple[_Values, _Values]] | None = None

    def _trained(self) -> list[Any]:
        return self.generator.trainable_variables

    @property
    def variables(self) -> dict[str, Any]:
        """As `loop.Step`; they may be assigned to."""
        self._give_back()
        named = {f"generator:{v.path}": v for v in self.generator.variables}
        return named | {f"optimizer:{v.path}": v for v in self.parts[0].optimizer.variables}

    def averaged_weights(self) -> contextlib.AbstractContextManager[None]:
        """As `loop.Step`."""
        self._give_back()
        return loop.averaged(self.parts[0].optimizer, self.parts[0].variables)

    def restore(self, image: np.ndarray, tables: np.ndarray, noise: Any = None) -> jax.Array:
        """As `loop.Step`."""
        self._give_back()
        values = [v.value for v in self.generator.trainable_variables]
        return self._restore(values, image, tables, noise)

    @functools.cached_property
    def _restore(self) -> Callable[..., jax.Array]:
        def run(values: _Values, image: Any, tables: Any, noise: Any) -> jax.Array:
            return self.generator.stateless_call(
                values, [v.value for v in self.generator.non_trainable_variables],
                image, tables, noise,
            )[0]  # fmt: skip

        return jax.jit(run)

    def _give_back(self) -> None:
        if self._values is not None:
            for part, values in zip(self.parts, self._values, strict=True):
                part.assign(values)
            self._values = None

    def _advance(self, function: Callable, *arguments: Any) -> dict[str, Any]:
        """Take a step: function(values, *arguments) -> values, means."""
        if self._values is None:
            # Copies: what is donated is lost to the variables that still refer to it.
            held = [part.values() for part in self.parts]
            self._values = jax.tree.map(jnp.copy, held)
        self._values, means = function(self._values, *arguments)
        return means


def _within(variables: Sequence[Any], values: _Values) -> contextlib.AbstractContextManager:
    """Within, Keras reads these values in the variables' place."""
    return keras.StatelessScope(state_mapping=list(zip(variables, values, strict=True)))


class RegressionStep(_Step):
    """One step of squared or absolute error, without noise."""

    def __init__(self, config: Any) -> None:
        if config.loss not in REGRESSION:
            raise ConfigError(f"loss {config.loss!r}: one of {', '.join(REGRESSION)}")
        super().__init__(config, beta_1=0.9)

    def _trained(self) -> list[Any]:
        # The noise's scalars have no gradient where there is no noise.
        return [v for v in self.generator.trainable_variables if v.name != "noise_scale"]

    def __call__(self, batch: Mapping[str, Any], number: int) -> dict[str, Any]:
        """As `loop.Step`."""
        rate = scheduled(self.config, "learning_rate", number)
        means = self._advance(self._step, dict(batch), jnp.float32(rate))
        return {**means, "learning_rate": rate}

    @functools.cached_property
    def _step(self) -> Callable:
        (part,) = self.parts

        def objective(values: _Values, batch: Mapping[str, Any]) -> Any:
            with _within(part.variables, values):
                restored = self.generator(batch["compressed"], batch["tables"])
            return jnp.mean(REGRESSION[self.config.loss](restored, batch["original"]))

        def run(values: list, batch: Mapping[str, Any], rate: Any) -> tuple[list, dict[str, Any]]:
            batch = step.scaled(batch)
            loss, gradients = jax.value_and_grad(objective)(values[0][0], batch)
            after, norm = part.descend(values[0], gradients, rate)
            return [after], {"loss": loss, "gradient": norm}

        return jax.jit(run, donate_argnums=0)


class SamplerStep(_Step):
    """One step of the generator, then one of the critic on the same samples."""

    def __init__(self, config: Any) -> None:
        super().__init__(config, beta_1=0.0)
        self.plan = step.Plan.from_config(config)
        self.networks = step.Networks.from_config(config, self.generator)
        self.critic = self.networks.critic
        optimizer = step.adam(0.0, name="critic_adam")
        self.parts.append(_Trained(self.critic.trainable_variables, optimizer))

    @property
    def variables(self) -> dict[str, Any]:
        """As `loop.Step`."""
        shared = super().variables
        named = {f"critic:{v.path}": v for v in self.critic.trainable_variables}
        named |= {f"critic_optimizer:{v.path}": v for v in self.parts[1].optimizer.variables}
        return shared | named

    def __call__(self, batch: Mapping[str, Any], number: int) -> dict[str, Any]:
        """As `loop.Step`."""
        config = self.config
        names = ("learning_rate", "critic_learning_rate", "consistency_weight")
        rates = {name: scheduled(config, name, number) for name in names}
        moments = bool(self.plan.moment_samples) and number % config.moment_every == 0
        noise, more = self.noise(batch["position"], batch["compressed"].shape[1], moments)
        weights = {name: jnp.float32(value) for name, value in rates.items()}
        penalized = number % config.r1_every == 0
        given = dict(batch), noise, more, weights, self._frozen_values
        return {**self._advance(self._steps[penalized], *given), **rates}

    def noise(self, positions: Any, size: int, moments: bool) -> tuple[Any, Any]:
        """Normals for the samples and, where there are moments, for these, stream by stream.

        They are functions of (seed, stream, position of the image) alone.
        """
        plan, length = self.plan, step.noise_length(self.generator, size)
        positions = np.asarray(positions)
        noise = _normals(self.config.seed, range(plan.samples), positions, length)
        if not moments:
            return noise, None
        streams = range(plan.samples, plan.samples + plan.moment_samples)
        return noise, _normals(self.config.seed, streams, positions[:: plan.moment_images], length)

    @functools.cached_property
    def _frozen(self) -> list[Any]:
        """Variables that no step changes; as arguments, they are not compiled in."""
        networks = (self.networks.estimate, self.networks.perceptual)
        found = [v for network in networks if network is not None for v in network.variables]
        trained = {id(v) for v in self.critic.trainable_variables}
        return found + [v for v in self.critic.variables if id(v) not in trained]

    @functools.cached_property
    def _frozen_values(self) -> _Values:
        return [v.value for v in self._frozen]

    @functools.cached_property
    def _steps(self) -> dict[bool, Callable]:
        """With R1 and without."""
        return {
            penalized: jax.jit(functools.partial(self._step, penalized), donate_argnums=0)
            for penalized in (False, True)
        }

    def _step(
        self,
        penalized: bool,
        values: list,
        batch: Mapping[str, Any],
        noise: Any,
        moment_noise: Any,
        rates: Mapping[str, Any],
        frozen: _Values,
    ) -> tuple[list, dict[str, Any]]:
        """Both networks' step; arguments as `step.generator_losses`."""
        batch = step.scaled(batch)
        first, second = self.parts
        constant = [*second.variables, *self._frozen]
        with _within(constant, [*values[1][0], *frozen]):
            real = self.critic.embed(batch["original"])

        def of_generator(trained: _Values) -> Any:
            given = [*trained, *values[1][0], *frozen]
            with _within([*first.variables, *constant], given):
                losses, fake = step.generator_losses(
                    self.networks, self.plan, batch, real, noise, moment_noise,
                    rates["consistency_weight"],
                )  # fmt: skip
            return losses["generator"], (losses, fake)

        # R1 left out of some steps counts for these in the others.
        penalty = self.plan.r1 * self.config.r1_every if penalized else 0.0

        def of_critic(trained: _Values, fake: Any) -> Any:
            with _within(constant, [*trained, *frozen]):
                losses = step.critic_losses(
                    self.networks, self.plan, real, fake, penalty, _gradient
                )
            return losses["critic"], losses

        gradients, (losses, fake) = jax.grad(of_generator, has_aux=True)(values[0][0])
        critic_gradients, critic_losses = jax.grad(of_critic, has_aux=True)(values[1][0], fake)
        generator, norm = first.descend(values[0], gradients, rates["learning_rate"])
        critic, critic_norm = second.descend(
            values[1], critic_gradients, rates["critic_learning_rate"]
        )
        norms = {"gradient": norm, "critic_gradient": critic_norm}
        return [generator, critic], {**losses, **critic_losses, **norms}


def _gradient(function: Callable, parts: Sequence[Any]) -> Sequence[Any]:
    return jax.grad(function)(list(parts))


@functools.partial(jax.jit, static_argnums=(0, 1, 3))
def _normals(seed: int, streams: range, positions: Any, length: int) -> jax.Array:
    """[streams x positions, length], stream by stream."""

    def drawn(key: Any, position: Any) -> jax.Array:
        return jax.random.normal(jax.random.fold_in(key, position), (length,))

    keys = [jax.random.fold_in(jax.random.key(seed), stream) for stream in streams]
    return jnp.concatenate([jax.vmap(functools.partial(drawn, key))(positions) for key in keys])


def train(config: Any, workdir: pathlib.Path) -> dict[str, float]:
    """Train until config.steps; taken up from the newest checkpoint in workdir.

    Numbers go to metrics.jsonl only, and noise is not the TensorFlow loop's; all else is as
    there, and each takes up the other's checkpoints.

    Returns:
        The last validation's figures.

    Raises:
        ConfigError: a setting is wrong. Others as `loop.run`.
    """
    loop.check(config)
    source = open_source(config.images, config.cache_mb)
    training, validating = split(source, config.validation_share)
    workdir.mkdir(parents=True, exist_ok=True)
    law = PatchLaw.from_config(config)
    keras.utils.set_random_seed(config.seed)  # the initial weights
    step_function = SamplerStep(config) if config.method == "sampler" else RegressionStep(config)
    if config.initial_weights:
        load_weights(step_function.generator, pathlib.Path(config.initial_weights))
    validation = Validation.from_config(config, validating)
    pictures = Pictures.from_config(config, validation, step_function)
    first = checkpoints.restore_latest(workdir / "checkpoints", step_function.variables)
    if first:
        logging.info("taken up at step %d", first)
    batches = stream(training, law, config.seed, config.batch, first)
    return loop.run(config, workdir, step_function, batches, first, validation, pictures)
