import io

import numpy as np
import pytest
from PIL import Image

from keras_jpeg_gan import errors
from keras_jpeg_gan.jpeg import encoder, tables
from keras_jpeg_gan.jpeg.coefficients import read_coefficients

PIXELS = np.random.default_rng(3).integers(0, 256, (37, 53, 3), dtype=np.uint8)
LUMA, CHROMA = tables.quality_tables(60)


@pytest.mark.parametrize(
    "sampling", ["4:4:4", "4:2:2", "4:4:0", "4:2:0", "4:1:1", "2x2,1x2,1x1", "2x2,2x2,2x2"]
)
def test_file_has_the_tables_and_the_size_asked_for(sampling: str) -> None:
    steps = [LUMA, CHROMA, CHROMA + 1]
    read = read_coefficients(encoder.encode(PIXELS, steps, sampling))
    assert (read.height, read.width) == (37, 53)
    for got, given in zip(read.tables, steps, strict=True):
        np.testing.assert_array_equal(got, given)


@pytest.mark.parametrize("sampling", ["gray", "2x2"])
def test_grayscale(sampling: str) -> None:
    data = encoder.encode(PIXELS[..., 0].copy(), [LUMA], sampling)
    assert Image.open(io.BytesIO(data)).mode == "L"
    (levels,) = encoder.encode_levels(PIXELS[..., 0].copy(), [LUMA], sampling)
    assert levels.shape == (5, 7, 8, 8)


def test_16_bit_tables_are_written_without_a_word(capfd: pytest.CaptureFixture) -> None:
    steps = [LUMA, CHROMA, np.full((8, 8), 32767)]
    for sampling in ("4:2:0", "4:4:0"):
        read = read_coefficients(encoder.encode(PIXELS, steps, sampling))
        np.testing.assert_array_equal(read.tables[2], steps[2])
    assert capfd.readouterr().err == ""


def test_larger_steps_are_written_as_32767_with_the_same_levels() -> None:
    steps = [np.full((8, 8), 65535)] * 3
    read = read_coefficients(encoder.encode(PIXELS, steps, "4:4:4"))
    assert (read.tables[0] == 32767).all()
    assert not any(part.any() for part in read.levels)


def test_certificate_of_the_same_pixels_is_exact() -> None:
    steps = [LUMA, CHROMA, CHROMA]
    levels = encoder.encode_levels(PIXELS, steps, "4:2:0")
    certificate = encoder.certify(PIXELS, levels, steps, "4:2:0")
    assert certificate.exact
    assert certificate.levels_total == sum(part.size for part in levels)
    assert 0 < certificate.largest_violation <= 0.5
    assert str(certificate).startswith(
        f"exact: {certificate.levels_total} of {certificate.levels_total} levels equal"
    )


def test_certificate_counts_what_is_off() -> None:
    steps = [LUMA, CHROMA, CHROMA]
    levels = [part.copy() for part in encoder.encode_levels(PIXELS, steps, "4:4:4")]
    levels[0][1, 2, 3, 4] += 5
    levels[2][0, 0, 0, 0] -= 1
    certificate = encoder.certify(PIXELS, levels, steps, "4:4:4")
    assert not certificate.exact
    assert certificate.levels_total - certificate.levels_equal == 2
    assert 4.5 <= certificate.largest_violation <= 5.5
    assert str(certificate).startswith("not exact")


@pytest.mark.parametrize("sampling", ["3x1,2x1,1x1", "4x4,1x1,1x1", "3x2,1x1,2x1"])
def test_samplings_that_libjpeg_cannot_write(sampling: str) -> None:
    assert not encoder.can_encode(sampling)
    with pytest.raises(errors.ConfigError, match="cannot write"):
        encoder.encode(PIXELS, [LUMA, CHROMA, CHROMA], sampling)


def test_mismatches_are_named() -> None:
    with pytest.raises(errors.ConfigError, match="do not fit"):
        encoder.encode(PIXELS, [LUMA], "gray")
    with pytest.raises(errors.ConfigError, match="step"):
        encoder.encode(PIXELS, [LUMA, CHROMA, CHROMA * 0], "4:2:0")
    levels = encoder.encode_levels(PIXELS, [LUMA, CHROMA, CHROMA], "4:2:0")
    with pytest.raises(errors.ConfigError, match="do not fit"):
        encoder.certify(PIXELS[8:], levels, [LUMA, CHROMA, CHROMA], "4:2:0")
