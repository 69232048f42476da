import numpy as np
import pytest
from scipy import ndimage

from keras_jpeg_gan.decoding import noise, tiles
from keras_jpeg_gan.models import costs
from keras_jpeg_gan.models.networks import from_preset
from keras_jpeg_gan.models.presets import PRESETS
from tests.decoding.made_up import run_tiled
from tests.models import small


def blur(radius: int):
    """A network of known radius, with zero padding, that adds a pattern of the 8x8 grid."""

    def network(window: np.ndarray, top: int, left: int) -> np.ndarray:
        kernel = np.random.default_rng(3).uniform(-1, 1, 2 * radius + 1)
        along = ndimage.correlate1d(window.astype(np.float64), kernel, 1, mode="constant")
        both = ndimage.correlate1d(along, kernel, 2, mode="constant")
        grid = np.arange(window.shape[1])[:, None] % 8 * 10 + np.arange(window.shape[2]) % 8
        return (both + grid[None, :, :, None]).astype(np.float32)

    return network


@pytest.mark.parametrize("size", [16, 64, 80, 112, 128, 1040, 4000])
@pytest.mark.parametrize(("tile", "halo"), [(16, 0), (16, 16), (32, 48), (512, 48), (1024, 64)])
def test_every_position_is_kept_once_and_far_from_a_cut(size, tile, halo):
    found = tiles.spans(size, tile, halo)
    kept = np.concatenate([np.arange(span.first, span.last) for span in found])
    assert np.array_equal(kept, np.arange(size))
    assert len({span.stop - span.start for span in found}) == 1
    for span in found:
        assert 0 <= span.start <= span.first < span.last <= span.stop <= size
        assert span.start == 0 or span.first - span.start >= halo
        assert span.stop == size or span.stop - span.last >= halo
        assert not any(edge % tiles.GRID for edge in (span.start, span.stop, span.first))
        assert len(found) == 1 or span.last - span.first <= tile


@pytest.mark.parametrize("shape", [(1, 1, 3), (16, 33, 3), (150, 217, 3), (201, 64, 1)])
@pytest.mark.parametrize("tile", [16, 48])
def test_tiles_equal_the_whole(shape, tile):
    pixels = np.random.default_rng(0).uniform(0, 1, shape)
    network = blur(radius=16)
    whole = run_tiled(network, pixels, halo=16, tile=4096)
    tiled = run_tiled(network, pixels, halo=16, tile=tile)
    assert whole.shape == shape
    np.testing.assert_allclose(tiled, whole, atol=1e-5)


def test_a_halo_that_is_too_short_shows():
    pixels = np.random.default_rng(0).uniform(0, 1, (150, 217, 3))
    network = blur(radius=17)
    whole = run_tiled(network, pixels, halo=16, tile=4096)
    tiled = run_tiled(network, pixels, halo=16, tile=48)
    assert np.abs(tiled - whole).max() > 1e-2


def test_the_edge_is_repeated_up_to_the_grid():
    seen = []

    def network(window: np.ndarray, top: int, left: int) -> np.ndarray:
        seen.append(window)
        return window.astype(np.float32)

    pixels = np.arange(3 * 17, dtype=np.uint8).reshape(3, 17, 1)
    assert np.array_equal(run_tiled(network, pixels, halo=16, tile=4096), pixels)
    (window,) = seen
    assert window.shape == (1, 16, 32, 1)
    assert window.dtype == np.uint8
    assert np.array_equal(window[0, 2:, 16:, 0], np.full((14, 16), pixels[2, 16, 0]))


@pytest.mark.parametrize("name", PRESETS)
def test_the_grid_is_a_multiple_of_every_networks_alignment(name):
    assert tiles.GRID % from_preset(name).alignment == 0


@pytest.mark.parametrize(
    ("network", "options"),
    [small.MULTISCALE, small.PLAIN, ("Generator", {"features": 4, "blocks": 1, "growth": 2})],
)
def test_a_networks_tiles_equal_the_whole(network, options):
    """At borders of the image and in its interior, with noise, at sizes off the grid."""
    generator = small.make(network, options)
    rng = np.random.default_rng(1)
    for weight in generator.weights:  # those that start at zero must count too
        weight.assign(weight.numpy() + rng.normal(0, 0.05, weight.shape))
    tables = rng.uniform(1, 99, (1, 2, 8, 8)).astype(np.float32)

    def run(window: np.ndarray, top: int, left: int) -> np.ndarray:
        fields = [
            noise.window(7, i, top // s, left // s, window.shape[1] // s, window.shape[2] // s)
            for i, s in enumerate(generator.noise_strides)
        ]
        return np.asarray(generator(window, tables, [field[None, ..., None] for field in fields]))

    halo = costs.halo(generator, tiles.GRID)
    assert 64 + 2 * halo <= 192  # so the image is cut both ways
    pixels = rng.random((203, 218, 3), np.float32)
    whole = run_tiled(run, pixels, halo, tile=4096)
    padded = np.pad(pixels, ((0, 5), (0, 6), (0, 0)), mode="edge")
    np.testing.assert_array_equal(whole, run(padded[None], 0, 0)[0, :203, :218])
    tiled = run_tiled(run, pixels, halo, tile=64)
    np.testing.assert_allclose(tiled, whole, atol=1e-5)
