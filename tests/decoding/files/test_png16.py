"""16-bit PNG, as TensorFlow and Pillow read it."""

import io

import numpy as np
import pytest
from PIL import Image

from keras_jpeg_gan.decoding.files import png16, writer
from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.jpeg.metadata import Metadata


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(len(shape)).integers(0, 65536, shape).astype(np.uint16)


@pytest.mark.parametrize("shape", [(1, 1, 3), (7, 5, 3), (600, 33, 3), (7, 5)])
def test_every_bit_comes_back(shape) -> None:
    tf = pytest.importorskip("tensorflow", reason="TensorFlow is not installed")
    pixels = noise(*shape)
    content = writer.encode(pixels, "png", None, "")
    found = tf.io.decode_png(content, dtype=tf.uint16).numpy().reshape(shape)
    np.testing.assert_array_equal(found, pixels)
    with Image.open(io.BytesIO(content)) as image:
        image.verify()  # the check sums
    with Image.open(io.BytesIO(content)) as image:
        high = pixels if pixels.ndim == 2 else pixels >> 8
        np.testing.assert_array_equal(np.asarray(image), high)


def test_metadata_goes_along() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    metadata = Metadata(exif.tobytes(), b"a profile", b"<x/>", ("hm",), 6, (300, 300))
    content = writer.encode(noise(9, 9, 3), "png", metadata, "made here")
    with Image.open(io.BytesIO(content)) as image:
        assert image.size == (9, 9)
        assert image.getexif()[0x0112] == 6
        assert image.info["icc_profile"] == b"a profile"
        assert image.text["Comment"] == "hm"
        assert image.text["Restoration"] == "made here"


def test_smooth_pictures_are_compressed() -> None:
    y, x = np.mgrid[:256, :256].astype(np.uint16)
    smooth = np.stack([64 * x + y, 32 * y, x], axis=2).astype(np.uint16)
    shell = writer.encode(np.zeros((1, 1, 3), np.uint8), "png", None, "")
    assert len(png16.with_pixels(shell, smooth, 3)) < smooth.nbytes / 10


@pytest.mark.parametrize("image_format", ["webp", "tiff"])
def test_other_formats_are_refused(image_format) -> None:
    with pytest.raises(ConfigError, match="only png"):
        writer.encode(noise(4, 4, 3), image_format, None, "")
