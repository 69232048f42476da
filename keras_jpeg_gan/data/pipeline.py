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
) -> dict[str, np.ndarray]:
    """The training example at a position of the endless stream.

    Returns:
        original and compressed [S, S, 3] uint8, tables [2, 8, 8] float32, sampling [] int32
        (index into the mix's sorted names), position [] int64.
    """
    rng = np.random.default_rng((seed, position))
    image = source[int(rng.integers(len(source)))]
    original = draw_patch(image, law.size, law.max_scale, rng)
    quality, sampling = law.quality.draw(rng), draw_sampling(law.sampling, rng)
    compressed, tables = degrade(original, quality, sampling)
    return {
        "original": original,
        "compressed": compressed,
        "tables": tables,
        "sampling": np.int32(sorted(law.sampling).index(sampling)),
        "position": np.int64(position),
    }


def batches(
    source: Sequence[np.ndarray] | FolderSource,
    law: PatchLaw,
    seed: int,
    batch: int,
    first_step: int = 0,
) -> tf.data.Dataset:
    """Endless batches from step `first_step` on; the same whenever and wherever it starts.

    Returns:
        A dataset of dicts of what `example` returns, with a batch axis in front.
    """
    shape = (law.size, law.size, 3)
    signature = {
        "original": tf.TensorSpec(shape, tf.uint8),
        "compressed": tf.TensorSpec(shape, tf.uint8),
        "tables": tf.TensorSpec((2, 8, 8), tf.float32),
        "sampling": tf.TensorSpec((), tf.int32),
        "position": tf.TensorSpec((), tf.int64),
    }

    def load(position: tf.Tensor) -> dict[str, tf.Tensor]:
        values = tf.numpy_function(
            lambda p: list(example(source, law, seed, int(p)).values()),
            [position],
            [spec.dtype for spec in signature.values()],
        )
        return {
            name: tf.ensure_shape(value, spec.shape)
            for value, (name, spec) in zip(values, signature.items(), strict=True)
        }

    positions = tf.data.Dataset.counter(first_step * batch)
    examples = positions.map(load, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    return examples.batch(batch, drop_remainder=True).prefetch(4)
