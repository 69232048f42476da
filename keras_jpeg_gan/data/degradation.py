"""JPEG degradation by libjpeg: random tables and sampling, and the decode of the result."""

import dataclasses
import io
from collections.abc import Mapping
from typing import Protocol

import numpy as np
from PIL import Image

from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.jpeg import encoder
from keras_jpeg_gan.jpeg.published_tables import PUBLISHED_TABLES
from keras_jpeg_gan.jpeg.tables import quality_tables

# Pillow's numbers for the samplings that it writes.
SUBSAMPLING = {"4:4:4": 0, "4:2:2": 1, "4:2:0": 2}

_PUBLISHED = np.stack(list(PUBLISHED_TABLES.values())).astype(np.float32)


class QualityDraw(Protocol):
    """How qualities are drawn."""

    def draw(self, rng: np.random.Generator) -> int:
        """One IJG quality, 1..100."""


@dataclasses.dataclass(frozen=True)
class QualityLaw:
    """Qualities low + (high - low) u^skew, u uniform, rounded.

    skew 1 is uniform, larger prefers low qualities; low equal to high is one quality.

    Raises:
        ConfigError: not 1 <= low <= high <= 100, or skew not positive.
    """

    low: int
    high: int
    skew: float = 1.0

    def __post_init__(self) -> None:
        _check_range(self, self.low, self.high, "skew", self.skew)

    def draw(self, rng: np.random.Generator) -> int:
        """One quality."""
        return round(self.low + (self.high - self.low) * rng.random() ** self.skew)


@dataclasses.dataclass(frozen=True)
class ExponentialLaw:
    """Qualities floor(min(low + t, high)), t exponential: the paper's law for general content.

    Its defaults are those of the authors' code: mean 14.4, median 11.

    Raises:
        ConfigError: not 1 <= low <= high <= 100, or mean not positive.
    """

    low: int = 5
    high: int = 50
    mean: float = 10.0

    def __post_init__(self) -> None:
        _check_range(self, self.low, self.high, "mean", self.mean)

    def draw(self, rng: np.random.Generator) -> int:
        """One quality."""
        return int(min(self.low + rng.exponential(self.mean), self.high))


def _check_range(law: object, low: int, high: int, name: str, value: float) -> None:
    if not 1 <= low <= high <= 100 or value <= 0:
        raise ConfigError(f"quality law {law}: 1 <= low <= high <= 100 and {name} > 0")


def draw_tables(quality: QualityDraw, other_tables: float, rng: np.random.Generator) -> np.ndarray:
    """The tables of one file.

    Args:
        quality: of the IJG's tables.
        other_tables: the share of files with one of `PUBLISHED_TABLES` instead.

    Returns:
        [2, 8, 8] float32 in steps: luma, chroma.
    """
    if other_tables and rng.random() < other_tables:
        return _PUBLISHED[rng.integers(len(_PUBLISHED))]
    return _quality_tables(quality.draw(rng))


def draw_sampling(mix: Mapping[str, float], rng: np.random.Generator) -> str:
    """One sampling of a mix of weights such as {"4:2:0": 0.7, "4:4:4": 0.3}."""
    weights = np.array(list(mix.values()), float)
    return list(mix)[rng.choice(len(weights), p=weights / weights.sum())]


def check_mix(mix: Mapping[str, float]) -> None:
    """Refuse a sampling mix that cannot be drawn from.

    Raises:
        ConfigError: an unknown sampling, or weights that are negative or all zero.
    """
    unknown = set(mix) - set(SUBSAMPLING)
    if unknown or not mix or min(mix.values()) < 0 or sum(mix.values()) <= 0:
        raise ConfigError(f"sampling mix {dict(mix)}: weights of {', '.join(SUBSAMPLING)}")


def compress(original: np.ndarray, tables: np.ndarray, sampling: str) -> np.ndarray:
    """Compress with libjpeg, and decode as it does by default.

    Args:
        original: [H, W, 3] uint8.
        tables: [2, 8, 8] steps in 1..255: luma, chroma.
        sampling: a key of `SUBSAMPLING`.

    Returns:
        [H, W, 3] uint8.
    """
    luma, chroma = tables
    file = io.BytesIO(encoder.encode(original, (luma, chroma, chroma), sampling))
    with Image.open(file, formats=("JPEG",)) as image:
        return np.asarray(image)


def degrade(original: np.ndarray, quality: int, sampling: str) -> tuple[np.ndarray, np.ndarray]:
    """Compress with libjpeg at an IJG quality, and decode.

    Args:
        original: [H, W, 3] uint8.
        quality: 1..100; sampling: a key of `SUBSAMPLING`.

    Returns:
        The compressed image [H, W, 3] uint8 (libjpeg's default decode) and its tables
        [2, 8, 8] float32 (luma, chroma) in steps.
    """
    tables = _quality_tables(quality)
    return compress(original, tables, sampling), tables


def _quality_tables(quality: int) -> np.ndarray:
    return np.stack(quality_tables(quality)).astype(np.float32)
