"""Distortion against the original."""

import numpy as np

from keras_jpeg_gan import program
from keras_jpeg_gan.errors import ConfigError

# The smallest sides for SSIM's window, and for that window at MS-SSIM's five scales.
SSIM_SIDE, MS_SSIM_SIDE = 11, 176

_BLOCK = 8


def luma(pixels: np.ndarray) -> np.ndarray:
    """JFIF's Y, in the full range 0..255; gray images are returned as they are.

    Other papers use BT.601's Y in 16..235, which gives a PSNR some 0.8 dB higher.

    Args:
        pixels: [H, W] or [H, W, 3].

    Returns:
        [H, W] float64, not rounded.
    """
    pixels = np.asarray(pixels, np.float64)
    return pixels if pixels.ndim == 2 else pixels @ np.array([0.299, 0.587, 0.114])


def psnr(pixels: np.ndarray, original: np.ndarray) -> float:
    """Peak signal-to-noise ratio over all pixels and channels, in dB; infinite for equal images.

    Args:
        pixels, original: of the same shape, 0..255.
    """
    return _decibels(_squared_error(pixels, original))


def psnr_y(pixels: np.ndarray, original: np.ndarray) -> float:
    """PSNR of `luma`."""
    return psnr(luma(pixels), luma(original))


def psnr_b(pixels: np.ndarray, original: np.ndarray) -> float:
    """PSNR of `luma` with a penalty on visible blocks (Yim and Bovik 2011).

    The blocking effect factor is added to the mean squared error: the amount by which the mean
    squared difference between neighbours is larger across the borders of 8x8 blocks than
    elsewhere, times log2(8) / log2(the image's smaller side).

    Args:
        pixels, original: [H, W] or [H, W, 3], 0..255.
    """
    restored = luma(pixels)
    at_borders, elsewhere = _neighbours(restored)
    factor = 0.0
    if at_borders > elsewhere:
        factor = np.log2(_BLOCK) / np.log2(min(restored.shape)) * (at_borders - elsewhere)
    return _decibels(_squared_error(restored, luma(original)) + factor)


def ssim(pixels: np.ndarray, original: np.ndarray) -> float:
    """Structural similarity (Wang et al. 2004) by scikit-image: Gaussian window of sigma 1.5.

    Args:
        pixels, original: [H, W] or [H, W, 3], 0..255; for RGB, the mean over the channels.

    Raises:
        ConfigError: a side is below `SSIM_SIDE`, or scikit-image is not installed.
    """
    _check_side(pixels, SSIM_SIDE, "SSIM")
    try:
        from skimage.metrics import structural_similarity
    except ImportError as error:
        how = program.install("evaluation")
        raise ConfigError(f"SSIM needs scikit-image: {how}") from error
    return float(
        structural_similarity(
            np.asarray(pixels, np.float64),
            np.asarray(original, np.float64),
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
            data_range=255,
            channel_axis=2 if pixels.ndim == 3 else None,
        )
    )


def ms_ssim(pixels: np.ndarray, original: np.ndarray) -> float:
    """SSIM over five scales (Wang, Simoncelli and Bovik 2003) by TensorFlow.

    Args:
        pixels, original: [H, W] or [H, W, 3], 0..255; for RGB, the mean over the channels.

    Raises:
        ConfigError: a side is below `MS_SSIM_SIDE`, so that the last scale has no window.
    """
    _check_side(pixels, MS_SSIM_SIDE, "MS-SSIM")
    import tensorflow as tf

    shape = (*pixels.shape[:2], -1)
    images = [np.asarray(image, np.float32).reshape(shape) for image in (pixels, original)]
    return float(tf.image.ssim_multiscale(*images, max_val=255))


def _check_side(pixels: np.ndarray, smallest: int, name: str) -> None:
    if min(pixels.shape[:2]) < smallest:
        raise ConfigError(f"{name} needs {smallest} pixels per side: {pixels.shape[:2]} given")


def _squared_error(pixels: np.ndarray, original: np.ndarray) -> float:
    return float(np.mean((np.asarray(pixels, np.float64) - np.asarray(original, np.float64)) ** 2))


def _decibels(error: float) -> float:
    return float("inf") if error == 0 else float(10 * np.log10(255**2 / error))


def _neighbours(plane: np.ndarray) -> tuple[float, float]:
    """Mean squared difference between neighbours: across the borders of blocks, and elsewhere."""
    borders, others = [], []
    for axis in (0, 1):
        squares = np.diff(plane, axis=axis) ** 2
        across = np.arange(squares.shape[axis]) % _BLOCK == _BLOCK - 1
        borders.append(np.compress(across, squares, axis=axis).ravel())
        others.append(np.compress(~across, squares, axis=axis).ravel())
    at_borders, elsewhere = np.concatenate(borders), np.concatenate(others)
    return _mean(at_borders), _mean(elsewhere)


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if values.size else 0.0
