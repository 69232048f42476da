"""LPIPS against its published example."""

import pathlib

import numpy as np
import pytest
from PIL import Image

from keras_jpeg_gan.errors import ConfigError, ModelError
from keras_jpeg_gan.metrics.lpips import SMALLEST_SIDE, lpips
from keras_jpeg_gan.models.features import FeatureNetwork


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
