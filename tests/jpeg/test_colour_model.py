"""What components mean: libjpeg's rules, and libjpeg itself as the oracle."""

import itertools

import numpy as np
import pytest

from keras_jpeg_gan.errors import JpegFormatError
from keras_jpeg_gan.jpeg.colour_model import ColourModel
from keras_jpeg_gan.jpeg.encoder import encode
from keras_jpeg_gan.jpeg.file import JpegFile
from keras_jpeg_gan.jpeg.header import read_header
from keras_jpeg_gan.jpeg.sampling import Sampling
from tests.files import ROOT, find, inserted, patched, pillow, segment

JFIF = segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0")
SHORT = segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0")  # 13 bytes are too few
IDENTIFIERS = [b"\1\2\3", b"RGB", b"rgb", b"\0\1\2", b"\1\2\3\4", b"CMYK", b"RGB\4"]
VALUES = (200, 60, 110, 90)  # of the components, in every sample


def coded(identifiers: bytes, jfif: bytes, adobe: int | None) -> bytes:
    """A file of components with these identifiers, JFIF and Adobe segments."""
    count = len(identifiers)
    pixels = np.full((16, 16, count), VALUES[:count], np.uint8)
    pixels = 255 - pixels if count == 4 else pixels  # as inks, so that the samples are the values
    tables = [np.ones((8, 8))] * count
    data = encode(pixels, tables, Sampling(((1, 1),) * count), converted=False)
    start = find(data, 0xEE)
    data = data[:2] + data[start + 16 :]  # without jpeglib's own Adobe segment
    frame, scan = find(data, 0xC0) + 10, find(data, 0xDA) + 5
    for k in range(count):
        data = patched(data, frame + 3 * k, identifiers[k : k + 1])
        data = patched(data, scan + 2 * k, identifiers[k : k + 1])
    if adobe is not None:
        data = inserted(data, 2, segment(0xEE, b"Adobe\0\x64\0\0\0\0" + bytes([adobe])))
    return inserted(data, 2, jfif)


@pytest.mark.parametrize(
    ("identifiers", "jfif", "adobe"),
    list(itertools.product(IDENTIFIERS, [b"", JFIF, SHORT], [None, 0, 1, 2, 199])),
)
def test_the_model_is_the_one_that_libjpeg_takes(
    identifiers: bytes, jfif: bytes, adobe: int | None
) -> None:
    """libjpeg's decode gives the samples themselves, or another colour."""
    data = coded(identifiers, jfif, adobe)
    decoded = pillow(data)[0, 0].astype(int)
    samples = np.array(VALUES[: len(identifiers)])
    kept = np.abs((255 - decoded if len(identifiers) == 4 else decoded) - samples).max() <= 1
    model = read_header(data).model
    assert model is ColourModel.of(len(identifiers), converted=not kept)
    assert JpegFile.read(data).model is model


def test_xyb_is_refused_by_name() -> None:
    """A profile as jpegli writes it: a mluc description that begins with XYB."""
    description = b"mluc\0\0\0\0\0\0\0\1\0\0\0\x0cenUS\0\0\0\x0e\0\0\0\x1c" + "XYB_Per".encode(
        "utf-16-be"
    )
    profile = segment(0xE2, b"ICC_PROFILE\0\1\1" + bytes(128) + description)
    with pytest.raises(JpegFormatError, match=r"XYB JPEG of jpegli.* convert it"):
        read_header(inserted(coded(b"RGB", b"", None), 2, profile))
    # With such a profile, but coded as YCbCr, it is none.
    assert read_header(inserted(coded(b"\1\2\3", JFIF, None), 2, profile)).scans == 1


XYB = ROOT.parent / "shared" / "data" / "robustness" / "valid"


@pytest.mark.parametrize("name", ["ex_vips_sample-xyb.jpg", "cc_zune_weird_sampling_2.jpeg"])
def test_files_of_jpegli_are_refused_too(name: str) -> None:
    if not XYB.is_dir():
        pytest.skip(f"no files in {XYB}")
    with pytest.raises(JpegFormatError, match="XYB JPEG of jpegli"):
        read_header((XYB / name).read_bytes())
