"""Compressions: what libjpeg makes of what, in which order."""

import io

import numpy as np
import pytest
from PIL import Image

from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.evaluation.cases import Case, compress
from keras_jpeg_gan.jpeg.sampling import Sampling


@pytest.fixture
def original() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (40, 48, 3), np.uint8)


def decoded(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)))


def test_one_compression_is_pillows(original: np.ndarray) -> None:
    data, shown = Case(30, Sampling.parse("4:2:2")).make(original)
    buffer = io.BytesIO()
    Image.fromarray(original).save(buffer, "JPEG", quality=30, subsampling=1)
    assert data == buffer.getvalue()
    assert shown is original or (shown == original).all()


def test_two_compressions_one_after_the_other(original: np.ndarray) -> None:
    data, shown = Case(30, first_quality=10, shift=(4, 2)).make(original)
    first = decoded(compress(original, 10, Sampling.parse("4:2:0")))
    again = np.ascontiguousarray(first[2:, 4:])
    assert data == compress(again, 30, Sampling.parse("4:2:0"))
    assert (shown == original[2:, 4:]).all()


def test_a_shift_needs_pixels() -> None:
    with pytest.raises(ConfigError, match="smaller"):
        Case(30, first_quality=10, shift=(9, 0)).make(np.zeros((14, 9, 3), np.uint8))


def test_labels() -> None:
    assert Case(10).label == "10"
    assert Case(10, first_quality=30).label == "30, then 10"
    assert Case(10, first_quality=30, shift=(4, 3)).label == "30, shifted by (4, 3), then 10"


def test_a_case_is_the_one_that_its_fields_describe() -> None:
    for case in (Case(10), Case(30, Sampling.parse("4:4:4"), 10, (5, 3))):
        assert Case.from_fields({**case.fields, "model": "m"}) == case


def test_the_earlier_save_is_where_the_first_grid_begins() -> None:
    assert Case(30).earlier_save == "off"
    assert Case(75, first_quality=30).earlier_save == "30@0,0"
    assert Case(75, first_quality=30, shift=(5, 3)).earlier_save == "30@3,5"
