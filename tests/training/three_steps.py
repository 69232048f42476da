"""Takes three steps of both methods on Keras' backend, and writes what came of them.

Run as a program, since a process has one backend: three_steps.py IMAGES START OUTPUT. The
initial weights METHOD.npz of all runs are in the folder START, made by the first of them.
"""

import pathlib
import sys
from typing import Any

import keras
import numpy as np

from keras_jpeg_gan.data.examples import PatchLaw, example_batch, worker_positions
from keras_jpeg_gan.data.sources import FolderSource, find_images
from keras_jpeg_gan.training import step as step_module
from tests.training import tiny

LEARNING_RATES = {"learning_rate": 1e-2, "critic_learning_rate": 1e-2}


class Recording(keras.optimizers.SGD):
    """SGD that has the last gradients among its variables: Adam's steps magnify rounding."""

    def build(self, variables: list[Any]) -> None:
        super().build(variables)
        self.gradients = [self.add_variable_from_reference(v, "gradient") for v in variables]

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        self.assign(self.gradients[self._get_variable_index(variable)], gradient)
        super().update_step(gradient, variable, learning_rate)


def make(method: str, config: Any) -> Any:
    """The step of this backend."""
    kind = {"regression": "RegressionStep", "sampler": "SamplerStep"}[method]
    if keras.config.backend() == "jax":
        from keras_jpeg_gan.training import jax_loop

        return getattr(jax_loop, kind)(config)
    from keras_jpeg_gan.training import tensorflow_loop

    return getattr(tensorflow_loop, kind)(tensorflow_loop.strategy_for(["CPU:0"]), config)


def normals(shape: tuple[int, int]) -> np.ndarray:
    """The same for both."""
    return np.random.default_rng(shape).standard_normal(shape).astype(np.float32)


def give_noise(step: Any) -> None:
    """The same noise in every step, in place of the backend's own."""
    plan, length = step.plan, step_module.noise_length(step.generator, 32)
    if keras.config.backend() == "jax":
        more = normals((plan.moment_samples * 2, length))
        step.noise = lambda *_: (normals((4 * plan.samples, length)), more)
    else:
        step._noise = lambda positions, streams, n: normals((len(streams) * positions.shape[0], n))


def begin(step: Any, weights: pathlib.Path) -> None:
    """Give the networks their values in a file, or make it of those that they have."""
    networks = {n: v for n, v in step.variables.items() if "optimizer" not in n}
    if weights.exists():
        with np.load(weights) as values:
            for name, variable in networks.items():
                variable.assign(values[name])
    else:
        np.savez(weights, **{name: variable.numpy() for name, variable in networks.items()})


def three_steps(method: str, config: Any, weights: pathlib.Path) -> dict[str, np.ndarray]:
    """Means and gradients of each step, and all variables after the last."""
    step = make(method, config)
    begin(step, weights)
    if method == "sampler":
        give_noise(step)
    source, law = FolderSource(find_images(config.images)), PatchLaw.from_config(config)
    found = {}
    for number in range(3):
        batch = example_batch(source, law, 0, worker_positions(number, config.batch))
        for name, value in step(batch, number).items():
            found[f"mean {number} {name}"] = np.asarray(value)
        for name, variable in step.variables.items():
            if name.endswith("gradient"):
                found[f"gradient {number} {name}"] = variable.numpy()
    return found | {name: variable.numpy() for name, variable in step.variables.items()}


def main(images: str, start: str, output: str) -> None:
    tiny.make_small()
    step_module.adam = lambda beta_1, **options: Recording(**options)
    folder = pathlib.Path(start)
    config = tiny.regression_config(images, ema=0.9, **LEARNING_RATES)
    keras.utils.set_random_seed(0)  # of any start some unit may lie on LeakyReLU's kink
    found = three_steps("regression", config, folder / "regression.npz")
    keras.utils.set_random_seed(1)
    estimate = folder / "estimate.weights.h5"
    if not estimate.exists():
        make("regression", config).generator.save_weights(estimate)
    config = tiny.sampler_config(
        images, ema=0.9, moment_every=1, second_moment_weight=10.0, final_consistency_weight=10.0,
        estimate_weights=str(estimate), **LEARNING_RATES,
    )  # fmt: skip
    np.savez(f"{output}_regression.npz", **found)
    np.savez(f"{output}_sampler.npz", **three_steps("sampler", config, folder / "sampler.npz"))


if __name__ == "__main__":
    main(*sys.argv[1:])
