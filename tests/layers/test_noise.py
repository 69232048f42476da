"""Noise in convolutions, against Keras' own convolution."""

import keras
import numpy as np

from keras_jpeg_gan import layers
from keras_jpeg_gan.layers.noise import NOISE_ROW_SCALE
from tests.layers.arrays import random


def test_noise_is_one_more_input_channel() -> None:
    layer = layers.NoisyConv2D(5, "he_normal")
    layer.build((None, None, None, 4))
    layer.bias.assign(random(5))
    oracle = keras.layers.Conv2D(5, 3, padding="same")
    oracle.build((None, None, None, 5))
    oracle.set_weights([layer.kernel.numpy(), layer.bias.numpy()])
    features, noise = random(2, 6, 7, 4), random(2, 6, 7, 1)
    for field in (noise, np.zeros_like(noise)):
        np.testing.assert_allclose(
            np.asarray(layer(features, field)),
            np.asarray(oracle(np.concatenate([features, field], -1))),
            atol=1e-5,
        )
    np.testing.assert_allclose(
        np.asarray(layer(features)), np.asarray(layer(features, 0 * noise)), atol=1e-5
    )


def test_noise_rows_start_small() -> None:
    layer = layers.NoisyConv2D(256, keras.initializers.RandomNormal(stddev=1.0, seed=1))
    layer.build((None, None, None, 8))
    deviation = layer.kernel.numpy().std(axis=(0, 1, 3))
    np.testing.assert_allclose(deviation[:-1], 1, atol=0.1)
    np.testing.assert_allclose(deviation[-1], NOISE_ROW_SCALE, rtol=0.1)
