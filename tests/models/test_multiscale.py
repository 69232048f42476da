"""The multi-scale generator: its resolutions, its bias within the blocks, its files."""

import pathlib

import h5py
import numpy as np
import pytest

from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.models.multiscale import MultiscaleGenerator
from tests.models import small


def test_every_resolution_has_its_noise() -> None:
    generator = small.make(*small.MULTISCALE)
    assert generator.noise_strides == (2, 4, 8, 8, 4, 2)
    assert generator.noise_sizes(16, 24) == [(8, 12), (4, 6), (2, 3), (2, 3), (4, 6), (8, 12)]


@pytest.mark.parametrize(("levels", "alignment"), [(1, 8), (3, 8), (4, 16)])
def test_alignment_is_that_of_the_coarsest_resolution_and_the_blocks(
    levels: int, alignment: int
) -> None:
    depths = (1,) * (2 * levels - 1)
    assert MultiscaleGenerator((4,) * levels, depths).alignment == alignment


def test_the_start_is_nearly_the_identity() -> None:
    generator = small.make(*small.MULTISCALE)
    image, tables = small.inputs()
    restored = np.asarray(generator(image, tables))
    assert 0 < np.abs(restored - image).mean() < 0.15


def test_grid_bias_repeats_every_eight_pixels() -> None:
    generator = small.make("MultiscaleGenerator", {"widths": (4,), "depths": (0,)})
    generator.grid_bias.assign(np.random.default_rng(0).random(generator.grid_bias.shape))
    image = np.full((1, 32, 32, 3), 0.5, np.float32)
    inner = np.asarray(generator(image, small.inputs()[1][:1]))[0, 4:28, 4:28]
    np.testing.assert_allclose(inner[:-8], inner[8:], atol=1e-6)
    assert np.abs(inner[:-4] - inner[4:]).max() > 1e-3


def test_depths_must_fit_widths() -> None:
    with pytest.raises(ConfigError, match="need 3 numbers"):
        MultiscaleGenerator((8, 8), (1, 1))


def test_weight_files_keep_their_layout(tmp_path: pathlib.Path) -> None:
    """Trained weights are addressed by these names: renaming an attribute would lose them."""
    path = tmp_path / "g.weights.h5"
    generator = small.make("MultiscaleGenerator", {"widths": (4, 6), "depths": (1, 1, 1)})
    generator.save_weights(path)
    with h5py.File(path) as file:
        expected = {
            "vars/0": generator.grid_bias,
            "first/vars/0": generator.first.kernel,
            "last/vars/0": generator.last.kernel,
            "downsamplings/conv2d/vars/0": generator.downsamplings[0].kernel,
            "layers/conv2d_2/vars/0": generator.upsamplings[0].kernel,
            "embedding/dense/dense_1/vars/0": generator.embedding.dense[1].kernel,
            "layers/residual_block_1/convs/noisy_conv2d_1/vars/0":
                generator.residual_blocks[1].convs[1].kernel,
            "layers/residual_block_2/vars/0": generator.residual_blocks[2].noise_scale,
            "layers/modulation_2/dense/vars/0": generator.modulations[2].dense.kernel,
        }  # fmt: skip
        for name, weight in expected.items():
            np.testing.assert_array_equal(file[name][()], weight.numpy(), err_msg=name)
