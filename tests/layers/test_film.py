"""FiLM against its formulas."""

import numpy as np

from keras_jpeg_gan import layers
from tests.layers.arrays import random


def test_modulation_is_affine_by_channel_and_starts_as_the_identity() -> None:
    layer = layers.Modulation()
    features, embedding = random(2, 4, 4, 3), random(2, 6)
    np.testing.assert_array_equal(np.asarray(layer(features, embedding)), features)
    layer.dense.set_weights([random(6, 6), random(6)])
    gamma, beta = np.split(embedding @ random(6, 6) + random(6), 2, axis=1)
    expected = features * (1 + gamma[:, None, None]) + beta[:, None, None]
    np.testing.assert_allclose(np.asarray(layer(features, embedding)), expected, atol=1e-5)


def test_tables_are_embedded_by_their_logarithms() -> None:
    layer = layers.TablesEmbedding(width=4)
    tables = np.full((1, 2, 8, 8), 255, np.float32)
    layer.build(tables.shape)
    silu = [d.get_weights() for d in layer.dense]
    hidden = np.ones((1, 128)) @ silu[0][0] + silu[0][1]
    hidden = hidden / (1 + np.exp(-hidden))
    output = hidden @ silu[1][0] + silu[1][1]
    np.testing.assert_allclose(
        np.asarray(layer(tables)), output / (1 + np.exp(-output)), rtol=1e-4, atol=1e-6
    )
