"""Distortion measures against closed forms, slow loops and libjpeg."""

import math

import numpy as np
import pytest

from keras_jpeg_gan import metrics
from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.jpeg.emulator import rgb_to_ycbcr
from keras_jpeg_gan.metrics.distortion import luma

rng = np.random.default_rng(0)
NOISE = rng.integers(0, 256, (200, 184, 3), np.uint8)


def test_luma_is_libjpegs_before_rounding() -> None:
    theirs = rgb_to_ycbcr(*np.moveaxis(NOISE.astype(np.int32), -1, 0))[0]
    assert np.abs(luma(NOISE) - theirs).max() <= 0.502
    np.testing.assert_array_equal(luma(NOISE[..., 0]), NOISE[..., 0])


def test_psnr_y_of_a_luma_shift() -> None:
    original = np.full((16, 16, 3), 100)
    assert metrics.psnr_y(original + 3, original) == pytest.approx(20 * math.log10(255 / 3))
    assert metrics.psnr_y(original, original) == math.inf


def blocking_factor(plane: np.ndarray) -> float:
    """Word by word: sums over pairs of neighbours in rows and columns."""
    height, width = plane.shape
    borders, others = [], []
    for i in range(height):
        for j in range(width):
            if j + 1 < width:
                (borders if j % 8 == 7 else others).append((plane[i, j] - plane[i, j + 1]) ** 2)
            if i + 1 < height:
                (borders if i % 8 == 7 else others).append((plane[i, j] - plane[i + 1, j]) ** 2)
    difference = np.mean(borders) - np.mean(others)
    return max(0.0, difference) * math.log2(8) / math.log2(min(height, width))


@pytest.mark.parametrize("size", [(16, 24), (19, 29)])
def test_psnr_b_is_that_of_the_slow_loop(size: tuple[int, int]) -> None:
    blocks = np.kron(rng.integers(90, 160, (4, 4)), np.ones((8, 8)))[: size[0], : size[1]]
    original = blocks + rng.normal(0, 5, size)
    error = np.mean((blocks - original) ** 2) + blocking_factor(blocks)
    assert metrics.psnr_b(blocks, original) == pytest.approx(10 * math.log10(255**2 / error))
    assert metrics.psnr_b(blocks, original) < metrics.psnr(blocks, original) - 3


def test_without_blocks_psnr_b_is_psnr() -> None:
    smooth = np.add.outer(np.arange(40.0), np.arange(48.0))
    assert metrics.psnr_b(smooth, smooth + 2) == pytest.approx(metrics.psnr(smooth, smooth + 2))


def test_ssim_of_equals_and_of_a_constant_shift() -> None:
    assert metrics.ssim(NOISE, NOISE) == pytest.approx(1)
    # Of constants a, b the structure is one and the rest (2ab + c) / (a² + b² + c).
    a, b, c = 100.0, 140.0, (0.01 * 255) ** 2
    constant = np.full((32, 32, 3), a)
    expected = (2 * a * b + c) / (a * a + b * b + c)
    assert metrics.ssim(constant, constant + (b - a)) == pytest.approx(expected, rel=1e-6)
    gray = metrics.ssim(constant[..., 0], constant[..., 0] + (b - a))
    assert gray == pytest.approx(expected, rel=1e-6)


def test_ms_ssim_of_equals_and_of_worse_and_worse() -> None:
    noisy = [np.clip(NOISE + rng.normal(0, s, NOISE.shape), 0, 255) for s in (5, 40)]
    values = [metrics.ms_ssim(image, NOISE) for image in (NOISE, *noisy)]
    assert values[0] == pytest.approx(1, abs=1e-6)
    assert values[0] > values[1] > values[2]


def test_small_images_are_refused() -> None:
    small = np.zeros((10, 200, 3))
    with pytest.raises(ConfigError, match="SSIM needs 11"):
        metrics.ssim(small, small)
    with pytest.raises(ConfigError, match="MS-SSIM needs 176"):
        metrics.ms_ssim(NOISE[:175], NOISE[:175])


def test_psnr_has_its_closed_form() -> None:
    black = np.zeros((4, 5, 3), np.uint8)
    assert metrics.psnr(black, black) == float("inf")
    assert metrics.psnr(black, black + np.uint8(255)) == 0
    assert metrics.psnr(black + np.uint8(10), black) == pytest.approx(20 * np.log10(25.5))
    half = black.copy()
    half[:2] = 10
    assert metrics.psnr(half, black) == pytest.approx(20 * np.log10(25.5) + 10 * np.log10(2))
