"""PNG, WebP and JPEG files that are read as if they were a JPEG file's decode."""

import io
import pathlib

import numpy as np
import pytest
from PIL import Image

from keras_jpeg_gan.errors import ConfigError, JpegFormatError
from keras_jpeg_gan.jpeg.assumed import read_assumed
from keras_jpeg_gan.jpeg.file import JpegFile
from keras_jpeg_gan.jpeg.limits import FileLimits
from keras_jpeg_gan.jpeg.tables import quality_tables
from tests.files import jpeg, picture, pillow

PIXELS = picture(40, 56)


def saved(image: Image.Image, image_format: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, image_format, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("image_format", ["PNG", "WEBP"])
def test_pixels_tables_and_metadata_are_read_but_no_levels(image_format: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    options = {"lossless": True, "exif": exif, "icc_profile": b"a profile"}
    file = read_assumed(saved(Image.fromarray(PIXELS), image_format, **options), 30)
    np.testing.assert_array_equal(file.pixels, PIXELS)
    np.testing.assert_array_equal(file.tables, [quality_tables(30)[k] for k in (0, 1, 1)])
    assert (file.quantized, file.quality) == (None, 30)
    assert (file.metadata.orientation, file.metadata.icc_profile) == (6, b"a profile")
    (warning,) = file.warnings
    assert "quality 30: nothing is certified" in warning


def test_a_jpeg_is_decoded_and_its_own_tables_are_ignored(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(jpeg(quality=95)[:-2])
    file = read_assumed(path, 20)
    np.testing.assert_array_equal(file.pixels, JpegFile.read(path).pixels)
    assert (file.quantized, file.quality) == (None, 20)
    assert file.warnings[0] == "no end-of-image marker"


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16", "RGB"])
def test_other_modes_become_gray_or_rgb(mode: str) -> None:
    if mode == "I;16":
        image = Image.fromarray(PIXELS[..., 0].astype(np.uint16) * 256 + 99)
        expected = PIXELS[..., 0]
    else:
        image = Image.fromarray(PIXELS).convert(mode)
        expected = np.asarray(image.convert("L" if mode in ("1", "L", "LA") else "RGB"))
    file = read_assumed(saved(image), 50)
    np.testing.assert_array_equal(file.pixels, expected)
    assert len(file.tables) == (1 if expected.ndim == 2 else 3)


def test_what_cannot_be_read_as_a_decode_is_refused() -> None:
    clear = Image.fromarray(PIXELS).convert("RGBA")
    clear.putpixel((3, 3), (0, 0, 0, 254))
    moving = saved(
        Image.fromarray(PIXELS),
        "WEBP",
        save_all=True,
        append_images=[Image.fromarray(PIXELS[::-1])],
    )
    whole = saved(Image.fromarray(PIXELS))
    for data, words in (
        (saved(clear), "transparent"),
        (moving, "an animation"),
        (saved(Image.fromarray(PIXELS), "GIF"), "neither JPEG nor PNG nor WEBP"),
        (b"", "neither"),
        (whole[:60], "neither"),
        (whole[: len(whole) // 2], "neither"),
        (jpeg()[:-40], "truncated"),
    ):
        with pytest.raises(JpegFormatError, match=words) as caught:
            read_assumed(data, 50)
        assert str(caught.value).isprintable()
    with pytest.raises(JpegFormatError, match="--max_megapixels"):
        read_assumed(whole, 50, FileLimits(max_megapixels=0.002))
    with pytest.raises(ConfigError, match="quality 0"):
        read_assumed(whole, 0)
    assert read_assumed(jpeg()[:-40], 50, allow_truncated=True).pixels.shape == pillow(jpeg()).shape
