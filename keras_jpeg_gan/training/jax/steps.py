"""Training steps on JAX: pure functions of all variables' values, compiled whole."""

import contextlib
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import keras
import numpy as np
from jax import numpy as jnp

from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.training import checkpoints, loop, losses, plan

# The values of a list of variables, in its order.
_Values = list[jax.Array]


class _Trained:
    """Trained variables and their optimizer, whose values steps take and return.

    Args:
        variables: the trained variables.
        optimizer: for them; it is built here.
    """

    def __init__(self, variables: Sequence[Any], optimizer: keras.optimizers.Optimizer) -> None:
        self.variables = list(variables)
        self.optimizer = optimizer
        optimizer.build(self.variables)
        (self._rate,) = (
            i for i, v in enumerate(optimizer.variables) if v is optimizer.learning_rate
        )

    def values(self) -> tuple[_Values, _Values]:
        """The values of the variables, and of the optimizer's variables."""
        return [v.value for v in self.variables], [v.value for v in self.optimizer.variables]

    def assign(self, values: tuple[_Values, _Values]) -> None:
        """Assign what `values` returns."""
        for own, given in zip((self.variables, self.optimizer.variables), values, strict=True):
            for variable, value in zip(own, given, strict=True):
                variable.assign(value)

    def descend(
        self, values: tuple[_Values, _Values], gradients: _Values, rate: Any
    ) -> tuple[tuple[_Values, _Values], Any]:
        """The values after a step of the optimizer, and the gradients' norm; a pure function."""
        trained, own = values
        own = [rate if i == self._rate else value for i, value in enumerate(own)]
        norm = jnp.sqrt(sum(jnp.sum(jnp.square(gradient)) for gradient in gradients))
        return self.optimizer.stateless_apply(own, gradients, trained), norm


class _Step:
    """What both methods share: a generator with its optimizer."""

    def __init__(self, config: Any) -> None:
        if config.mixed_precision == "float16":
            raise ConfigError("mixed_precision float16: JAX trains in bfloat16")
        self.config = config
        self.generator = plan.new_generator(config)
        trained = plan.trained_variables(config, self.generator)
        self.parts = [_Trained(trained, plan.generator_optimizer(config))]
        # The variables' values, which Keras does not hold while steps follow each other.
        self._values: list[tuple[_Values, _Values]] | None = None

    @property
    def variables(self) -> dict[str, Any]:
        """As `loop.Step`."""
        self._give_back()
        return checkpoints.variables(self.generator, self.parts[0].optimizer)

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
        """Take a step by function(values, *arguments) -> values, means."""
        if self._values is None:
            # Copies: variables lose what is donated, though they still refer to it.
            held = [part.values() for part in self.parts]
            self._values = jax.tree.map(jnp.copy, held)
        self._values, means = function(self._values, *arguments)
        return means


def _within(variables: Sequence[Any], values: _Values) -> contextlib.AbstractContextManager:
    """Within, Keras reads these values instead of the variables'."""
    return keras.StatelessScope(state_mapping=list(zip(variables, values, strict=True)))


class RegressionStep(_Step):
    """One step of squared or absolute error, without noise."""

    def __call__(self, batch: Mapping[str, Any], number: int) -> dict[str, Any]:
        """As `loop.Step`."""
        rates = plan.needs(self.config, number).rates
        means = self._advance(self._step, dict(batch), jnp.float32(rates["learning_rate"]))
        return {**means, **rates}

    @functools.cached_property
    def _step(self) -> Callable:
        (part,) = self.parts

        def objective(values: _Values, batch: Mapping[str, Any]) -> Any:
            with _within(part.variables, values):
                return losses.regression_loss(self.generator, self.config.loss, batch)

        def run(values: list, batch: Mapping[str, Any], rate: Any) -> tuple[list, dict[str, Any]]:
            def of_part(part: Mapping[str, Any]) -> Any:
                return jax.value_and_grad(objective)(values[0][0], losses.scaled(part))

            loss, gradients = _over_parts(self.config.micro_batches, of_part, batch)
            after, norm = part.descend(values[0], gradients, rate)
            return [after], {"loss": loss, "gradient": norm}

        return jax.jit(run, donate_argnums=0)


