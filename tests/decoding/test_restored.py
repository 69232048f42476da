import base64
import dataclasses
import io
import re

import numpy as np
import pytest
from PIL import Image

from keras_jpeg_gan import Certificate, Decoder, Restored, RestoreOptions
from keras_jpeg_gan.decoding.files.provenance import work_of
from tests.files import jpeg


def test_the_saved_image_is_the_restored_one(model, tmp_path):
    restored = Decoder(model).restore(jpeg(comment=b"made for a test"))
    for name in ("a.png", "a.webp", "a.tif"):
        restored.save(tmp_path / name)
        with Image.open(tmp_path / name) as image:
            assert np.array_equal(np.asarray(image), restored.pixels)
    with Image.open(tmp_path / "a.png") as image:
        assert work_of(image.text["Restoration"]) == restored.work
        assert str(restored.certificate) in image.text["Restoration"]
        assert image.text["Comment"] == "made for a test"
        assert image.text["Software"].startswith("keras-jpeg-gan")
    restored.save(tmp_path / "bare.png", keep_metadata=False)
    with Image.open(tmp_path / "bare.png") as image:
        assert image.text == {}


def shown(restored: Restored) -> tuple[np.ndarray, str]:
    """The pixels and the caption that a notebook shows."""
    page = restored._repr_html_()
    found = re.fullmatch(
        r'<figure><img src="data:image/png;base64,([^"]+)"><figcaption>(.+)</figcaption></figure>',
        page,
    )
    assert found
    with Image.open(io.BytesIO(base64.b64decode(found[1]))) as image:
        return np.asarray(image), found[2]


@pytest.mark.parametrize("gray", [False, True])
def test_a_notebook_shows_the_picture_and_its_certificate(model, gray):
    restored = Decoder(model).restore(jpeg(gray=gray))
    pixels, caption = shown(restored)
    assert np.array_equal(pixels, restored.pixels)
    assert str(restored.certificate) in caption
    restored = dataclasses.replace(restored, warnings=("1 < 2",))
    assert shown(restored)[1].endswith("<br>warning: 1 &lt; 2")


def test_a_notebook_shows_16_bits_as_8_and_large_images_reduced(model):
    decoder = Decoder(model)
    fine = decoder.restore(jpeg(), options=RestoreOptions(projection="float", bits=16))
    pixels, caption = shown(fine)
    assert np.abs(pixels - fine.pixels / 257).max() <= 0.5
    assert "16 bits" in caption
    restored = decoder.restore(jpeg())
    large = dataclasses.replace(restored, pixels=np.full((30, 3300, 3), 7, np.uint8))
    pixels, caption = shown(large)
    assert pixels.shape == (10, 1100, 3)
    assert "1/3" in caption


def test_a_certificate_is_green_only_if_exact():
    assert "green" in Certificate(64, 64, 0.5)._repr_html_()
    assert "green" not in Certificate(63, 64, 0.6)._repr_html_()
