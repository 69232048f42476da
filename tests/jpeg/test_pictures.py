"""PNG and WebP files that may have JPEG's damage."""

import io

import numpy as np
import pytest
from PIL import Image

from keras_jpeg_gan.errors import JpegFormatError
from keras_jpeg_gan.jpeg.limits import FileLimits
from keras_jpeg_gan.jpeg.pictures import is_picture, read_picture
from tests.files import jpeg, picture

PIXELS = picture(40, 56)


def saved(image: Image.Image, image_format: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, image_format, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("image_format", ["PNG", "WEBP"])
def test_pixels_and_metadata_are_read_but_no_levels(image_format: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    options = {"lossless": True, "exif": exif, "icc_profile": b"a profile"}
    data = saved(Image.fromarray(PIXELS), image_format, **options)
    assert is_picture(data)
    file = read_picture(data)
    np.testing.assert_array_equal(file.pixels, PIXELS)
    assert (file.quantized, file.tables, file.warnings) == (None, (), ())
    assert (file.metadata.orientation, file.metadata.icc_profile) == (6, b"a profile")


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16", "RGB"])
def test_other_modes_become_gray_or_rgb(mode: str) -> None:
    if mode == "I;16":
        image = Image.fromarray(PIXELS[..., 0].astype(np.uint16) * 256 + 99)
        expected = PIXELS[..., 0]
    else:
        image = Image.fromarray(PIXELS).convert(mode)
        expected = np.asarray(image.convert("L" if mode in ("1", "L", "LA") else "RGB"))
    file = read_picture(saved(image))
    np.testing.assert_array_equal(file.pixels, expected)


def test_what_cannot_be_read_is_refused() -> None:
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
        (saved(Image.fromarray(PIXELS), "GIF"), "no PNG or WEBP"),
        (b"", "no PNG"),
        (whole[:60], "no PNG"),
        (whole[: len(whole) // 2], "no PNG"),
        (jpeg(), "no PNG"),
    ):
        with pytest.raises(JpegFormatError, match=words) as caught:
            read_picture(data)
        assert str(caught.value).isprintable()
    assert not is_picture(jpeg())
    for limits, words in (({"max_megapixels": 0.002}, "--max_meg"), ({"max_file_mb": 0.001}, "MB")):
        with pytest.raises(JpegFormatError, match=words):
            read_picture(whole, FileLimits(**limits))
