"""Takes three steps of both methods on Keras' backend, and writes the results.

A program, since a process has one backend: python -m tests.training.three_steps IMAGES START
OUTPUT. The first run writes the initial weights, START/METHOD.npz; the others read them.
"""

import importlib
import pathlib
import sys
from typing import Any

import keras
import numpy as np

from keras_jpeg_gan.data.examples import PatchDistribution, example_batch, worker_positions
from keras_jpeg_gan.data.sources import FolderSource, find_images
from keras_jpeg_gan.training import losses, plan
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
    backend = keras.config.backend()
    steps = importlib.import_module(f"keras_jpeg_gan.training.{backend}.steps")
    if backend == "jax":
        return steps.STEPS[method](config)
    from keras_jpeg_gan.training.tensorflow.run import strategy_for

    return steps.STEPS[method](strategy_for(["CPU:0"]), config)


def normals(shape: tuple[int, int]) -> np.ndarray:
    """The same for both."""
    return np.random.default_rng(shape).standard_normal(shape).astype(np.float32)


def give_noise(step: Any) -> None:
    """The same noise in every step, in place of the backend's own."""
    samples, length = step.plan.samples, losses.noise_length(step.generator, 32)
    if keras.config.backend() == "jax":
        more = normals((step.plan.moment_samples * 2, length))
        step.noise = lambda *_: (normals((4 * samples, length)), more)
    else:
        step._noise = lambda positions, streams, n: normals((len(streams) * positions.shape[0], n))


def begin(step: Any, weights: pathlib.Path) -> None:
    """Give the networks the values in a file, or write it with those that they have."""
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
    source = FolderSource(find_images(config.images))
    patches = PatchDistribution.from_config(config)
    found = {}
    for number in range(3):
        batch = example_batch(source, patches, 0, worker_positions(number, config.batch))
        for name, value in step(batch, number).items():
            found[f"mean {number} {name}"] = np.asarray(value)
        for name, variable in step.variables.items():
            if name.endswith("gradient"):
                found[f"gradient {number} {name}"] = variable.numpy()
    return found | {name: variable.numpy() for name, variable in step.variables.items()}


def main(images: str, start: str, output: str) -> None:
    tiny.make_small()
    plan.adam = lambda beta_1, **options: Recording(**options)
    folder = pathlib.Path(start)
    config = tiny.regression_config(images, ema=0.9, **LEARNING_RATES)
    keras.utils.set_random_seed(0)  # with some seeds a unit lies on LeakyReLU's kink
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
    if keras.config.backend() == "jax":  # TensorFlow's noise is given to each part
        config.micro_batches = 2
        found = three_steps("sampler", config, folder / "sampler.npz")
        np.savez(f"{output}_sampler_in_parts.npz", **found)


if __name__ == "__main__":
    main(*sys.argv[1:])
