"""libjpeg's encoder in integers: the levels that it gives, without calling it.

Follows libjpeg 6b and libjpeg-turbo: jccolor.c (colour), jcsample.c (downsampling),
jcprepct.c (padding), jfdctint.c (the "islow" DCT), jcdctmgr.c (quantization). The exact
projection searches with these functions; `encoder.certify` asks libjpeg itself.
"""

import math
from collections.abc import Sequence

import numpy as np

from keras_jpeg_gan.errors import ConfigError

# RGB -> Y, Cb, Cr in 1/65536 (jccolor.c) and what is added before the shift.
COLOR = np.array([[19595, 38470, 7471], [-11059, -21709, 32768], [32768, -27439, -5329]], np.int32)
COLOR_ROUNDING = np.array([32768, (128 << 16) + 32767, (128 << 16) + 32767], np.int32)

# The largest c8 (8 times an orthonormal coefficient) that cells are kept within: beyond what
# any 8-bit image gives, small enough for 32-bit sums.
C8_LIMIT = 1 << 16


def factors(sampling: str) -> tuple[tuple[int, int], ...]:
    """Horizontal and vertical factor of each component.

    Args:
        sampling: a name ("4:2:0", "gray", ...) or factors like "2x2,1x2,1x1".

    Raises:
        ConfigError: the text is neither.
    """
    names = {
        "gray": ((1, 1),),
        "4:4:4": ((1, 1),) * 3,
        "4:2:2": ((2, 1), (1, 1), (1, 1)),
        "4:4:0": ((1, 2), (1, 1), (1, 1)),
        "4:2:0": ((2, 2), (1, 1), (1, 1)),
        "4:1:1": ((4, 1), (1, 1), (1, 1)),
    }
    if sampling in names:
        return names[sampling]
    try:
        parsed = tuple(
            (int(part.split("x")[0]), int(part.split("x")[1])) for part in sampling.split(",")
        )
    except (ValueError, IndexError):
        parsed = ()
    if len(parsed) not in (1, 3) or any(not 1 <= n <= 4 for pair in parsed for n in pair):
        raise ConfigError(f"sampling {sampling!r}: give a name like 4:2:0 or factors like 2x2,1x1")
    return parsed


