"""What networks cost, against known figures, and how far they look, against gradients."""

import numpy as np
import pytest
import tensorflow as tf

from keras_jpeg_gan.models import costs
from keras_jpeg_gan.models.critic import Critic, FeatureCritic
from keras_jpeg_gan.models.features import VGG16, Conv, FeatureNetwork, Pool
from keras_jpeg_gan.models.networks import from_preset
from tests.models import small


@pytest.mark.parametrize("name", [*small.ALL, "compact", "mobile"])
def test_every_kernel_of_a_generator_is_listed_once(name: str) -> None:
    generator = small.make(*small.ALL[name]) if name in small.ALL else from_preset(name)
    kernels = [tuple(weight.shape) for weight in generator.weights if len(weight.shape) == 4]
    listed = [convolution.kernel for convolution in generator.convolutions()]
    assert sorted(listed) == sorted(kernels)


@pytest.mark.parametrize(("unshuffle", "macs"), [(2, 4_250_160), (4, 1_130_220)])
def test_a_generator_of_the_papers_kind_at_both_resolutions(unshuffle: int, macs: int) -> None:
    """With two of the 23 RRDBs: the others' kernels have the same shapes."""
    generator = small.make("Generator", {"blocks": 2, "unshuffle": unshuffle})
    in_rrdbs = sum(convolution.macs for convolution in generator.convolutions()[1:31])
    found = costs.macs_per_pixel(generator) + 21 / 2 * in_rrdbs
    assert found == pytest.approx(macs, rel=1e-2)


def test_the_papers_critic_costs_what_resnet34_costs() -> None:
    critic = Critic()
    critic.build((None, None, None, 3))
    assert costs.macs_per_pixel(critic) * 128**2 == pytest.approx(1.196e9, rel=1e-3)


def test_a_feature_critic_costs_vgg_and_its_heads() -> None:
    arrays, channels = {}, 3
    widths = {"conv1": 64, "conv2": 128, "conv3": 256}
    for layer in VGG16.layers:
        if isinstance(layer, Conv):
            width = widths[layer.name.split("_")[0]]
            arrays[f"{layer.name}_kernel"] = np.zeros((3, 3, channels, width), np.float32)
            arrays[f"{layer.name}_bias"] = np.zeros(width, np.float32)
            channels = width
    critic = FeatureCritic(FeatureNetwork(VGG16, arrays), width=1.0)
    critic.build((None, None, None, 3))
    vgg = 9 * (3 * 64 + 64 * 64 + (64 * 128 + 128 * 128) / 4 + (128 * 256 + 2 * 256 * 256) / 16)
    conv = 9 * 64 * 64
    heads = (
        (12 * 64 + conv) / 4 + (conv + 64) / 16  # pixels
        + 128 * 64 / 4 + (2 * conv + 64) / 16  # relu2_2
        + (256 * 64 + 2 * conv + 64) / 16  # relu3_3
    )  # fmt: skip
    assert costs.macs_per_pixel(critic) == pytest.approx(vgg + heads)
    assert sum(isinstance(layer, Pool) for layer in VGG16.layers) == 2


CUT, WIDTH = 64, 160


@pytest.mark.parametrize(
    ("network", "options"),
    [
        ("Generator", {"features": 4, "blocks": 1, "growth": 2}),
        ("Generator", {"features": 4, "blocks": 1, "growth": 2, "unshuffle": 4}),
        ("MultiscaleGenerator", {"widths": (4,), "depths": (3,)}),
        ("MultiscaleGenerator", {"widths": (4, 4), "depths": (2, 1, 0)}),
        ("MultiscaleGenerator", {"widths": (4, 4, 4), "depths": (1, 1, 1, 1, 1)}),
        ("MultiscaleGenerator", {"widths": (4, 4, 4, 4), "depths": (1, 0, 0, 1, 0, 0, 2)}),
    ],
    ids=str,
)
def test_the_receptive_radius_is_exact(network: str, options: dict) -> None:
    """The last column that a cut spoils sees pixels beyond it, and no column further in does."""
    generator = small.make(network, options)
    for weight in generator.weights:
        if len(weight.shape) == 4:  # positive kernels: no two paths cancel each other
            weight.assign(np.abs(weight.numpy()) + 0.01)
    radius = costs.receptive_radius(generator)
    assert radius < WIDTH - CUT
    image = tf.constant(np.random.default_rng(0).random((1, 16, WIDTH, 3), np.float32))
    tables = np.ones((1, 2, 8, 8), np.float32)

    def seen_beyond_the_cut(columns: slice) -> float:
        with tf.GradientTape() as tape:
            tape.watch(image)
            total = tf.reduce_sum(generator(image, tables)[:, :, columns])
        return float(tf.reduce_max(tf.abs(tape.gradient(total, image)[:, :, :CUT])))

    last = CUT + radius - 1
    assert seen_beyond_the_cut(slice(last, last + 1)) > 0
    assert seen_beyond_the_cut(slice(last + 1, None)) == 0
    assert costs.halo(generator, 16) == -(-radius // 16) * 16
