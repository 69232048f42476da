"""Resampling against NumPy."""

import numpy as np
import tensorflow as tf

from keras_jpeg_gan import layers
from tests.layers.arrays import random


def test_pixel_shuffle_undoes_unshuffle() -> None:
    image = random(2, 8, 12, 3)
    for factor in (2, 4):
        inner = np.asarray(layers.pixel_unshuffle(image, factor))
        assert inner.shape == (2, 8 // factor, 12 // factor, 3 * factor**2)
        np.testing.assert_array_equal(
            np.sort(inner[0, 0, 0]), np.sort(image[0, :factor, :factor].ravel())
        )
        np.testing.assert_array_equal(np.asarray(layers.pixel_shuffle(inner, factor)), image)


def test_nearest_upsampling_repeats() -> None:
    features = random(1, 3, 5, 2)
    np.testing.assert_array_equal(
        np.asarray(layers.upsample_nearest(features)), features.repeat(2, 1).repeat(2, 2)
    )


def test_sizes_may_be_unknown_in_a_graph() -> None:
    features = random(1, 4, 6, 4)
    spec = [tf.TensorSpec((None, None, None, 4))]
    for resampled in (
        lambda x: layers.pixel_shuffle(x, 2),
        lambda x: layers.pixel_unshuffle(x, 2),
        layers.upsample_nearest,
    ):
        graph = tf.function(resampled, input_signature=spec)
        np.testing.assert_array_equal(graph(features).numpy(), np.asarray(resampled(features)))