class SamplerStep(_Step):
    """One step of the generator, then one of the critic on the same samples."""

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.plan = plan.Plan.from_config(config)
        self.networks = plan.Networks.from_config(config, self.generator)
        self.critic = self.networks.critic
        self.parts.append(_Trained(self.critic.trainable_variables, plan.critic_optimizer()))

    @property
    def variables(self) -> dict[str, Any]:
        """As `loop.Step`."""
        self._give_back()
        optimizers = [part.optimizer for part in self.parts]
        return checkpoints.variables(self.generator, optimizers[0], self.critic, optimizers[1])

    def __call__(self, batch: Mapping[str, Any], number: int) -> dict[str, Any]:
        """As `loop.Step`."""
        needs = plan.needs(self.config, number)
        size = batch["compressed"].shape[1]
        noise, more = self.noise(batch["position"], size, needs.moments)
        rates = {name: jnp.float32(value) for name, value in needs.rates.items()}
        given = dict(batch), noise, more, rates, self._frozen_values, needs.r1
        return {**self._advance(self._step, *given), **needs.rates}

    def noise(self, positions: Any, size: int, moments: bool) -> tuple[Any, Any]:
        """Normals for the samples and, if they are needed, for the moments, stream by stream.

        They depend on (seed, stream, image position) alone.
        """
        seed, samples = self.config.seed, self.plan.samples
        length = losses.noise_length(self.generator, size)
        positions = np.asarray(positions)
        noise = normals(seed, range(samples), positions, length)
        if not moments:
            return noise, None
        streams = range(samples, samples + self.plan.moment_samples)
        return noise, normals(seed, streams, positions[:: self.plan.moment_images], length)

    @functools.cached_property
    def _frozen(self) -> list[Any]:
        """Variables that no step changes; passed as arguments, they are not compiled in."""
        networks = (self.networks.estimate, self.networks.perceptual)
        found = [v for network in networks if network is not None for v in network.variables]
        trained = {id(v) for v in self.critic.trainable_variables}
        return found + [v for v in self.critic.variables if id(v) not in trained]

    @functools.cached_property
    def _frozen_values(self) -> _Values:
        return [v.value for v in self._frozen]

    @functools.cached_property
    def _step(self) -> Callable:
        """`_both`, compiled anew for each weight of R1: there are two, of which one is 0."""
        return jax.jit(self._both, donate_argnums=0, static_argnums=6)

    def _both(
        self,
        values: list,
        batch: Mapping[str, Any],
        noise: Any,
        moment_noise: Any,
        rates: Mapping[str, Any],
        frozen: _Values,
        r1: float,
    ) -> tuple[list, dict[str, Any]]:
        """Both networks' step; arguments as in `losses` and `plan.Needs`."""
        first, second = self.parts
        inputs = {
            "batch": batch,
            "noise": _by_image(noise, self.plan.samples),
            "moment_noise": _by_image(moment_noise, self.plan.moment_samples),
        }

        def of_part(part: Mapping[str, Any]) -> Any:
            return self._gradients(values, rates["consistency_weight"], frozen, r1, **part)

        gradients, critic_gradients, means = _over_parts(self.config.micro_batches, of_part, inputs)
        generator, norm = first.descend(values[0], gradients, rates["learning_rate"])
        critic, critic_norm = second.descend(
            values[1], critic_gradients, rates["critic_learning_rate"]
        )
        norms = {"gradient": norm, "critic_gradient": critic_norm}
        return [generator, critic], {**means, **norms}

    def _gradients(
        self,
        values: list,
        consistency: Any,
        frozen: _Values,
        r1: float,
        batch: Mapping[str, Any],
        noise: Any,
        moment_noise: Any,
    ) -> tuple[_Values, _Values, dict[str, Any]]:
        """Both networks' gradients, and the means of their losses."""
        batch = losses.scaled(batch)
        noise, moment_noise = _by_sample(noise), _by_sample(moment_noise)
        first, second = self.parts
        constant = [*second.variables, *self._frozen]
        with _within(constant, [*values[1][0], *frozen]):
            real = self.critic.embed(batch["original"])

        def of_generator(trained: _Values) -> Any:
            given = [*trained, *values[1][0], *frozen]
            with _within([*first.variables, *constant], given):
                means, fake = losses.generator_losses(
                    self.networks, self.plan, batch, real, noise, moment_noise,
                    consistency,
                )  # fmt: skip
            return means["generator"], (means, fake)

        def of_critic(trained: _Values, fake: Any) -> Any:
            with _within(constant, [*trained, *frozen]):
                means = losses.critic_losses(self.networks, real, fake, r1, _gradient)
            return means["critic"], means

        gradients, (means, fake) = jax.grad(of_generator, has_aux=True)(values[0][0])
        critic_gradients, critic_means = jax.grad(of_critic, has_aux=True)(values[1][0], fake)
        return gradients, critic_gradients, {**means, **critic_means}


def _over_parts(parts: int, function: Callable, inputs: Any) -> Any:
    """The mean of function(part) over micro-batches of arrays [B, ...], one after the other.

    All losses are means over images, so that it is what the whole batch gives.
    """
    if parts == 1:
        return function(inputs)
    split = jax.tree.map(lambda value: jnp.reshape(value, (parts, -1, *value.shape[1:])), inputs)
    shapes = jax.eval_shape(function, jax.tree.map(lambda value: value[0], split))
    zeros = jax.tree.map(lambda shape: jnp.zeros(shape.shape, shape.dtype), shapes)

    def add(total: Any, part: Any) -> tuple[Any, None]:
        return jax.tree.map(jnp.add, total, function(part)), None

    total, _ = jax.lax.scan(add, zeros, split)
    return jax.tree.map(lambda value: value / parts, total)


def _by_image(noise: Any, samples: int) -> Any:
    """[samples B, L], sample by sample -> [B, samples, L]; None stays None."""
    if noise is None:
        return None
    return jnp.swapaxes(jnp.reshape(noise, (samples, -1, noise.shape[-1])), 0, 1)


def _by_sample(noise: Any) -> Any:
    """The inverse of `_by_image`."""
    if noise is None:
        return None
    return jnp.reshape(jnp.swapaxes(noise, 0, 1), (-1, noise.shape[-1]))


def _gradient(function: Callable, parts: Sequence[Any]) -> Sequence[Any]:
    return jax.grad(function)(list(parts))


@functools.partial(jax.jit, static_argnums=(0, 1, 3))
def normals(seed: int, streams: range, positions: Any, length: int) -> jax.Array:
    """Normals [streams x positions, length], stream by stream.

    Each row depends on its (seed, stream, position) alone.
    """

    def drawn(key: Any, position: Any) -> jax.Array:
        return jax.random.normal(jax.random.fold_in(key, position), (length,))

    keys = [jax.random.fold_in(jax.random.key(seed), stream) for stream in streams]
    return jnp.concatenate([jax.vmap(functools.partial(drawn, key))(positions) for key in keys])


STEPS: dict[str, Callable[..., loop.Step]] = {"regression": RegressionStep, "sampler": SamplerStep}
