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
def test_estimated_quality_tolerates_a_few_changed_steps(quality):
    luma, chroma = tables.quality_tables(quality)
    luma[0, 0] += 3
    chroma[7, 7] += 20
    assert tables.estimate_quality(luma, chroma) == quality


def test_estimated_quality_of_tables_beyond_the_scale():
    assert tables.estimate_quality(np.full((8, 8), 60_000)) == 1
    assert tables.estimate_quality(np.ones((8, 8), int)) == 100


@pytest.mark.parametrize("quality", [0, 101, -5])
def test_qualities_out_of_range_are_refused(quality):
    with pytest.raises(ConfigError, match="1 to 100"):
        tables.quality_tables(quality)


def test_network_tables_are_the_files_steps():
    luma, chroma = tables.quality_tables(75)
    chroma[0, 1] = 255 * 255  # 16-bit steps go in as they are
    found = tables.network_tables([luma, chroma, chroma])
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [luma, chroma], rtol=1e-6)


def test_grayscale_repeats_luma():
    luma, _ = tables.quality_tables(30)
    np.testing.assert_array_equal(
        tables.network_tables([luma]), tables.network_tables([luma, luma, luma])
    )


def test_tables_of_cb_and_cr_are_merged_by_geometric_mean():
    found = tables.network_tables([np.full((8, 8), steps) for steps in (16, 2, 32)])
    np.testing.assert_allclose(found[1], 8, rtol=1e-6)


def test_a_step_of_zero_is_refused():
    luma, chroma = tables.quality_tables(50)
    chroma[3, 4] = 0
    with pytest.raises(JpegFormatError, match="step of 0"):
        tables.network_tables([luma, chroma, chroma])
    with pytest.raises(JpegFormatError, match="step of 0"):
        tables.estimate_quality(luma, chroma)


def test_two_tables_are_refused():
    with pytest.raises(JpegFormatError, match="2 components"):
        tables.network_tables(list(tables.quality_tables(50)))
