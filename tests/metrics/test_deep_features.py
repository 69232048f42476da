"""LPIPS against its published example, and features of patches that do not see each other."""

import pathlib

import numpy as np
import pytest
from PIL import Image

from keras_jpeg_gan.errors import ConfigError, ModelError
from keras_jpeg_gan.metrics.features import patch_features, patches
from keras_jpeg_gan.metrics.lpips import SMALLEST_SIDE, lpips
from keras_jpeg_gan.models.features import FeatureNetwork


@pytest.fixture(scope="module")
def alexnet(shared_data: pathlib.Path) -> FeatureNetwork:
    return FeatureNetwork.load(shared_data / "weights" / "lpips_alexnet_f16.npz")


@pytest.mark.parametrize(("name", "expected"), [("ex_p0", 0.721858), ("ex_p1", 0.137558)])
def test_lpips_of_its_example(
    alexnet: FeatureNetwork, shared_data: pathlib.Path, name: str, expected: float
) -> None:
    def example(name: str) -> np.ndarray:
        return np.asarray(Image.open(shared_data / "weights" / f"{name}.png").convert("RGB"))

    assert lpips(alexnet, example(name), example("ex_ref")) == pytest.approx(expected, abs=2e-6)
    assert lpips(alexnet, example("ex_ref"), example(name)) == pytest.approx(expected, abs=2e-6)
    assert lpips(alexnet, example(name), example(name)) == 0


def test_lpips_of_the_smallest_image_and_of_black(alexnet: FeatureNetwork) -> None:
    black = np.zeros((SMALLEST_SIDE, SMALLEST_SIDE, 3), np.uint8)
    assert 0 < lpips(alexnet, black, 255 - black) < 5
    with pytest.raises(ConfigError, match="LPIPS of 31x32 pixels: 32 a side at least"):
        lpips(alexnet, black[1:], black[1:])


def test_lpips_wants_its_weights(shared_data: pathlib.Path) -> None:
    vgg = FeatureNetwork.load(shared_data / "weights" / "vgg16_to_relu3_3_f16.npz")
    with pytest.raises(ModelError, match="no LPIPS weights"):
        lpips(vgg, np.zeros((64, 64, 3)), np.zeros((64, 64, 3)))


def test_patches_are_cut_in_order_and_without_the_rest() -> None:
    pixels = np.arange(130 * 200 * 3).reshape(130, 200, 3)
    cut = patches(pixels)
    assert cut.shape == (6, 64, 64, 3)
    np.testing.assert_array_equal(cut[4], pixels[64:128, 64:128])
    assert len(patches(pixels[:63])) == 0


def test_a_patchs_features_are_those_of_the_patch_alone(alexnet: FeatureNetwork) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (70, 192, 3), np.uint8)
    together = patch_features(alexnet, patches(pixels))
    assert together.shape == (3, 256)
    alone = patch_features(alexnet, pixels[None, :64, 64:128])
    np.testing.assert_allclose(together[1:2], alone, atol=1e-5)
    assert np.abs(together[0] - together[1]).max() > 0.1
