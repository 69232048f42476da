"""Degradation: distributions against closed forms, with libjpeg's own files as oracles."""

import pathlib

import numpy as np
import pytest
from PIL import Image

from keras_jpeg_gan.data import degradation
from keras_jpeg_gan.data.degradation import (
    ExponentialQualities,
    SkewedQualities,
    check_mix,
    compress,
    compress_again,
    degrade,
    draw_sampling,
    draw_tables,
)
from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.jpeg.published_tables import PUBLISHED_TABLES
from keras_jpeg_gan.jpeg.sampling import Sampling
from keras_jpeg_gan.jpeg.tables import quality_tables
from tests.files import picture

# Files of ../shared/data/real that have each of the published tables.
FILES = {
    "mozjpeg 25": "app_mozjpeg_q25",
    "mozjpeg 60": "app_mozjpeg_q60",
    "ACD": "me_canon_ixus_400",
    "FLIR": "me_flir",
    "Nokia 3110c": "me_nokia_3110c_mobile_phone",
    "Panasonic DMC-LC40": "me_panasonic_dmc_lc40",
    "Kodak HR200": "me_kodak_clas_digital_film_scanner_hr200_1",
    "Photoshop CS5": "me_issue_121",
    "Photoshop CS6": "me_photoshop_3",
}


def ramp(height: int, width: int) -> np.ndarray:
    """An image whose red is its row and whose green is its column."""
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 0], image[..., 1] = np.mgrid[:height, :width]
    return image


def test_degrade_uses_libjpegs_tables_and_decode() -> None:
    image = ramp(48, 64)
    for sampling in ("4:2:0", "4:2:2", "4:4:4"):
        compressed, tables = degrade(image, 30, Sampling.parse(sampling))
        np.testing.assert_array_equal(tables, np.stack(quality_tables(30)))
        assert compressed.dtype == np.uint8
        assert 0 < np.abs(compressed.astype(int) - image).mean() < 10


def test_skewed_qualities_keep_their_range_and_skew() -> None:
    rng = np.random.default_rng(3)
    uniform = [SkewedQualities(5, 95).draw(rng) for _ in range(2000)]
    skewed = [SkewedQualities(5, 95, 2.0).draw(rng) for _ in range(2000)]
    assert min(uniform + skewed) == 5
    assert max(uniform + skewed) == 95
    assert abs(np.mean(uniform) - 50) < 2
    assert abs(np.mean(skewed) - (5 + 90 / 3)) < 2
    assert SkewedQualities(7, 7).draw(rng) == 7


@pytest.mark.parametrize("arguments", [(0, 50, 1), (60, 50, 1), (5, 101, 1), (5, 50, 0)])
def test_impossible_skewed_qualities_are_refused(arguments: tuple[int, int, float]) -> None:
    with pytest.raises(ConfigError):
        SkewedQualities(*arguments)


def test_sampling_mix() -> None:
    rng = np.random.default_rng(4)
    halved, whole, narrow, odd = map(Sampling.parse, ("4:2:0", "4:4:4", "4:2:2", "4:1:1"))
    drawn = [draw_sampling({halved: 3.0, whole: 1.0, narrow: 0.0}, rng) for _ in range(2000)]
    assert abs(drawn.count(halved) / 2000 - 0.75) < 0.04
    assert narrow not in drawn
    for mix in ({}, {odd: 1.0}, {halved: -1.0}, {halved: 0.0}):
        with pytest.raises(ConfigError, match=r"sampling mix .*4:4:4, 4:2:2, 4:2:0"):
            check_mix(mix)


def test_exponential_qualities_are_the_papers() -> None:
    rng = np.random.default_rng(5)
    drawn = np.array([ExponentialQualities().draw(rng) for _ in range(20000)])
    assert drawn.min() == 5
    assert drawn.max() == 50
    # floor(5 + t) >= q exactly where t >= q - 5.
    for quality in (6, 11, 20, 50):
        assert np.mean(drawn >= quality) == pytest.approx(np.exp((5 - quality) / 10), abs=0.012)
    assert drawn.mean() == pytest.approx(14.4, abs=0.2)
    assert np.median(drawn) == 11


@pytest.mark.parametrize("arguments", [(0, 50, 10), (60, 50, 10), (5, 101, 10), (5, 50, 0)])
def test_impossible_exponential_qualities_are_refused(arguments: tuple[int, int, float]) -> None:
    with pytest.raises(ConfigError):
        ExponentialQualities(*arguments)


def test_other_tables_have_their_share() -> None:
    rng = np.random.default_rng(6)
    known = {tables.astype(np.float32).tobytes() for tables in PUBLISHED_TABLES.values()}
    assert len(known) == len(FILES)
    drawn = [draw_tables(SkewedQualities(30, 30), 0.25, rng) for _ in range(2000)]
    others = [tables.tobytes() for tables in drawn if tables.tobytes() in known]
    assert len(others) / 2000 == pytest.approx(0.25, abs=0.04)
    assert set(others) == known
    expected = np.stack(quality_tables(30))
    assert all((t == expected).all() for t in drawn if t.tobytes() not in known)
    assert (draw_tables(SkewedQualities(30, 30), 0.0, rng) == expected).all()


@pytest.mark.parametrize("name", FILES)
def test_published_tables_are_those_of_their_files(name: str, shared_data: pathlib.Path) -> None:
    with Image.open(shared_data / "real" / f"{FILES[name]}.jpg") as image:
        luma, chroma, *more = (np.reshape(t, (8, 8)) for t in image.quantization.values())
    np.testing.assert_array_equal(PUBLISHED_TABLES[name], [luma, chroma])
    assert all((table == chroma).all() for table in more)


def test_other_tables_are_what_the_image_is_compressed_with() -> None:
    image = ramp(32, 48)
    whole = Sampling.parse("4:4:4")
    fine = compress(image, np.ones((2, 8, 8), np.float32), whole).astype(int)
    coarse = compress(image, np.full((2, 8, 8), 255, np.float32), whole).astype(int)
    assert np.abs(fine - image).max() <= 3
    # No AC coefficient of the ramp is half of 255: blocks are flat.
    blocks = coarse.reshape(4, 8, 6, 8, 3)
    assert np.ptp(blocks, axis=(1, 3)).max() == 0


@pytest.mark.parametrize("aligned", [0.0, 1.0])
def test_a_patch_compressed_again_is_nearly_what_the_first_save_left(aligned, monkeypatch) -> None:
    monkeypatch.setattr(degradation, "_ALIGNED", aligned)
    image = np.clip(0.6 * picture(64, 80, 1) + 50, 0, 255).astype(np.uint8)
    tables, sampling = np.stack(quality_tables(30)), Sampling.parse("4:4:4")
    once = compress(image, tables, sampling).astype(float)
    for seed in range(4):
        seen, its = compress_again(image, tables, sampling, np.random.default_rng(seed))
        assert seen.shape == image.shape
        np.testing.assert_allclose(its, tables, rtol=1e-6)
        # Luma alone is known again; chroma has the second save's errors.
        difference = (seen - once) @ [0.299, 0.587, 0.114]
        assert np.sqrt(np.mean(difference**2)) < 1
        again, _ = compress_again(image, tables, sampling, np.random.default_rng(seed))
        assert np.array_equal(seen, again)
