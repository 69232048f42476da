"""Losses: noise fields in order, regression against NumPy, R1's weight."""

import numpy as np
import pytest
import tensorflow as tf

from keras_jpeg_gan.models.critic import Critic
from keras_jpeg_gan.training import losses, plan
from tests.models import small


def test_noise_fields_are_one_vector_cut_in_order() -> None:
    generator = small.make(*small.MULTISCALE)
    length = losses.noise_length(generator, 16)
    assert length == sum(h * w for h, w in generator.noise_sizes(16, 16))
    noise = np.arange(2 * length, dtype=np.float32).reshape(2, length)
    fields = [np.asarray(field) for field in losses.noise_fields(generator, noise, 16)]
    assert [field.shape for field in fields] == [
        (2, h, w, 1) for h, w in generator.noise_sizes(16, 16)
    ]
    joined = np.concatenate([field.reshape(2, -1) for field in fields], axis=1)
    np.testing.assert_array_equal(joined, noise)


def test_a_regressions_loss_is_that_of_its_restored_images() -> None:
    generator = small.make(*small.MULTISCALE)
    rng = np.random.default_rng(0)
    original, compressed = rng.integers(0, 256, (2, 2, 16, 16, 3), np.uint8)
    tables = np.full((2, 2, 8, 8), 10, np.float32)
    batch = losses.scaled({"original": original, "compressed": compressed, "tables": tables})
    restored = np.asarray(generator(compressed / np.float32(255), tables))
    expected = np.mean((restored - original / 255) ** 2)
    assert float(losses.regression_loss(generator, "mse", batch)) == pytest.approx(expected, 1e-4)


def gradient(function, parts):
    with tf.GradientTape() as tape:
        tape.watch(parts)
        value = function(parts)
    return tape.gradient(value, parts)


def test_half_of_r1s_weight_counts() -> None:
    critic = Critic(width=0.0625)
    real, fake = (
        [tf.constant(np.random.default_rng(seed).random((2, 32, 32, 3), np.float32))]
        for seed in range(2)
    )
    networks = plan.Networks(generator=None, critic=critic)
    plain = losses.critic_losses(networks, real, fake, 0.0, gradient)
    assert "r1" not in plain
    both = losses.critic_losses(networks, real, fake, 6.0, gradient)
    added = float(both["critic"]) - float(plain["critic"])
    assert added == pytest.approx(3 * float(both["r1"]), rel=1e-3)
    assert float(both["r1"]) > 0
