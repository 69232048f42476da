"""Blocks against their formulas."""

import numpy as np

from keras_jpeg_gan import layers
from tests.layers.arrays import random


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
