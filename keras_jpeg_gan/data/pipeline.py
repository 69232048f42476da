"""Training batches as a tf.data pipeline, each a function of (seed, position) alone."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf

from keras_jpeg_gan.data.degradation import QualityLaw, check_mix, degrade, draw_sampling
from keras_jpeg_gan.data.patches import draw_patch
from keras_jpeg_gan.data.sources import FolderSource


@dataclasses.dataclass(frozen=True)
class PatchLaw:
    """What a training patch is: size, scale, quality and sampling.

    Raises:
        ConfigError: the sampling mix cannot be drawn from.
    """

    size: int
    max_scale: float
    quality: QualityLaw
    sampling: Mapping[str, float]

    def __post_init__(self) -> None:
        check_mix(self.sampling)


def example(
    source: Sequence[np.ndarray] | FolderSource, law: PatchLaw, seed: int, position: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The training example at a position of the endless stream.

    Returns:
        original [S, S, 3] uint8, compressed [S, S, 3] uint8, tables [2, 8, 8] float32.
    """
    rng = np.random.default_rng((seed, position))
    image = source[int(rng.integers(len(source)))]
    original = draw_patch(image, law.size, law.max_scale, rng)
    compressed, tables = degrade(original, law.quality.draw(rng), draw_sampling(law.sampling, rng))
    return original, compressed, tables


def batches(
    source: Sequence[np.ndarray] | FolderSource,
    law: PatchLaw,
    seed: int,
    batch: int,
    first_step: int = 0,
) -> tf.data.Dataset:
    """Endless batches from step `first_step` on; the same whenever and wherever it starts.

    Returns:
        A dataset of dicts: original and compressed [batch, S, S, 3] uint8, tables
        [batch, 2, 8, 8] float32, position [batch] int64 (of each example in the stream).
    """

    def load(position: tf.Tensor) -> dict[str, tf.Tensor]:
        original, compressed, tables = tf.numpy_function(
            lambda p: example(source, law, seed, int(p)),
            [position],
            [tf.uint8, tf.uint8, tf.float32],
        )
        shape = (law.size, law.size, 3)
        return {
            "original": tf.ensure_shape(original, shape),
            "compressed": tf.ensure_shape(compressed, shape),
            "tables": tf.ensure_shape(tables, (2, 8, 8)),
            "position": position,
        }

    positions = tf.data.Dataset.counter(first_step * batch)
    examples = positions.map(load, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    return examples.batch(batch, drop_remainder=True).prefetch(4)
