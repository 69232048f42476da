"""The critics: the paper's size, any image size, and gradients where R1 wants them."""

import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_jpeg_gan.jpeg.tensors.color import YCBCR_TO_RGB
from keras_jpeg_gan.models.critic import Critic, FeatureCritic
from keras_jpeg_gan.models.features import FeatureNetwork


def test_resnet34_has_the_papers_parameters() -> None:
    critic = Critic()
    critic.build((None, None, None, 3))
    assert critic.count_params() == 21_276_673


@pytest.mark.parametrize("size", [(32, 32), (40, 96)])
def test_one_logit_an_image_of_any_size(size: tuple[int, int]) -> None:
    critic = Critic(width=0.125)
    logits = critic(np.random.default_rng(0).random((3, *size, 3), np.float32))
    assert logits.shape == (3, 1)
    assert logits.dtype == "float32"


def test_the_signal_neither_dies_nor_explodes_at_the_start() -> None:
    keras.utils.set_random_seed(3)
    critic = Critic(width=0.25)
    image = np.random.default_rng(0).random((4, 64, 64, 3), np.float32)
    features = tf.nn.relu(critic.first(2 * image - 1))
    before = float(tf.math.reduce_std(features))
    for block in critic.blocks:
        features = block(features)
    assert 0.2 < float(tf.math.reduce_std(features)) / before < 10


def test_each_image_is_judged_by_itself() -> None:
    critic = Critic(width=0.125)
    images = np.random.default_rng(0).random((3, 32, 32, 3), np.float32)
    together = np.asarray(critic(images))
    for i in range(3):
        np.testing.assert_allclose(critic(images[i : i + 1])[0], together[i], rtol=1e-4, atol=1e-5)


def test_a_critic_is_saved_and_loaded(tmp_path: pathlib.Path) -> None:
    image = np.random.default_rng(0).random((1, 32, 32, 3), np.float32)
    critics = [Critic(width=0.125) for _ in range(2)]
    logits = [np.asarray(critic(image)) for critic in critics]
    assert logits[0] != logits[1]
    critics[0].save_weights(tmp_path / "critic.weights.h5")
    critics[1].load_weights(tmp_path / "critic.weights.h5")
    np.testing.assert_array_equal(critics[1](image), logits[0])
    clone = Critic.from_config(critics[0].get_config())
    assert clone.width == 0.125


def test_a_feature_critic_learns_its_heads_alone(shared_data: pathlib.Path) -> None:
    features = FeatureNetwork.load(shared_data / "weights" / "vgg16_to_relu3_3_f16.npz")
    critic = FeatureCritic(features, width=0.25)
    critic.build((None, None, None, 3))
    assert all(v.path.split("/")[-3].startswith("head") for v in critic.trainable_variables)
    image = tf.constant(np.random.default_rng(0).random((2, 64, 64, 3), np.float32))
    assert critic(image).shape == (2, 3 * 16 * 16)
    with tf.GradientTape() as tape:
        tape.watch(image)
        score = tf.reduce_sum(critic(image)[0])
    gradient = tape.gradient(score, image)
    assert float(tf.reduce_max(tf.abs(gradient[0]))) > 0
    assert float(tf.reduce_max(tf.abs(gradient[1]))) == 0


def test_a_feature_critic_sees_colour_as_well_as_luma(shared_data: pathlib.Path) -> None:
    """A step of Cb weighs four times one of Y, in every pixel."""
    features = FeatureNetwork.load(shared_data / "weights" / "vgg16_to_relu3_3_f16.npz")
    critic = FeatureCritic(features)
    gray = np.full((1, 32, 32, 3), 0.5, np.float32)
    to_rgb = YCBCR_TO_RGB.astype(np.float32)
    plain, luma, blue = (
        np.asarray(critic.embed(gray + 0.01 * change)[0])
        for change in (0, to_rgb @ [1, 0, 0], to_rgb @ [0, 1, 0])
    )
    expected = np.zeros((4, 3))
    expected[:, 0] = 0.04
    np.testing.assert_allclose((luma - plain)[0, 3, 5].reshape(4, 3), expected, atol=1e-5)
    np.testing.assert_allclose(
        (blue - plain)[0, 3, 5].reshape(4, 3), 4 * expected[:, [1, 0, 2]], atol=1e-5
    )
