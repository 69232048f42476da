"""An emulation of libjpeg's encoder in integers: its levels, without calling it.

Follows libjpeg 6b and libjpeg-turbo: jccolor.c (colour), jcsample.c (downsampling),
jcprepct.c (padding), jfdctint.c (the "islow" DCT), jcdctmgr.c (quantization). The exact
projection searches with these functions; `encoder.certify` asks libjpeg itself.
"""

from collections.abc import Sequence

import numpy as np

from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.jpeg.sampling import Sampling

# RGB -> Y, Cb, Cr in 1/65536 (jccolor.c), and what is added before the shift.
COLOR = np.array([[19595, 38470, 7471], [-11059, -21709, 32768], [32768, -27439, -5329]], np.int32)
COLOR_ROUNDING = np.array([32768, (128 << 16) + 32767, (128 << 16) + 32767], np.int32)

# Cells are clipped to this c8 (8 times an orthonormal coefficient): more than any 8-bit image
# gives, and small enough for 32-bit sums.
C8_LIMIT = 1 << 16


def rgb_to_ycbcr(red: np.ndarray, green: np.ndarray, blue: np.ndarray) -> list[np.ndarray]:
    """Convert integer red, green, blue [...] int32 in 0..255 to integer Y, Cb, Cr [...] int32."""
    planes = []
    for (a, b, c), rounding in zip(COLOR.tolist(), COLOR_ROUNDING.tolist(), strict=True):
        planes.append((a * red + b * green + c * blue + rounding) >> 16)
    return planes


