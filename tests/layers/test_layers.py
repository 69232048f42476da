"""Layers against NumPy and Keras' own."""

import keras
import numpy as np

from keras_jpeg_gan import layers
from keras_jpeg_gan.layers.noise import NOISE_ROW_SCALE


def random(*shape: int) -> np.ndarray:
    return np.random.default_rng(len(shape)).standard_normal(shape).astype(np.float32)


def test_noisy_convolution_is_one_over_features_and_noise() -> None:
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


def test_rrdb_and_residual_block_against_their_formulas() -> None:
    features, noise = random(1, 5, 6, 4), [random(1, 5, 6, 1)] * 3
    rrdb = layers.RRDB(growth=3)
    rrdb.build(features.shape)
    result = features
    for block in rrdb.dense_blocks:
        block.noise_scale.assign(0.5)
        seen = result
        for conv in block.convs[:-1]:
            grown = np.asarray(conv(seen, 0.5 * noise[0]))
            seen = np.concatenate([seen, np.where(grown > 0, grown, 0.2 * grown)], axis=-1)
        result = result + 0.2 * np.asarray(block.convs[-1](seen, 0.5 * noise[0]))
    np.testing.assert_allclose(
        np.asarray(rrdb(features, noise)), features + 0.2 * result, atol=1e-5
    )
    block = layers.ResidualBlock()
    block.build(features.shape)
    hidden = np.asarray(block.convs[0](features))
    hidden = np.where(hidden > 0, hidden, 0.2 * hidden)
    np.testing.assert_allclose(
        np.asarray(block(features)), features + np.asarray(block.convs[1](hidden)), atol=1e-5
    )
