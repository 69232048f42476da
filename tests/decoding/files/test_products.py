"""Samples, mean and deviation of one file, with a sampler that needs no framework."""

import io
import itertools

import numpy as np
import pytest
from PIL import Image

from keras_jpeg_gan import Decoder, RestoreOptions
from keras_jpeg_gan.decoding.files.products import MAP, NUMBERS, Products
from keras_jpeg_gan.decoding.files.provenance import work_of
from tests.files import jpeg

UNPROJECTED = RestoreOptions(projection="none")


@pytest.fixture
def decoder(sampler):
    return Decoder(sampler)


@pytest.fixture
def file(decoder):
    return decoder.read(jpeg(24, 48))


def made(products, decoder, file, names=None, seed=7):
    names = products.names if names is None else names
    return dict(products.make(decoder, file, names, seed, options=UNPROJECTED))


def test_one_pass_makes_all_products(decoder, file):
    products = made(Products(samples=2, mean=5, deviation=True), decoder, file)
    assert list(products) == ["1", "2", "mean", MAP, NUMBERS]
    samples = list(decoder.samples(file, 5, seed=7, options=UNPROJECTED))
    for name, sample in zip("12", samples, strict=False):
        assert products[name].seed == sample.seed
        assert np.array_equal(products[name].pixels, sample.pixels)
    assert np.array_equal(products["mean"].pixels, decoder.mean(samples).pixels)
    pixels = np.stack([sample.pixels for sample in samples]).astype(float)
    deviation = np.sqrt(pixels.var(axis=0, ddof=1).mean(axis=-1))
    numbers = products[NUMBERS]
    assert numbers.pixels.dtype == np.uint16
    np.testing.assert_allclose(numbers.pixels / 256, deviation, atol=1 / 256)
    assert (numbers.seed, numbers.count) == (7, 5)
    assert numbers.mean == pytest.approx(deviation.mean())
    shown = products[MAP].pixels
    np.testing.assert_allclose(1 - shown / 255, (deviation / 64) ** 0.25, atol=0.003)
    assert shown[:, :20].min() == 255


@pytest.mark.parametrize(
    ("names", "draws"),
    [(["1"], 1), (["2"], 1), (["1", "mean"], 3), ([MAP], 3), (["2", "4"], 2), ([], 0)],
)
def test_no_sample_is_drawn_needlessly(decoder, file, monkeypatch, names, draws):
    count = itertools.count()
    restore = decoder.restore

    def counted(*arguments, **options):
        next(count)
        return restore(*arguments, **options)

    monkeypatch.setattr(decoder, "restore", counted)
    fewer = Products(samples=4 if "4" in names else 2, mean=3, deviation=True)
    assert list(made(fewer, decoder, file, names)) == names
    assert next(count) == fewer.drawn(names) == draws


def test_the_deviation_is_taken_over_more_than_one_sample(decoder, file):
    products = made(Products(deviation=True), decoder, file)
    assert list(products) == ["", MAP, NUMBERS]
    assert products[MAP].count == 16
    work = work_of(text(products[MAP].encoded("png")))
    assert (work.product, work.samples) == (MAP, 16)
    assert text(products[MAP].encoded("png", keep_metadata=False)) == ""


def test_what_will_be_made_is_known_before(decoder, file):
    """A later run skips an image if it is the work that it would do itself."""
    several = Products(samples=3, mean=5, deviation=True)
    options = RestoreOptions(projection="none", blend=0.5, temperature=2)
    for seed in (7, (1 << 64) - 2):
        for name, product in several.make(decoder, file, several.names, seed, options):
            wanted = several.work(name, file.sha256, decoder.card, seed, options)
            assert product.work == wanted
            assert wanted.differences(product.work) == []


def text(content: bytes) -> str:
    with Image.open(io.BytesIO(content)) as image:
        return image.text.get("Restoration", "")
