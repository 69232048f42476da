"""Files that an encoder does not convert to YCbCr as a whole: RGB-coded, CMYK, YCCK."""

import dataclasses

import numpy as np
import pytest

from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.jpeg import encoder
from keras_jpeg_gan.jpeg.colour_model import ColourModel
from keras_jpeg_gan.jpeg.file import JpegFile, decode
from keras_jpeg_gan.jpeg.levels import Quantized
from keras_jpeg_gan.jpeg.projection import border, exact, floating
from keras_jpeg_gan.jpeg.sampling import Sampling
from keras_jpeg_gan.jpeg.tables import quality_tables
from tests.files import picture, with_size
from tests.jpeg.projection.test_exact import low_passed

ODD = np.arange(64).reshape(8, 8) % 13 + 3  # unlike any that libjpeg makes


def inks(height: int, width: int) -> np.ndarray:
    """A picture of four inks, as [H, W, 4] uint8."""
    return np.dstack([picture(height, width), picture(height, width, 7, gray=True)])


def quantized(
    model: ColourModel, sampling: str, quality: int, height: int, width: int
) -> tuple[np.ndarray, Quantized]:
    luma, chroma = quality_tables(quality)
    pixels, steps = inks(height, width), [luma, chroma, chroma + 1, ODD]
    if model is ColourModel.RGB:
        pixels, steps = np.ascontiguousarray(pixels[..., :3]), [luma, ODD, luma]
    file = encoder.quantize(pixels, steps, Sampling.parse(sampling), model.converted)
    assert file.model is model
    return pixels, file


@pytest.mark.parametrize(
    ("model", "sampling"),
    [
        (ColourModel.RGB, "4:4:4"),
        (ColourModel.RGB, "4:2:0"),
        (ColourModel.CMYK, "4:4:4:4"),
        (ColourModel.CMYK, "2x2,1x1,1x1,1x1"),  # as Pillow's 4:2:0
        (ColourModel.YCCK, "4:4:4:4"),
        (ColourModel.YCCK, "4:2:0:4"),
        (ColourModel.YCCK, "2x1,1x1,1x1,1x2"),  # no component has a sample for each pixel
    ],
)
@pytest.mark.parametrize(("quality", "height", "width"), [(10, 37, 51), (50, 32, 48), (90, 37, 51)])
def test_libjpeg_gives_the_levels_of_the_projection(
    model: ColourModel, sampling: str, quality: int, height: int, width: int
) -> None:
    original, file = quantized(model, sampling, quality, height, width)
    decoded = encoder.recompress(original, file).pixels
    given = (low_passed(original) + low_passed(decoded)) / 2
    result = exact.project(given, file)
    certificate = encoder.certify(result, file)
    assert certificate.exact, certificate
    assert (certificate.levels_total, result.dtype) == (sum(map(np.size, file.levels)), np.uint8)
    assert floating.violations(floating.project(given, file), file).max() <= 0.5


@pytest.mark.parametrize("model", [ColourModel.RGB, ColourModel.CMYK, ColourModel.YCCK])
def test_a_consistent_image_hardly_changes(model: ColourModel) -> None:
    """Inks that were taken for their negative, or another's channel, would have to."""
    sampling = "4:4:4" if model is ColourModel.RGB else "4:4:4:4"
    original, file = quantized(model, sampling, 90, 40, 56)
    change = exact.project(original, file).astype(int) - original
    assert np.abs(change).max() <= 6
    assert np.abs(change).mean() < 0.5


@pytest.mark.parametrize("model", [ColourModel.RGB, ColourModel.CMYK, ColourModel.YCCK])
@pytest.mark.parametrize("unit", [1, 2])
def test_the_decode_is_near_the_pixels(model: ColourModel, unit: int) -> None:
    sampling = {1: "4:4:4", 2: "4:2:0"}[unit] + (":4" if model is not ColourModel.RGB else "")
    original, file = quantized(model, sampling, 95, 48, 64)
    data = encoder.encode(original, file.tables, file.sampling, file.converted)
    read = JpegFile.read(data)
    assert (read.model, read.quantized.sampling) == (model, file.sampling)
    assert np.abs(read.pixels.astype(int) - original).mean() < 12
    np.testing.assert_array_equal(read.pixels, decode(data))
    for ours, theirs in zip(read.quantized.levels, file.levels, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("model", [ColourModel.CMYK, ColourModel.YCCK])
def test_a_hidden_border_is_free(model: ColourModel) -> None:
    original, file = quantized(model, "4:2:0:4", 75, 64, 64)
    data = encoder.encode(original, file.tables, file.sampling, file.converted)
    cropped = JpegFile.read(with_size(data, 52, 50)).quantized
    assert border.is_free(cropped, 52, 50)
    assert not border.is_free(file, 64, 64)
    free = dataclasses.replace(cropped, visible=(52, 50))
    whole = border.extended(original[:52, :50].astype(np.float32), free)
    assert whole.shape == (64, 64, 4)
    certificate = encoder.certify(exact.project(whole, free), free)
    assert certificate.exact, certificate


def test_bands_of_rows_keep_the_colour_model() -> None:
    original, file = quantized(ColourModel.CMYK, "4:2:0:4", 60, 48, 32)
    assert encoder.certify(np.ascontiguousarray(original[16:]), file.rows(16, 48)).exact


def test_pixels_of_other_channels_are_refused() -> None:
    original, file = quantized(ColourModel.YCCK, "4:4:4:4", 60, 16, 16)
    with pytest.raises(ConfigError, match="sampling 4:4:4:4"):
        exact.project(original[..., :3], file)
    with pytest.raises(ConfigError, match="do not fit"):
        encoder.certify(np.ascontiguousarray(original[..., :3]), file)


@pytest.mark.parametrize(
    ("model", "sampling"), [(ColourModel.RGB, "4:4:4"), (ColourModel.CMYK, "4:4:4:4")]
)
def test_the_tensors_codec_knows_only_gray_and_ycbcr(model: ColourModel, sampling: str) -> None:
    from keras_jpeg_gan.jpeg.tensors import consistency

    with pytest.raises(ConfigError, match=f"{model.value}: only gray and YCbCr"):
        consistency.batch_of_one(*quantized(model, sampling, 60, 16, 16))
