"""Training batches as a tf.data pipeline."""

import numpy as np
import tensorflow as tf

from keras_jpeg_gan.data.examples import PatchDistribution, example_batch, worker_positions
from keras_jpeg_gan.data.sources import Source


def batches(
    source: Source,
    patches: PatchDistribution,
    seed: int,
    batch: int,
    first_step: int = 0,
    worker: int = 0,
    workers: int = 1,
) -> tf.data.Dataset:
    """Endless batches from step `first_step` on; the same whichever step it starts from.

    Args:
        batch: how many examples all workers have together; each worker's dataset has its share
            of every batch, so that together they see what one worker would.

    Returns:
        A dataset of dicts with what `examples.example` returns, with a batch axis in front.

    Raises:
        ConfigError: the batch cannot be shared, or no image can be read.
    """
    like = example_batch(
        source, patches, seed, worker_positions(first_step, batch, worker, workers)[:1]
    )
    share = batch // workers

    def make(step: np.int64) -> list[np.ndarray]:
        positions = worker_positions(int(step), batch, worker, workers)
        return list(example_batch(source, patches, seed, positions).values())

    def load(step: tf.Tensor) -> dict[str, tf.Tensor]:
        # One call for the whole batch: a call for each example costs as much as the example.
        values = tf.numpy_function(make, [step], [value.dtype for value in like.values()])
        return {
            name: tf.ensure_shape(value, (share, *part.shape[1:]))
            for value, (name, part) in zip(values, like.items(), strict=True)
        }

    steps = tf.data.Dataset.counter(first_step)
    return steps.map(load, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True).prefetch(2)
