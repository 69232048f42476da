"""Planes, their 8x8 blocks, and the blocks' orthonormal DCT (ITU-T T.81, A.3.3)."""

from typing import Any

import numpy as np
from keras import ops

from keras_jpeg_gan.jpeg.tensors import rounding

_FREQUENCY, _POSITION = np.mgrid[:8, :8]
_MATRIX = (np.cos(_FREQUENCY * (2 * _POSITION + 1) * np.pi / 16) / 2).astype(np.float32)
_MATRIX[0] = np.sqrt(1 / 8)

# The matrix of one pass of jfdctint.c and, transposed, of jidctint.c: the orthonormal one times
# 4 sqrt(8), as their constants, rounded to 1/8192, add up. The right half mirrors the left one,
# with the sign changed in odd rows.
_LEFT = np.array(
    [
        [8192, 8192, 8192, 8192],
        [11363, 9633, 6437, 2260],
        [10703, 4433, -4433, -10703],
        [9633, -2259, -11362, -6436],
        [8192, -8192, -8192, 8192],
        [6437, -11362, 2261, 9633],
        [4433, -10704, 10704, -4433],
        [2260, -6436, 9633, -11363],
    ]
)
_RIGHT = _LEFT[:, ::-1] * np.array([[1], [-1]] * 4)
_LIBJPEG = (np.hstack([_LEFT, _RIGHT]) / 2048).astype(np.float32)


def to_blocks(plane: Any) -> Any:
    """[B, 8 Hb, 8 Wb] -> [B, Hb, Wb, 8, 8]."""
    batch, rows, columns = ops.shape(plane)
    grid = ops.reshape(plane, (batch, rows // 8, 8, columns // 8, 8))
    return ops.transpose(grid, (0, 1, 3, 2, 4))


def from_blocks(blocks: Any) -> Any:
    """[B, Hb, Wb, 8, 8] -> [B, 8 Hb, 8 Wb]."""
    batch, rows, columns = ops.shape(blocks)[:3]
    return ops.reshape(ops.transpose(blocks, (0, 1, 3, 2, 4)), (batch, 8 * rows, 8 * columns))


def dct(plane: Any, rounded: bool = False) -> Any:
    """The orthonormal DCT of each block of a plane.

    Args:
        plane: [B, 8 Hb, 8 Wb] float32, samples minus 128.
        rounded: eighths as libjpeg's default ("islow") gives them for integer samples, except for
            a few in a million; the gradient is straight-through.

    Returns:
        [B, Hb, Wb, 8 (v), 8 (u)] float32.
    """
    if not rounded:
        return _down(_MATRIX, to_blocks(_across(_MATRIX, plane)))
    rows = rounding.round_half_up(_across(_LIBJPEG, plane))
    return rounding.round_half_up(_down(_LIBJPEG / 16, to_blocks(rows))) / 8


def idct(coefficients: Any, rounded: bool = False) -> Any:
    """The inverse, and transpose, of the unrounded `dct`.

    Args:
        coefficients: [B, Hb, Wb, 8 (v), 8 (u)] float32.
        rounded: integers as libjpeg's default ("islow") gives them for integer coefficients,
            except for a few in a million; the gradient is straight-through.

    Returns:
        [B, 8 Hb, 8 Wb] float32, not clipped.
    """
    if not rounded:
        return _across(_MATRIX.T, from_blocks(_down(_MATRIX.T, coefficients)))
    columns = rounding.round_half_up(_down(_LIBJPEG.T, coefficients))
    return rounding.round_half_up(_across(_LIBJPEG.T / 128, from_blocks(columns)))


# Written as products and sums: an accelerator's matrix unit would round float32 inputs to ten bits,
# and levels and decoded samples would be off by one here and there. Columns are transformed in
# blocks and rows in planes, where eight samples are neighbours anyway: so `idct`'s last sum
# already is a plane, and nothing has to be moved.


def _across(matrix: np.ndarray, plane: Any) -> Any:
    """Multiply each eight samples of a row by the matrix: [B, R, 8 Wb] -> the same shape."""
    batch, rows, columns = ops.shape(plane)
    eights = ops.reshape(plane, (batch, rows, columns // 8, 8))
    return ops.reshape(ops.sum(eights[..., None] * matrix.T, axis=-2), (batch, rows, columns))


def _down(matrix: np.ndarray, blocks: Any) -> Any:
    """Multiply each column of each block by the matrix."""
    return ops.sum(blocks[..., None, :, :] * matrix[:, :, None], axis=-2)
