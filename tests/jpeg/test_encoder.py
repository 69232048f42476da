import numpy as np
import pytest

from keras_jpeg_gan import errors
from keras_jpeg_gan.jpeg import encoder, tables
from keras_jpeg_gan.jpeg.file import read_levels
from keras_jpeg_gan.jpeg.levels import Quantized
from keras_jpeg_gan.jpeg.sampling import GRAY, Sampling

PIXELS = np.random.default_rng(3).integers(0, 256, (37, 53, 3), dtype=np.uint8)
LUMA, CHROMA = tables.quality_tables(60)
WHOLE, HALVED = Sampling.parse("4:4:4"), Sampling.parse("4:2:0")


@pytest.mark.parametrize(
    "sampling", ["4:4:4", "4:2:2", "4:4:0", "4:2:0", "4:1:1", "2x2,1x2,1x1", "2x2,2x2,2x2"]
)
def test_the_file_has_the_given_tables_and_size(sampling: str) -> None:
    steps = [LUMA, CHROMA, CHROMA + 1]
    read = read_levels(encoder.encode(PIXELS, steps, Sampling.parse(sampling)))
    assert (read.height, read.width) == (37, 53)
    for got, given in zip(read.quantized.tables, steps, strict=True):
        np.testing.assert_array_equal(got, given)


@pytest.mark.parametrize("sampling", ["gray", "2x2"])
def test_grayscale(sampling: str) -> None:
    quantized = encoder.quantize(PIXELS[..., 0].copy(), [LUMA], Sampling.parse(sampling))
    (levels,) = quantized.levels
    assert levels.shape == (5, 7, 8, 8)
    assert encoder.recompress(PIXELS[..., 0].copy(), quantized).pixels.shape == (37, 53)


def test_16_bit_tables_are_written_silently(capfd: pytest.CaptureFixture) -> None:
    steps = [LUMA, CHROMA, np.full((8, 8), 32767)]
    for sampling in ("4:2:0", "4:4:0"):
        read = read_levels(encoder.encode(PIXELS, steps, Sampling.parse(sampling)))
        np.testing.assert_array_equal(read.quantized.tables[2], steps[2])
    assert capfd.readouterr().err == ""


def test_larger_steps_are_written_as_32767_with_the_same_levels() -> None:
    steps = [np.full((8, 8), 65535)] * 3
    read = read_levels(encoder.encode(PIXELS, steps, WHOLE)).quantized
    assert (read.tables[0] == 32767).all()
    assert not any(part.any() for part in read.levels)


def test_the_certificate_of_the_same_pixels_is_exact() -> None:
    steps = [LUMA, CHROMA, CHROMA]
    quantized = encoder.quantize(PIXELS, steps, HALVED)
    certificate = encoder.certify(PIXELS, quantized)
    assert certificate.exact
    assert certificate.levels_total == sum(part.size for part in quantized.levels)
    assert 0 < certificate.largest_violation <= 0.5
    assert str(certificate).startswith(
        f"exact: {certificate.levels_total} of {certificate.levels_total} levels equal"
    )


def test_the_certificate_counts_what_is_off() -> None:
    steps = [LUMA, CHROMA, CHROMA]
    levels = [part.copy() for part in encoder.quantize(PIXELS, steps, WHOLE).levels]
    levels[0][1, 2, 3, 4] += 5
    levels[2][0, 0, 0, 0] -= 1
    certificate = encoder.certify(PIXELS, Quantized(levels, steps, WHOLE))
    assert not certificate.exact
    assert certificate.levels_total - certificate.levels_equal == 2
    assert 4.5 <= certificate.largest_violation <= 5.5
    assert str(certificate).startswith("not exact")


def test_the_certificate_does_not_depend_on_its_bands(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = [LUMA, CHROMA, CHROMA]
    quantized = encoder.quantize(PIXELS, steps, HALVED)
    off = np.clip(PIXELS.astype(int) + np.linspace(-9, 9, 37)[:, None, None], 0, 255)
    whole = encoder.certify(off.astype(np.uint8), quantized)
    monkeypatch.setattr(encoder, "_PIXELS_AT_ONCE", 1)
    assert encoder.certify(off.astype(np.uint8), quantized) == whole
    assert not whole.exact


def test_samplings_that_libjpeg_cannot_write_are_refused() -> None:
    with pytest.raises(errors.ConfigError, match="cannot write"):
        encoder.encode(PIXELS, [LUMA, CHROMA, CHROMA], Sampling.parse("4x4,1x1,1x1"))


def test_mismatches_are_refused_by_name() -> None:
    with pytest.raises(errors.ConfigError, match="do not fit"):
        encoder.encode(PIXELS, [LUMA], GRAY)
    with pytest.raises(errors.ConfigError, match="step"):
        encoder.encode(PIXELS, [LUMA, CHROMA, CHROMA * 0], HALVED)
    quantized = encoder.quantize(PIXELS, [LUMA, CHROMA, CHROMA], HALVED)
    with pytest.raises(errors.ConfigError, match="do not fit"):
        encoder.certify(PIXELS[8:], quantized)
