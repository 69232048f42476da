import io

import numpy as np
import pytest
from PIL import Image

from keras_jpeg_gan.errors import ConfigError, JpegFormatError
from keras_jpeg_gan.jpeg import tables


def pillow_tables(quality: int) -> list[np.ndarray]:
    stream = io.BytesIO()
    Image.new("RGB", (8, 8)).save(stream, "JPEG", quality=quality)
    with Image.open(stream) as image:
        return [np.reshape(image.quantization[i], (8, 8)) for i in (0, 1)]


@pytest.mark.parametrize("quality", range(1, 101))
def test_quality_tables_are_libjpegs(quality):
    for ours, theirs in zip(tables.quality_tables(quality), pillow_tables(quality), strict=True):
        assert ours.dtype == np.int32
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("quality", range(1, 101))
def test_estimated_quality_inverts_the_scaling(quality):
    luma, chroma = tables.quality_tables(quality)
    assert tables.estimate_quality(luma, chroma) == quality
    assert tables.estimate_quality(luma) == quality


@pytest.mark.parametrize("quality", [10, 37, 50, 80, 92])
def test_estimated_quality_stands_a_change_of_a_few_steps(quality):
    luma, chroma = tables.quality_tables(quality)
    luma[0, 0] += 3
    chroma[7, 7] += 20
    assert tables.estimate_quality(luma, chroma) == quality


def test_estimated_quality_of_tables_beyond_the_scale():
    assert tables.estimate_quality(np.full((8, 8), 60_000)) == 1
    assert tables.estimate_quality(np.ones((8, 8), int)) == 100


@pytest.mark.parametrize("quality", [0, 101, -5])
def test_quality_out_of_range(quality):
    with pytest.raises(ConfigError, match="1 to 100"):
        tables.quality_tables(quality)


def test_conditioning_is_luma_then_chroma_in_units_of_log_255():
    luma, chroma = tables.quality_tables(1)[0], np.ones((8, 8), int)
    chroma[0, 1] = 255 * 255
    vector = tables.conditioning([luma, chroma, chroma])
    assert vector.dtype == np.float32
    np.testing.assert_allclose(vector[:64], 1, rtol=1e-6)
    expected = np.zeros(64)
    expected[1] = 2  # across is the faster axis; 16-bit steps go in as they are
    np.testing.assert_allclose(vector[64:], expected, atol=1e-6)


def test_network_tables_are_the_files_steps():
    luma, chroma = tables.quality_tables(75)
    np.testing.assert_allclose(
        tables.network_tables([luma, chroma, chroma]), [luma, chroma], rtol=1e-6
    )


def test_conditioning_of_grayscale_repeats_luma():
    luma, _ = tables.quality_tables(30)
    np.testing.assert_array_equal(
        tables.conditioning([luma]), tables.conditioning([luma, luma, luma])
    )


def test_conditioning_takes_the_mean_of_the_logarithms_of_cb_and_cr():
    luma = np.full((8, 8), 16)
    vector = tables.conditioning([luma, np.full((8, 8), 2), np.full((8, 8), 32)])
    np.testing.assert_allclose(vector[64:], np.log(8) / np.log(255), rtol=1e-6)


def test_a_step_of_zero_is_refused():
    luma, chroma = tables.quality_tables(50)
    chroma[3, 4] = 0
    with pytest.raises(JpegFormatError, match="step of 0"):
        tables.conditioning([luma, chroma, chroma])
    with pytest.raises(JpegFormatError, match="step of 0"):
        tables.estimate_quality(luma, chroma)


def test_two_tables_are_no_colour_file():
    with pytest.raises(JpegFormatError, match="2 components"):
        tables.conditioning(list(tables.quality_tables(50)))
