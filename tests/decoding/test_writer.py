import errno
import io
import pathlib

import numpy as np
import pytest
from made_up import picture
from PIL import Image

from keras_jpeg_gan.decoding import writer
from keras_jpeg_gan.errors import ConfigError


@pytest.mark.parametrize("image_format", writer.FORMATS)
@pytest.mark.parametrize("gray", [False, True])
def test_formats_are_lossless_and_gray_stays_gray(image_format, gray):
    pixels = picture(31, 17, gray=gray)
    content = writer.encode(pixels, image_format, None, "nothing")
    with Image.open(io.BytesIO(content)) as image:
        assert image.format == image_format.upper()
        expected = "L" if gray and image_format != "webp" else "RGB"
        assert image.mode == expected
        back = np.asarray(image.convert("L" if gray else "RGB"))
    assert np.array_equal(back, pixels)


def test_a_size_that_webp_cannot_hold_is_refused():
    with pytest.raises(ConfigError, match="WebP"):
        writer.encode(np.zeros((1, 16384), np.uint8), "webp", None, "")
    with pytest.raises(ConfigError, match="format"):
        writer.encode(np.zeros((1, 1), np.uint8), "jpeg", None, "")


@pytest.mark.parametrize(("name", "expected"), [("a.PNG", "png"), ("a.tif", "tiff")])
def test_the_suffix_says_the_format(name, expected):
    assert writer.format_of(pathlib.Path(name)) == expected


def test_a_suffix_of_no_format_is_refused():
    with pytest.raises(ConfigError, match=r"\.webp"):
        writer.format_of(pathlib.Path("a.jpg"))


def test_writing_replaces_and_leaves_nothing_else(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"old")
    writer.write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()]
)
def test_what_fails_midway_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, error):
    path = tmp_path / "a.png"
    path.write_bytes(b"old")

    def fail(descriptor: int) -> None:
        raise error

    monkeypatch.setattr(writer.os, "fsync", fail)
    with pytest.raises(type(error)):
        writer.write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