def reduced_factors(sampling: str) -> tuple[tuple[int, int], ...]:
    """`factors` without a divisor common to all components: "2x2" alone is "1x1".

    Such a divisor changes the minimal coded unit of a file, and nothing of its levels.

    Raises:
        ConfigError: the text is no sampling.
    """
    parts = factors(sampling)
    across = math.gcd(*(h for h, _ in parts))
    down = math.gcd(*(v for _, v in parts))
    return tuple((h // across, v // down) for h, v in parts)


def ratios(sampling: str) -> tuple[tuple[int, int], ...]:
    """How many pixels across and down a sample of each component is the mean of.

    Raises:
        ConfigError: a ratio is not whole: libjpeg's encoder has no such sampling.
    """
    parts = factors(sampling)
    h_max, v_max = max(h for h, _ in parts), max(v for _, v in parts)
    if any(h_max % h or v_max % v for h, v in parts):
        raise ConfigError(
            f"sampling {sampling}: libjpeg's encoder wants whole ratios; use the float projection"
        )
    return tuple((h_max // h, v_max // v) for h, v in parts)


def has_whole_luma(sampling: str) -> bool:
    """Whether each pixel has a luma sample of its own, as in all files but odd ones."""
    parts = factors(sampling)
    return parts[0] == (max(h for h, _ in parts), max(v for _, v in parts))


def rgb_to_ycbcr(red: np.ndarray, green: np.ndarray, blue: np.ndarray) -> list[np.ndarray]:
    """The integer Y, Cb, Cr [...] int32 of integer red, green, blue [...] int32 in 0..255."""
    planes = []
    for (a, b, c), rounding in zip(COLOR.tolist(), COLOR_ROUNDING.tolist(), strict=True):
        planes.append((a * red + b * green + c * blue + rounding) >> 16)
    return planes


def downsampling_bias(across: int, down: int, columns: int) -> np.ndarray:
    """What libjpeg adds to the sum of across x down samples before it divides: [columns] int32.

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
    """8 times the orthonormal DCT, rounded as jfdctint.c does.

    Args:
        samples: [8 (y), 8 (x), ...] int32, 0..255.

    Returns:
        [8 (v), 8 (u), ...] int32.
    """
    rows = _pass(np.swapaxes(samples - 128, 0, 1), first=True)
    return _pass(np.swapaxes(rows, 0, 1), first=False)


def quantize(c8: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Levels of c8 (8 x coefficient, int32) by steps `table` (same shape or broadcast)."""
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
    # Levels whose cell lies wholly beyond the limit need not be told apart.
    beyond = C8_LIMIT // (2 * half) + 1
    level = np.clip(levels, -beyond, beyond).astype(np.int32, copy=False)
    low = level * (2 * half)
    high = low + half
    low -= half
    low += level <= 0
    high -= level >= 0
    return np.clip(low, -C8_LIMIT, C8_LIMIT), np.clip(high, -C8_LIMIT, C8_LIMIT)


def component_planes(pixels: np.ndarray, sampling: str) -> list[np.ndarray]:
    """The integer sample planes that libjpeg's encoder hands to its DCT.

    Args:
        pixels: [H, W] (gray) or [H, W, 3] (RGB) uint8.
        sampling: a name or factors; every component's must divide the largest.

    Returns:
        A plane [8 Hb, 8 Wb] int32 in 0..255 for each component, padded as libjpeg pads.

    Raises:
        ConfigError: a ratio of factors is not whole, or pixels and sampling do not match.
    """
    parts = factors(sampling)
    if (pixels.ndim == 2) != (len(parts) == 1):
        raise ConfigError(f"pixels of shape {pixels.shape} do not fit sampling {sampling}")
    h_max, v_max = max(h for h, _ in parts), max(v for _, v in parts)
    height, width = pixels.shape[:2]
    wide = pixels.astype(np.int32)
    full = [wide] if len(parts) == 1 else rgb_to_ycbcr(wide[..., 0], wide[..., 1], wide[..., 2])
    planes = []
    for plane, (h, v), (across, down) in zip(full, parts, ratios(sampling), strict=True):
        columns = 8 * -(-width * h // (8 * h_max))
        rows = 8 * -(-height * v // (8 * v_max))
        row_groups = -(-height // v_max)
        # Columns are repeated at full resolution; rows only to the next group of v_max, and
        # from there on the downsampled row is repeated.
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
    """[8 Hb, 8 Wb] -> [8, 8, Hb, Wb]: sample first, as the DCT here wants it."""
    rows, columns = plane.shape
    return plane.reshape(rows // 8, 8, columns // 8, 8).transpose(1, 3, 0, 2)


def coefficients(pixels: np.ndarray, sampling: str) -> list[np.ndarray]:
    """8 times the unrounded coefficients of libjpeg's encoder.

    Args:
        pixels: [H, W] or [H, W, 3] uint8.
        sampling: a name or factors.

    Returns:
        [Hb, Wb, 8, 8] int32 for each component, without dummy blocks.

    Raises:
        ConfigError: libjpeg's encoder cannot express the sampling.
    """
    return [
        forward_dct(np.ascontiguousarray(to_blocks(plane))).transpose(2, 3, 0, 1)
        for plane in component_planes(pixels, sampling)
    ]


def emulate(pixels: np.ndarray, tables: Sequence[np.ndarray], sampling: str) -> list[np.ndarray]:
    """The levels of libjpeg's encoder.

    Args:
        pixels: [H, W] or [H, W, 3] uint8.
        tables: [8, 8] steps >= 1 for each component (natural order).
        sampling: a name or factors.

    Returns:
        [Hb, Wb, 8, 8] int32 for each component, without dummy blocks.

    Raises:
        ConfigError: libjpeg's encoder cannot express the sampling.
    """
    return [
        quantize(c8, np.asarray(table, np.int32))
        for c8, table in zip(coefficients(pixels, sampling), tables, strict=True)
    ]
