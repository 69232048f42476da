"""What an encoder must give back: whether it fits an image, and its bands."""

import itertools

import numpy as np
import pytest

from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.jpeg import encoder
from keras_jpeg_gan.jpeg.levels import Quantized
from keras_jpeg_gan.jpeg.sampling import Sampling
from keras_jpeg_gan.jpeg.tables import quality_tables
from tests.files import picture

LUMA, CHROMA = quality_tables(60)
NAMES = ["gray", "4:4:4", "4:2:0", "4:4:0", "4:1:1", "2x2,1x2,1x1", "1x4,1x1,1x2"]


def quantized(name: str, height: int, width: int) -> tuple[np.ndarray, Quantized]:
    sampling = Sampling.parse(name)
    pixels = picture(height, width, gray=name == "gray")
    tables = [LUMA, CHROMA, CHROMA][: sampling.components]
    return pixels, encoder.quantize(pixels, tables, sampling)


@pytest.mark.parametrize("name", NAMES)
def test_a_band_has_the_levels_of_its_rows(name: str) -> None:
    """Bands begin with a unit, so that libjpeg compresses them to the same levels by themselves."""
    pixels, whole = quantized(name, 77, 40)
    unit = whole.sampling.unit_height
    cuts = [0, unit, 2 * unit, 77]
    parts = []
    for top, end in itertools.pairwise(cuts):
        parts.append(whole.rows(top, end))
        assert encoder.certify(np.ascontiguousarray(pixels[top:end]), parts[-1]).exact
    for i, levels in enumerate(whole.levels):
        np.testing.assert_array_equal(np.concatenate([part.levels[i] for part in parts]), levels)


def test_levels_may_have_a_batch_axis() -> None:
    _, whole = quantized("4:2:0", 64, 40)
    batch = Quantized([part[None] for part in whole.levels], whole.tables, whole.sampling)
    for part, own in zip(batch.rows(16, 48).levels, whole.rows(16, 48).levels, strict=True):
        np.testing.assert_array_equal(part[0], own)


@pytest.mark.parametrize("name", NAMES)
def test_pixels_of_another_size_do_not_fit(name: str) -> None:
    pixels, given = quantized(name, 40, 56)
    given.check_fits(pixels.shape)
    height, width, *channels = pixels.shape
    for shape in (
        (height + 1, width, *channels),
        (height, width + 8, *channels),
        (height, width, 2),
        (height, width) if channels else (height, width, 3),
    ):
        with pytest.raises(ConfigError, match="do not fit pixels"):
            given.check_fits(shape)


def test_components_must_be_as_many_as_tables() -> None:
    _, given = quantized("4:4:4", 8, 8)
    for levels, tables in ((given.levels[:1], given.tables), (given.levels, given.tables[:2])):
        with pytest.raises(ConfigError, match="do not fit sampling 4:4:4"):
            Quantized(levels, tables, given.sampling)
