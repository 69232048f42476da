"""Features of patches, which do not see each other."""

import numpy as np

from keras_jpeg_gan.metrics.features import patch_features, patches
from keras_jpeg_gan.models.features import FeatureNetwork


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
