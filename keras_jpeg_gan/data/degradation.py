"""JPEG degradation by libjpeg: random tables and sampling, and the decode of the result."""

import dataclasses
from collections.abc import Mapping
from typing import Protocol

import numpy as np

from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.jpeg import encoder
from keras_jpeg_gan.jpeg.file import decode, read_levels
from keras_jpeg_gan.jpeg.projection.earlier import Earlier
from keras_jpeg_gan.jpeg.published_tables import PUBLISHED_TABLES
from keras_jpeg_gan.jpeg.resaved import EarlierSave
from keras_jpeg_gan.jpeg.sampling import PILLOW_COLOR, Sampling
from keras_jpeg_gan.jpeg.tables import estimate_quality, quality_tables

# Of two saves: by how much the second one's quality is higher, and the share on one grid.
_FINER, _ALIGNED = 10, 0.25

_PUBLISHED = np.stack(list(PUBLISHED_TABLES.values())).astype(np.float32)


class QualityDistribution(Protocol):
    """What qualities are drawn from."""

    def draw(self, rng: np.random.Generator) -> int:
        """One IJG quality, 1..100."""


@dataclasses.dataclass(frozen=True)
class SkewedQualities:
    """Qualities low + (high - low) u^skew, u uniform, rounded.

    skew 1 is uniform, a larger one prefers low qualities; low = high gives a single quality.

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
class ExponentialQualities:
    """Qualities floor(min(low + t, high)), t exponential: the paper's for general content.

    The defaults are those of the authors' code: the qualities' mean is 14.4, their median 11.

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


def _check_range(distribution: object, low: int, high: int, name: str, value: float) -> None:
    if not 1 <= low <= high <= 100 or value <= 0:
        raise ConfigError(f"{distribution}: 1 <= low <= high <= 100 and {name} > 0")


def draw_tables(
    quality: QualityDistribution, other_tables: float, rng: np.random.Generator
) -> np.ndarray:
    """The tables of one file.

    Args:
        quality: distribution of the quality of the IJG's tables.
        other_tables: share of files with a pair from `PUBLISHED_TABLES` instead.

    Returns:
        [2, 8, 8] float32 in steps: luma, chroma.
    """
    if other_tables and rng.random() < other_tables:
        return _PUBLISHED[rng.integers(len(_PUBLISHED))]
    return _quality_tables(quality.draw(rng))


def draw_sampling(mix: Mapping[Sampling, float], rng: np.random.Generator) -> Sampling:
    """Draw one sampling of a mix, given the weight of each."""
    weights = np.array(list(mix.values()), float)
    return list(mix)[rng.choice(len(weights), p=weights / weights.sum())]


def check_mix(mix: Mapping[Sampling, float]) -> None:
    """Refuse a sampling mix that cannot be drawn from.

    Raises:
        ConfigError: a sampling is none of `PILLOW_COLOR`, or weights are negative or all zero.
    """
    unknown = set(mix) - set(PILLOW_COLOR)
    if unknown or not mix or min(mix.values()) < 0 or sum(mix.values()) <= 0:
        named = {sampling.name: weight for sampling, weight in mix.items()}
        raise ConfigError(f"sampling mix {named}: weights of {', '.join(map(str, PILLOW_COLOR))}")


def compress(original: np.ndarray, tables: np.ndarray, sampling: Sampling) -> np.ndarray:
    """Compress with libjpeg, and decode with its defaults.

    Args:
        original: [H, W, 3] uint8.
        tables: [2, 8, 8] steps in 1..255: luma, chroma.
        sampling: of three components.

    Returns:
        [H, W, 3] uint8.
    """
    luma, chroma = tables
    return decode(encoder.encode(original, (luma, chroma, chroma), sampling))


def compress_again(
    original: np.ndarray, tables: np.ndarray, sampling: Sampling, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Compress twice, and return what a decoder's network sees as of the first save.

    The second save is finer, by at least `_FINER` in IJG quality, and its grid lies anywhere;
    in a share of `_ALIGNED` where the first one lies. The first is taken as known: the search
    hardly ever errs where the second is so much finer.

    Args:
        original: [H, W, 3] uint8.
        tables: [2, 8, 8], the first save's; sampling: of both.
        rng: draws the second save.

    Returns:
        The picture as the first save left it, as far as the second one's pixels tell, [H, W, 3]
        uint8, and the tables [2, 8, 8] float32 that go with it.
    """
    luma, chroma = tables.astype(np.int32)
    quality = estimate_quality(luma, chroma)
    second, its_chroma = quality_tables(int(rng.integers(min(quality + _FINER, 98), 99)))
    x, y = (0, 0) if rng.random() < _ALIGNED else map(int, rng.integers(0, 8, 2))
    # The second grid begins beyond the picture, so that none of it is lost.
    once = np.pad(compress(original, tables, sampling), ((y, 0), (x, 0), (0, 0)), mode="edge")
    data = encoder.encode(once, (second, its_chroma, its_chroma), sampling)
    save = EarlierSave((x, y), luma, chroma, quality, "the first save", 1.0)
    earlier = Earlier.of(save, decode(data), read_levels(data).quantized)
    top, left = y + earlier.margin[0], x + earlier.margin[1]
    return earlier.pixels[top:, left:], earlier.tables


def degrade(
    original: np.ndarray, quality: int, sampling: Sampling
) -> tuple[np.ndarray, np.ndarray]:
    """Compress with libjpeg at an IJG quality, and decode.

    Args:
        original: [H, W, 3] uint8.
        quality: 1..100; sampling: of three components.

    Returns:
        The compressed image [H, W, 3] uint8 (libjpeg's default decode) and its tables
        [2, 8, 8] float32 (luma, chroma) in steps.
    """
    tables = _quality_tables(quality)
    return compress(original, tables, sampling), tables


def _quality_tables(quality: int) -> np.ndarray:
    return np.stack(quality_tables(quality)).astype(np.float32)
