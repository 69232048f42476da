"""The feature network that several tests share."""

import pathlib

import pytest

from keras_jpeg_gan.models.features import FeatureNetwork


@pytest.fixture(scope="module")
def alexnet(shared_data: pathlib.Path) -> FeatureNetwork:
    return FeatureNetwork.load(shared_data / "weights" / "lpips_alexnet_f16.npz")
