"""Distortion against the original."""

import numpy as np


def psnr(pixels: np.ndarray, original: np.ndarray) -> float:
    """Peak signal-to-noise ratio over all pixels and channels, in dB; infinite for equals.

    Args:
        pixels, original: of one shape, 0..255.
    """
    error = np.mean((np.asarray(pixels, np.float64) - np.asarray(original, np.float64)) ** 2)
    return float("inf") if error == 0 else float(10 * np.log10(255**2 / error))
