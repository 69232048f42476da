"""Takes three steps of a method on Keras' backend, and writes what came of them.

Run as a program, since a process has one backend: three_steps.py IMAGES START OUTPUT METHOD.
START has the initial weights, and the sampler's noise, of all runs.
"""

import pathlib
import sys

import keras
import numpy as np
import tiny

from keras_jpeg_gan.data.examples import PatchLaw, example_batch, worker_positions
from keras_jpeg_gan.data.sources import FolderSource, find_images
from keras_jpeg_gan.training import step as step_module


def make(method: str, config):
    """The step of this backend."""
    if keras.config.backend() == "jax":
        from keras_jpeg_gan.training import jax_loop

        kind = jax_loop.SamplerStep if method == "sampler" else jax_loop.RegressionStep
        return kind(config)
    from keras_jpeg_gan.training import tensorflow_loop

    kind = tensorflow_loop.SamplerStep if method == "sampler" else tensorflow_loop.RegressionStep
    return kind(tensorflow_loop.strategy_for(["CPU:0"]), config)


def normals(shape: tuple[int, int]) -> np.ndarray:
    """The same for both."""
    return np.random.default_rng(shape).standard_normal(shape).astype(np.float32)


def give_noise(step) -> None:
    """The same noise in every step, in place of the backend's own."""
    plan, length = step.plan, step_module.noise_length(step.generator, 32)
    if keras.config.backend() == "jax":
        more = normals((plan.moment_samples * 2, length))
        step.noise = lambda *_: (normals((4 * plan.samples, length)), more)
    else:
        step._noise = lambda positions, streams, n: normals((len(streams) * positions.shape[0], n))


def main(images: str, start: str, output: str, method: str) -> None:
    tiny.make_small()
    step_module.adam = tiny.sgd
    weights = pathlib.Path(start) / "estimate.weights.h5"
    changes = {"learning_rate": 1e-2, "critic_learning_rate": 1e-2, "ema": 0.9}
    if method == "sampler":
        changes |= {
            "moment_every": 1, "second_moment_weight": 10.0, "estimate_weights": str(weights),
            "final_consistency_weight": 10.0,
        }  # fmt: skip
    config = tiny.CONFIGS[method](images, **changes)
    source, law = FolderSource(find_images(images)), PatchLaw.from_config(config)
    if not weights.exists():
        keras.utils.set_random_seed(1)
        make("regression", tiny.CONFIGS["regression"](images)).generator.save_weights(weights)
    step = make(method, config)
    first = pathlib.Path(start) / f"{method}.npz"
    if first.exists():
        with np.load(first) as values:
            for name, variable in step.variables.items():
                if name in values:
                    variable.assign(values[name])
    else:
        networks = {n: v.numpy() for n, v in step.variables.items() if "optimizer" not in n}
        np.savez(first, **networks)
    if method == "sampler":
        give_noise(step)
    found = {}
    for number in range(3):
        batch = example_batch(source, law, 0, worker_positions(number, config.batch))
        for name, value in step(batch, number).items():
            found[f"mean {number} {name}"] = np.asarray(value)
    found |= {name: variable.numpy() for name, variable in step.variables.items()}
    np.savez(output, **found)
    step.generator.save_weights(pathlib.Path(output).with_suffix(".weights.h5"))


if __name__ == "__main__":
    main(*sys.argv[1:])
