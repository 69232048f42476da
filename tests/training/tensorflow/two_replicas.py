"""Takes the same steps on one replica and on two, and prints how far they differ.

A program, since two logical devices must be requested before TensorFlow starts.
"""

import json
import pathlib
import sys

import keras
import numpy as np
import tensorflow as tf

from keras_jpeg_gan.data.examples import PatchDistribution
from keras_jpeg_gan.data.pipeline import batches
from keras_jpeg_gan.data.sources import FolderSource, find_images
from keras_jpeg_gan.training import plan
from keras_jpeg_gan.training.tensorflow.run import strategy_for
from keras_jpeg_gan.training.tensorflow.steps import STEPS as METHODS
from keras_jpeg_gan.training.tensorflow.steps import SamplerStep
from tests.training import tiny

STEPS = 2


def trained(config, strategy: tf.distribute.Strategy) -> dict[str, np.ndarray]:
    """All variables before and after some steps, and the means of the last step."""
    keras.utils.set_random_seed(1)
    step = METHODS[config.method](strategy, config)
    before = {name: variable.numpy() for name, variable in step.variables.items()}
    source = FolderSource(find_images(config.images))
    dataset = batches(source, PatchDistribution.from_config(config), 0, config.batch)
    distributed = iter(strategy.experimental_distribute_dataset(dataset))
    for number in range(STEPS):
        means = step(next(distributed), number)
    after = {name: variable.numpy() for name, variable in step.variables.items()}
    return {
        "change": {name: after[name].astype(float) - before[name] for name in after},
        "means": {name: float(value) for name, value in means.items()},
    }


def differences(one: dict, two: dict) -> dict[str, dict]:
    """Largest difference of a variable's elements over its largest change; of norms; of means."""
    found: dict[str, dict] = {"elements": {}, "norms": {}, "means": {}}
    for name, change in one["change"].items():
        other = two["change"][name]
        scale = np.abs(change).max() or 1.0
        found["elements"][name] = float(np.abs(other - change).max() / scale)
        norm = np.linalg.norm(change)
        found["norms"][name] = float(abs(np.linalg.norm(other) - norm) / (norm or 1.0))
    for name, value in one["means"].items():
        found["means"][name] = abs(two["means"][name] - value) / max(abs(value), 1e-3)
    return found


def noise_on(strategy: tf.distribute.Strategy, step: SamplerStep) -> np.ndarray:
    """The noise of a batch of eight, image by image as the replicas have them."""
    dataset = tf.data.Dataset.range(100, 108).batch(8)
    positions = next(iter(strategy.experimental_distribute_dataset(dataset)))
    draw = tf.function(lambda own: step._noise(own, range(1), 64))
    drawn = strategy.run(draw, args=(positions,))
    return np.concatenate([part.numpy() for part in strategy.experimental_local_results(drawn)])


def main(images: pathlib.Path) -> None:
    devices = tf.config.list_physical_devices("CPU")
    two = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(devices[0], two)
    tiny.make_small()
    strategies = strategy_for(["CPU:0"]), strategy_for()
    assert [strategy.num_replicas_in_sync for strategy in strategies] == [1, 2]
    results = {}
    original = plan.adam
    for optimizer, methods in (("sgd", ("regression", "sampler")), ("adam", ("sampler",))):
        rate = 1e-2 if optimizer == "sgd" else 1e-4
        plan.adam = tiny.sgd if optimizer == "sgd" else original
        changes = {"batch": 8, "learning_rate": rate, "critic_learning_rate": rate, "ema": 0.9}
        for method in methods:
            config = tiny.CONFIGS[method](images, **changes)
            config.moment_every = 1
            one, both = (trained(config, strategy) for strategy in strategies)
            results[f"{method} {optimizer}"] = differences(one, both)
    step = SamplerStep(strategies[0], tiny.sampler_config(images))
    one, both = (noise_on(strategy, step) for strategy in strategies)
    results["noise"] = {
        "same": bool((one == both).all()), "distinct": len(np.unique(both)), "drawn": both.size
    }  # fmt: skip
    print(json.dumps(results))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
