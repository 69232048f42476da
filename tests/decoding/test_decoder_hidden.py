"""Hidden samples below and to the right of the image, and pictures without colour."""

import numpy as np
import pytest
from PIL import Image

from keras_jpeg_gan import RestoreOptions
from tests.files import picture, saved, with_hidden, with_size


def distances(restored):
    """How far the rows and the columns of an image are from libjpeg's decode, on average."""
    away = np.abs(restored.pixels.astype(float) - restored.file.pixels)
    away = np.atleast_3d(away).mean(axis=2)
    return away.mean(axis=1), away.mean(axis=0)


def assert_edges_are_like_the_rest(restored):
    for lines in distances(restored):
        assert lines[[0, -1]].max() < 1.5 * lines[1:-1].max() + 1


@pytest.mark.parametrize("projection", ["exact", "float"])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"gray": True}])
@pytest.mark.parametrize("fill", ["black", "zero", "picture"])
def test_hidden_samples_do_not_drag_the_edge(decoder, fill, options, projection):
    content = with_hidden(fill, **options)
    restored = decoder.restore(content, options=RestoreOptions(projection=projection))
    assert restored.pixels.shape == restored.file.pixels.shape
    assert_edges_are_like_the_rest(restored)
    assert restored.certificate.hidden_border
    total = sum(part.size for part in restored.file.quantized.levels)
    assert restored.certificate.levels_total == total
    rgb = fill != "zero" or "gray" in options  # zero chroma is no colour of RGB
    if projection == "exact":
        assert restored.certificate.exact == rgb
        words = "exact, with its hidden border: " if rgb else "not exact, with its hidden border"
        assert restored.summary.startswith(words)


def test_hidden_samples_in_bands_and_16_bits_and_means(in_bands, drawing):
    several = in_bands.restore(drawing.read(with_hidden("black", 523, 300)))
    assert several.certificate.exact
    assert several.certificate.hidden_border
    assert_edges_are_like_the_rest(several)
    sixteen = drawing.restore(with_hidden("black"), options=RestoreOptions(bits=16))
    assert sixteen.violation.largest < 0.5
    mean = drawing.mean(drawing.samples(with_hidden("black"), count=2))
    assert mean.certificate.exact
    assert mean.certificate.hidden_border


@pytest.mark.parametrize("name", ["hidden_rows_gray", "hidden_rows_420", "phone_bottom_rows"])
def test_edges_of_files_from_the_field(decoder, shared_data, name):
    restored = decoder.restore(shared_data / "found" / f"{name}.jpg")
    assert restored.certificate.hidden_border
    assert_edges_are_like_the_rest(restored)


class Fringes:
    """A runtime that sees orange and blue everywhere."""

    halo = 16
    noise_strides = ()

    def restore(self, pixels, tables, noise=None):
        waves = 60 * np.sin(np.arange(pixels.shape[2]) / 3)[:, None] * [1, 0, -1]
        return (pixels + waves).astype(np.float32)


@pytest.fixture
def fringes(decoder):
    decoder.runtime = Fringes()
    return decoder


@pytest.mark.parametrize("options", [{}, {"projection": "float"}, {"projection": "none"}])
@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:0"])
def test_a_gray_picture_in_three_components_stays_gray(fringes, subsampling, options):
    gray = Image.fromarray(picture(59, 75, gray=True))
    content = saved(np.asarray(gray.convert("RGB")), quality=60, subsampling=subsampling)
    restored = fringes.restore(content, options=RestoreOptions(**options))
    assert restored.pixels.shape == (59, 75, 3)
    assert (restored.pixels == restored.pixels[..., :1]).all()
    assert restored.certificate.levels_total == sum(
        part.size for part in restored.file.quantized.levels
    )
    if not options:
        assert restored.certificate.exact
    earlier = fringes.restore(content, options=RestoreOptions(earlier_save="30@3,5"))
    assert earlier.pixels.shape == (59, 75, 3)
    assert (earlier.pixels == earlier.pixels[..., :1]).all()
    estimate = fringes.estimate(restored.file)
    assert estimate.shape == (59, 75, 3)
    again = fringes.finish(estimate, restored.file, options=RestoreOptions(**options))
    assert np.array_equal(again.pixels, restored.pixels)


def test_a_gray_picture_in_three_components_with_hidden_samples(fringes):
    whole = np.asarray(Image.fromarray(picture(80, 96, 3, gray=True)).convert("RGB")).copy()
    whole[70:] = whole[:, 70:] = 0
    restored = fringes.restore(with_size(saved(whole, quality=75), 70, 70))
    assert restored.pixels.shape == (70, 70, 3)
    assert (restored.pixels == restored.pixels[..., :1]).all()
    assert restored.certificate.exact
    assert restored.certificate.hidden_border


def test_colour_stays_near_the_colour_of_the_file(fringes):
    pixels = np.asarray(Image.fromarray(picture(160, 240, gray=True)).convert("RGB")).copy()
    pixels[70:90, 20:60] = (200, 40, 30)
    restored = fringes.restore(saved(pixels, quality=60))
    assert restored.certificate.exact
    spread = np.ptp(restored.pixels.astype(int), axis=2)
    assert spread[:, 112:].max() <= 4  # three cells and more from the object
    assert spread[70:90, 20:60].mean() > 100
    assert spread[64:96, 16:64].max() > 100