def downsampling_bias(across: int, down: int, columns: int) -> np.ndarray:
    """What libjpeg adds to the sum of across x down samples before dividing: [columns] int32.

    2x1 and 2x2 alternate between columns; all other ratios round the mean (jcsample.c).
    """
    column = np.arange(columns, dtype=np.int32)
    if (across, down) == (2, 1):
        return column & 1
    if (across, down) == (2, 2):
        return 1 + (column & 1)
    return np.full(columns, across * down // 2, np.int32)


def _pass(rows: np.ndarray, first: bool) -> np.ndarray:
    """One pass of jfdctint.c over axis 0 of int32 [8, ...]."""
    d0, d1, d2, d3, d4, d5, d6, d7 = rows
    t0, t7, t1, t6 = d0 + d7, d0 - d7, d1 + d6, d1 - d6
    t2, t5, t3, t4 = d2 + d5, d2 - d5, d3 + d4, d3 - d4
    t10, t13, t11, t12 = t0 + t3, t0 - t3, t1 + t2, t1 - t2
    n = 11 if first else 15
    r = 1 << (n - 1)
    out = np.empty_like(rows)
    if first:
        out[0] = (t10 + t11) << 2
        out[4] = (t10 - t11) << 2
    else:
        out[0] = (t10 + t11 + 2) >> 2
        out[4] = (t10 - t11 + 2) >> 2
    z1 = (t12 + t13) * 4433 + r
    out[2] = (z1 + t13 * 6270) >> n
    out[6] = (z1 - t12 * 15137) >> n
    z3, z4 = t4 + t6, t5 + t7
    z5 = (z3 + z4) * 9633 + r
    z3 = z3 * -16069 + z5
    z4 = z4 * -3196 + z5
    z1, z2 = (t4 + t7) * -7373, (t5 + t6) * -20995
    out[7] = (t4 * 2446 + z1 + z3) >> n
    out[5] = (t5 * 16819 + z2 + z4) >> n
    out[3] = (t6 * 25172 + z2 + z3) >> n
    out[1] = (t7 * 12299 + z1 + z4) >> n
    return out


def dct_basis() -> np.ndarray:
    """The orthonormal DCT of 8 samples (ITU-T T.81, A.3.3): [8 frequencies, 8 samples] float64."""
    frequency, position = np.mgrid[:8, :8]
    basis = np.cos((2 * position + 1) * frequency * np.pi / 16) / 2
    basis[0] /= np.sqrt(2)
    return basis


def forward_dct(samples: np.ndarray) -> np.ndarray:
    """8 times the orthonormal DCT, rounded as in jfdctint.c.

    Args:
        samples: [8 (y), 8 (x), ...] int32, 0..255.

    Returns:
        [8 (v), 8 (u), ...] int32.
    """
    rows = _pass(np.swapaxes(samples - 128, 0, 1), first=True)
    return _pass(np.swapaxes(rows, 0, 1), first=False)


def quantize(c8: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Quantize c8 (8 times a coefficient, int32) by the steps of `table`, which broadcasts."""
    magnitude = (np.abs(c8) + 4 * table) // (8 * table)
    return np.where(c8 < 0, -magnitude, magnitude)


def cells(levels: np.ndarray, table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The closed interval of c8 that quantizes to each level, within +-C8_LIMIT.

    Args:
        levels: integers; table: steps >= 1, broadcast to the levels.

    Returns:
        (lowest, highest): int32, lowest <= highest.
    """
    half = 4 * np.asarray(table, np.int32)
    # Levels whose cells lie wholly beyond the limit need no distinction.
    beyond = C8_LIMIT // (2 * half) + 1
    level = np.clip(levels, -beyond, beyond).astype(np.int32, copy=False)
    low = level * (2 * half)
    high = low + half
    low -= half
    low += level <= 0
    high -= level >= 0
    return np.clip(low, -C8_LIMIT, C8_LIMIT), np.clip(high, -C8_LIMIT, C8_LIMIT)


def component_planes(pixels: np.ndarray, sampling: Sampling) -> list[np.ndarray]:
    """The integer sample planes that libjpeg's encoder hands to its DCT.

    Args:
        pixels: [H, W] (gray) or [H, W, 3] (RGB) uint8; of other images, a part
            (`Quantized.parts`).
        sampling: of the components.

    Returns:
        A plane [8 Hb, 8 Wb] int32 in 0..255 for each component, padded as libjpeg pads.

    Raises:
        ConfigError: the pixels and the sampling do not match.
    """
    channels = 1 if pixels.ndim == 2 else 3
    if channels != sampling.components:
        raise ConfigError(f"pixels of shape {pixels.shape} do not fit sampling {sampling}")
    v_max = sampling.largest[1]
    height, width = pixels.shape[:2]
    wide = pixels.astype(np.int32)
    full = (
        [wide]
        if sampling.components == 1
        else rgb_to_ycbcr(wide[..., 0], wide[..., 1], wide[..., 2])
    )
    planes = []
    blocks = sampling.blocks(height, width)
    for plane, (_, v), (across, down), size in zip(
        full, sampling.reduced, sampling.ratios, blocks, strict=True
    ):
        rows, columns = 8 * size[0], 8 * size[1]
        row_groups = -(-height // v_max)
        # The last column is repeated at full resolution, the last row only up to a whole group
        # of v_max rows; beyond that, the last downsampled row is repeated.
        y = np.minimum(np.arange(row_groups * v_max), height - 1)
        x = np.minimum(np.arange(columns * across), width - 1)
        padded = plane[y][:, x]
        if across * down > 1:
            sums = padded.reshape(row_groups * v, down, columns, across).sum(
                axis=(1, 3), dtype=np.int32
            )
            padded = (sums + downsampling_bias(across, down, columns)) // (across * down)
        planes.append(padded[np.minimum(np.arange(rows), row_groups * v - 1)])
    return planes


def to_blocks(plane: np.ndarray) -> np.ndarray:
    """[8 Hb, 8 Wb] -> [8, 8, Hb, Wb]: samples first, as this DCT expects them."""
    rows, columns = plane.shape
    return plane.reshape(rows // 8, 8, columns // 8, 8).transpose(1, 3, 0, 2)


def coefficients(pixels: np.ndarray, sampling: Sampling) -> list[np.ndarray]:
    """8 times the unrounded coefficients of libjpeg's encoder.

    Args:
        pixels: [H, W] or [H, W, 3] uint8.
        sampling: of the components.

    Returns:
        [Hb, Wb, 8, 8] int32 for each component, without dummy blocks.

    Raises:
        ConfigError: the pixels and the sampling do not match.
    """
    return [
        forward_dct(np.ascontiguousarray(to_blocks(plane))).transpose(2, 3, 0, 1)
        for plane in component_planes(pixels, sampling)
    ]


def emulate(
    pixels: np.ndarray, tables: Sequence[np.ndarray], sampling: Sampling
) -> list[np.ndarray]:
    """The levels that libjpeg's encoder gives.

    Args:
        pixels: [H, W] or [H, W, 3] uint8.
        tables: [8, 8] steps >= 1 for each component (natural order).
        sampling: of the components.

    Returns:
        [Hb, Wb, 8, 8] int32 for each component, without dummy blocks.

    Raises:
        ConfigError: the pixels and the sampling do not match.
    """
    return [
        quantize(c8, np.asarray(table, np.int32))
        for c8, table in zip(coefficients(pixels, sampling), tables, strict=True)
    ]
