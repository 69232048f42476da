"""The frozen feature networks against the published check values and Keras' own VGG19."""

import pathlib

import keras
import numpy as np
import pytest
from PIL import Image

from keras_jpeg_gan.errors import ModelError
from keras_jpeg_gan.models.features import FeatureNetwork


def test_vgg16_gives_the_check_values(shared_data: pathlib.Path) -> None:
    folder = shared_data / "weights"
    network = FeatureNetwork.load(folder / "vgg16_to_relu3_3_f16.npz")
    image = np.asarray(Image.open(folder / "ex_ref.png").convert("RGB"), np.float32) / 255
    taps = [np.asarray(tap) for tap in network(image[None])]
    assert [tap.shape[1:] for tap in taps] == [(64, 64, 64), (32, 32, 128), (16, 16, 256)]
    assert [tap.mean() for tap in taps] == pytest.approx([0.97745, 1.64814, 2.48528], rel=1e-4)
    assert [tap.std() for tap in taps] == pytest.approx([1.78830, 3.59868, 6.52512], rel=1e-4)


def test_alexnet_has_the_published_sizes_and_the_linear_layers(shared_data: pathlib.Path) -> None:
    network = FeatureNetwork.load(shared_data / "weights" / "lpips_alexnet_f16.npz")
    taps = network(np.zeros((1, 128, 128, 3), np.float32))
    assert [tap.shape[1] for tap in taps] == [31, 15, 7, 7, 7]
    assert network.linear is not None
    assert [len(row) for row in network.linear] == network.tap_channels
    assert min(row.min() for row in network.linear) >= 0


def test_vgg19_equals_keras_applications(tmp_path: pathlib.Path) -> None:
    keras.utils.set_random_seed(1)
    reference = keras.applications.VGG19(include_top=False, weights=None)
    path = tmp_path / "vgg19.weights.h5"
    reference.save_weights(path)
    network = FeatureNetwork.vgg19(str(path), before_relu=False)
    image = np.random.default_rng(0).random((1, 32, 32, 3), np.float32)
    names = ["block1_conv2", "block2_conv2", "block3_conv4", "block4_conv4", "block5_conv4"]
    taps = keras.Model(reference.input, [reference.get_layer(name).output for name in names])
    expected = taps(keras.applications.vgg19.preprocess_input(255 * image))
    for found, wanted in zip(network(image), expected, strict=True):
        wanted = np.asarray(wanted)
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-4 * np.abs(wanted).max())


def test_features_before_relu_have_the_same_positive_part(shared_data: pathlib.Path) -> None:
    path = shared_data / "weights" / "vgg16_to_relu3_3_f16.npz"
    image = np.random.default_rng(0).random((1, 32, 32, 3), np.float32)
    after = FeatureNetwork.load(path)(image)
    before = FeatureNetwork.load(path, before_relu=True)(image)
    for a, b in zip(after, before, strict=True):
        assert np.asarray(b).min() < 0
        np.testing.assert_array_equal(a, np.maximum(b, 0))


def test_normalized_features_have_unit_size_over_photographs(
    shared_data: pathlib.Path, kodak: list[pathlib.Path]
) -> None:
    path = shared_data / "weights" / "vgg16_to_relu3_3_f16.npz"
    photographs = np.stack([np.asarray(Image.open(file))[:128, :128] for file in kodak[:8]]).astype(
        np.float32
    )
    network, plain = (FeatureNetwork.load(path, before_relu=True) for _ in range(2))
    network.normalize(photographs / 255)
    for tap, other in zip(network(photographs / 255), plain(photographs / 255), strict=True):
        assert np.sqrt(np.mean(np.square(tap))) == pytest.approx(1, rel=1e-4)
        size = np.sqrt(np.mean(np.square(other)))
        np.testing.assert_allclose(np.asarray(tap) * size, other, rtol=1e-3, atol=1e-3)
    network.normalize(photographs / 255)  # again changes nothing
    assert np.sqrt(np.mean(np.square(network(photographs / 255)[0]))) == pytest.approx(1, rel=1e-4)


def test_a_file_that_holds_no_network_is_refused(tmp_path: pathlib.Path) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        FeatureNetwork.load(tmp_path / "none.npz")
    np.savez(tmp_path / "other.npz", something=np.zeros(3))
    with pytest.raises(ModelError, match="neither"):
        FeatureNetwork.load(tmp_path / "other.npz")
    with pytest.raises(ModelError, match="VGG19: no weights"):
        FeatureNetwork.vgg19(str(tmp_path / "none.weights.h5"))
