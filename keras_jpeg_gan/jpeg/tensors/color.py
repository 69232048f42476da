"""JFIF colour conversion (ITU-T T.871), as mathematics and in libjpeg's integers.

Sums are written out by channel: matrix units of accelerators would round their float32 inputs
to ten bits or fewer.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

from keras_jpeg_gan.jpeg import emulator
from keras_jpeg_gan.jpeg.tensors import rounding

_RED, _GREEN, _BLUE = 0.299, 0.587, 0.114
RGB_TO_YCBCR = np.array(
    [
        [_RED, _GREEN, _BLUE],
        [-0.5 * _RED / (1 - _BLUE), -0.5 * _GREEN / (1 - _BLUE), 0.5],
        [0.5, -0.5 * _GREEN / (1 - _RED), -0.5 * _BLUE / (1 - _RED)],
    ]
)
YCBCR_TO_RGB = np.linalg.inv(RGB_TO_YCBCR)

# What centred Cb and Cr add to red, green and blue; libjpeg's numbers are in 1/65536.
_OF_CB, _OF_CR = YCBCR_TO_RGB[:, 1:].astype(np.float32).T
_ROUNDED_OF_CB = np.array([0, -22554, 116130], np.float32)
_ROUNDED_OF_CR = np.array([91881, -46802, 0], np.float32)
CENTRE = (0.0, 128.0, 128.0)  # offsets of Y, Cb, Cr


def rgb_to_ycbcr(pixels: Any, rounded: bool = False) -> Any:
    """Convert red, green, blue to Y, Cb, Cr.

    Args:
        pixels: [..., 3] float32, 0..255.
        rounded: integers as in libjpeg (jccolor.c), bit for bit if the pixels are integers; the
            gradient is straight-through.

    Returns:
        [..., 3] float32: within 0..255.5 for pixels in 0..255, and within 0..255 if rounded.
    """
    if not rounded:
        return _combine(RGB_TO_YCBCR, pixels, CENTRE)
    # All sums are integers below 2^24: exact.
    return rounding.floor(_combine(emulator.COLOR, pixels, emulator.COLOR_ROUNDING) / 65536)


def ycbcr_to_rgb(ycbcr: Any, rounded: bool = False) -> Any:
    """Convert Y, Cb, Cr to red, green, blue; not clipped unless rounded.

    Args:
        ycbcr: [..., 3] float32.
        rounded: integers in 0..255 as in libjpeg (jdcolor.c), bit for bit if ycbcr are integers
            in 0..255; the gradient is straight-through, and zero where clipped.

    Returns:
        [..., 3] float32.
    """
    # Centred channel by channel, so that XLA can use the planes of a stack directly.
    luma, cb, cr = ycbcr[..., :1], ycbcr[..., 1:2] - 128, ycbcr[..., 2:] - 128
    if not rounded:
        return _added(luma, cb, cr)
    chroma = rounding.floor((cb * _ROUNDED_OF_CB + cr * _ROUNDED_OF_CR + 32768) / 65536)
    return ops.clip(luma + chroma, 0, 255)


def ycbcr_change_to_rgb(change: Any) -> Any:
    """The change of red, green, blue [..., 3] that a change of Y, Cb, Cr [..., 3] causes."""
    return _added(change[..., :1], change[..., 1:2], change[..., 2:])


def _added(luma: Any, cb: Any, cr: Any) -> Any:
    """Red, green and blue [..., 3] from centred channels [..., 1]."""
    return luma + cb * _OF_CB + cr * _OF_CR


def _combine(matrix: np.ndarray, pixels: Any, offsets: Sequence[float] | np.ndarray) -> Any:
    channels = [pixels[..., i] for i in range(3)]
    rows = [
        sum(float(weight) * channel for weight, channel in zip(weights, channels, strict=True))
        + float(offset)
        for weights, offset in zip(matrix, offsets, strict=True)
    ]
    return ops.stack(rows, axis=-1)
