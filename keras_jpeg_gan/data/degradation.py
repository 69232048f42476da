"""JPEG degradation by libjpeg: random quality and sampling, and the decode of the result."""

import dataclasses
import io
from collections.abc import Mapping

import numpy as np
from PIL import Image

from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.jpeg.tables import quality_tables

# Pillow's numbers for the samplings that it writes.
SUBSAMPLING = {"4:4:4": 0, "4:2:2": 1, "4:2:0": 2}


@dataclasses.dataclass(frozen=True)
class QualityLaw:
    """How qualities are drawn: low + (high - low) u^skew, u uniform, rounded.

    skew 1 is uniform, larger prefers low qualities; low equal to high is one quality.

    Raises:
        ConfigError: not 1 <= low <= high <= 100, or skew not positive.
    """

    low: int
    high: int
    skew: float = 1.0

    def __post_init__(self) -> None:
        if not 1 <= self.low <= self.high <= 100 or self.skew <= 0:
            raise ConfigError(f"quality law {self}: 1 <= low <= high <= 100 and skew > 0")

    def draw(self, rng: np.random.Generator) -> int:
        """One quality."""
        return round(self.low + (self.high - self.low) * rng.random() ** self.skew)


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


def degrade(original: np.ndarray, quality: int, sampling: str) -> tuple[np.ndarray, np.ndarray]:
    """Compress with libjpeg at an IJG quality, and decode.

    Args:
        original: [H, W, 3] uint8.
        quality: 1..100; sampling: a key of `SUBSAMPLING`.

    Returns:
        The compressed image [H, W, 3] uint8 (libjpeg's default decode) and its tables
        [2, 8, 8] float32 (luma, chroma) in steps.
    """
    buffer = io.BytesIO()
    Image.fromarray(original).save(
        buffer, "JPEG", quality=quality, subsampling=SUBSAMPLING[sampling]
    )
    with Image.open(buffer, formats=("JPEG",)) as image:
        return np.asarray(image), np.stack(quality_tables(quality)).astype(np.float32)
