"""Hidden samples are seen to be free only where no repeated edge explains them."""

import dataclasses

import numpy as np
import pytest

from keras_jpeg_gan.jpeg import encoder
from keras_jpeg_gan.jpeg.file import JpegFile
from keras_jpeg_gan.jpeg.projection import border, exact, floating
from keras_jpeg_gan.jpeg.sampling import Sampling
from keras_jpeg_gan.jpeg.tables import quality_tables
from tests.files import picture, with_hidden

SAMPLINGS = ("gray", "4:4:4", "4:2:2", "4:4:0", "4:2:0", "4:1:1", "1x4,1x2,1x1")


@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_the_border_of_libjpegs_own_files_is_not_free(sampling: str) -> None:
    gray = sampling == "gray"
    generator = np.random.default_rng(0)
    for quality in (5, 50, 90, 100):
        tables = [*quality_tables(quality), quality_tables(quality)[1]][: 1 if gray else 3]
        for height, width in ((1, 1), (19, 70), (33, 17)):
            shape = (height, width) if gray else (height, width, 3)
            noise = generator.integers(0, 256, shape).astype(np.uint8)
            text = np.where(generator.random(shape) < 0.2, 0, 255).astype(np.uint8)
            for pixels in (picture(height, width, gray=gray), noise, text):
                quantized = encoder.quantize(pixels, tables, Sampling.parse(sampling))
                assert not border.is_free(quantized, height, width), (quality, height, width)


@pytest.mark.parametrize("gray", [False, True])
@pytest.mark.parametrize("quality", [10, 75, 95])
@pytest.mark.parametrize("fill", ["black", "zero", "picture"])
def test_a_border_that_no_repeated_edge_explains_is_free(
    fill: str, quality: int, gray: bool
) -> None:
    if fill == "picture" and quality < 75:
        pytest.skip("so coarse that a repeated edge explains it")
    file = JpegFile.read(with_hidden(fill, gray=gray, quality=quality))
    assert file.quantized is not None
    assert border.is_free(file.quantized, file.height, file.width)


def test_what_is_hidden_comes_from_the_levels_and_what_is_seen_stays() -> None:
    file = JpegFile.read(with_hidden("black", subsampling=0, quality=95))
    assert file.quantized is not None
    free = dataclasses.replace(file.quantized, visible=(74, 90))
    whole = border.extended(np.full((74, 90, 3), 7, np.uint8), free)
    assert whole.shape == (80, 96, 3)
    assert (whole[:74, :90] == 7).all()
    assert np.abs(whole[75:]).mean() < 10  # black, but for the ringing of its edge
    assert np.abs(whole[:, 91:]).mean() < 10


@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:0"])
def test_projections_at_whole_units_are_consistent(subsampling: str) -> None:
    file = JpegFile.read(with_hidden("black", 70, 70, subsampling=subsampling))
    assert file.quantized is not None
    free = dataclasses.replace(file.quantized, visible=(70, 70))  # whole units are 80 with 4:2:0
    wanted = border.extended(file.pixels, free)
    assert encoder.certify(exact.project(wanted, free), free).exact
    found = floating.violations(floating.project(wanted, free), free)
    assert found.max() < 0.5
    assert len(found) == sum(part.size for part in free.levels)
