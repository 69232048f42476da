"""Quantization tables: the IJG's, their scaling by quality, and its inverse.

A table is [8, 8] int32 in natural order, frequency across in the last axis.
"""

from collections.abc import Sequence

import numpy as np

from keras_jpeg_gan.errors import ConfigError, JpegFormatError

# ITU-T T.81, Annex K, tables K.1 and K.2: what libjpeg calls quality 50.
LUMA = np.array(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ],
    np.int32,
)
CHROMA = np.array(
    [
        [17, 18, 24, 47, 99, 99, 99, 99],
        [18, 21, 26, 66, 99, 99, 99, 99],
        [24, 26, 56, 99, 99, 99, 99, 99],
        [47, 66, 99, 99, 99, 99, 99, 99],
        [99, 99, 99, 99, 99, 99, 99, 99],
        [99, 99, 99, 99, 99, 99, 99, 99],
        [99, 99, 99, 99, 99, 99, 99, 99],
        [99, 99, 99, 99, 99, 99, 99, 99],
    ],
    np.int32,
)


def quality_tables(quality: int) -> tuple[np.ndarray, np.ndarray]:
    """The tables that libjpeg uses at an IJG quality (jpeg_set_quality, baseline).

    Args:
        quality: 1 to 100.

    Returns:
        (luma, chroma): [8, 8] int32, 1..255.

    Raises:
        ConfigError: the quality is out of range.
    """
    if not 1 <= quality <= 100:
        raise ConfigError(f"quality {quality}: give one from 1 to 100")
    percent = 5000 // quality if quality < 50 else 200 - 2 * quality
    luma, chroma = (np.clip((base * percent + 50) // 100, 1, 255) for base in (LUMA, CHROMA))
    return luma, chroma


def estimate_quality(luma: np.ndarray, chroma: np.ndarray | None = None) -> int:
    """The IJG quality with the nearest tables: exact if the tables are the IJG's own.

    The distance is the mean absolute difference of the logarithms of the steps, over the tables
    given; in a tie, the lowest quality counts.

    Args:
        luma: [8, 8] steps >= 1.
        chroma: [8, 8] steps >= 1, or None for a grayscale file.

    Raises:
        JpegFormatError: a step is not positive.
    """
    given = _logarithms([luma] if chroma is None else [luma, chroma])
    candidates = _logarithms([quality_tables(quality) for quality in range(1, 101)])
    distances = np.abs(candidates[:, : len(given)] - given).mean(axis=(1, 2, 3))
    return 1 + int(np.argmin(distances))


def network_tables(tables: Sequence[np.ndarray]) -> np.ndarray:
    """The two tables that the network gets, however many the file has.

    For grayscale, luma is repeated as chroma; different tables of Cb and Cr are replaced by their
    geometric mean. 16-bit steps stay as they are.

    Args:
        tables: [8, 8] steps >= 1 for each component, one or three.

    Returns:
        [2, 8, 8] float32 in steps: luma, chroma.

    Raises:
        JpegFormatError: a step is not positive, or there are not one or three tables.
    """
    if len(tables) not in (1, 3):
        raise JpegFormatError(f"{len(tables)} components: only grayscale and YCbCr are restored")
    logarithms = _logarithms(tables)
    chroma = logarithms[1:].mean(axis=0) if len(tables) == 3 else logarithms[0]
    return np.exp(np.stack([logarithms[0], chroma])).astype(np.float32)


def _logarithms(tables: Sequence) -> np.ndarray:
    steps = np.asarray(tables, np.float64)
    if not (steps > 0).all():
        raise JpegFormatError(
            "a quantization table has a step of 0: nothing is consistent with it; repair the file"
        )
    return np.log(steps)
