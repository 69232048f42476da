"""A photograph does not show how it was cut into tiles: the bundled sampler on a Kodak image."""

import io

import numpy as np
import pytest
from PIL import Image

from keras_jpeg_gan import Decoder, RestoreOptions
from keras_jpeg_gan.decoding import memory


@pytest.fixture(scope="module")
def content(kodak) -> bytes:
    buffer = io.BytesIO()
    with Image.open(kodak[0]) as image:
        image.crop((0, 0, 741, 502)).save(buffer, "JPEG", quality=15)
    return buffer.getvalue()


@pytest.fixture
def restored(content, monkeypatch):
    decoder = Decoder("default")
    file = decoder.read(content)

    def run(tile: int, halo: int | None = None, projection: str = "none"):
        monkeypatch.setattr(memory, "TILES", (tile,))
        if halo is not None:
            decoder.runtime.halo = halo
        return decoder.restore(file, seed=9, options=RestoreOptions(projection=projection))

    return run


@pytest.mark.parametrize("tile", [128, 256, 512])
def test_tiles_do_not_show(restored, tile):
    whole = restored(1024).pixels.astype(int)
    difference = np.abs(restored(tile).pixels - whole)
    assert difference.max() <= 1
    assert (difference == 0).mean() >= 0.999
    # They would if the halo were missing.
    assert np.abs(restored(tile, halo=0).pixels - whole).max() > 5


@pytest.mark.parametrize("tile", [256, 512, 1024])
def test_the_result_is_exact_for_every_tiling(restored, tile):
    assert restored(tile, projection="exact").certificate.exact


def test_bands_and_the_whole_are_projected_alike(restored, content):
    """`estimate` and `finish`, which evaluation uses, give the same as `restore`."""
    decoder = Decoder("default")
    file = decoder.read(content)
    by_parts = decoder.finish(decoder.estimate(file, seed=9), file, seed=9)
    np.testing.assert_array_equal(by_parts.pixels, decoder.restore(file, seed=9).pixels)
