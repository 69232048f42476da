"""Training examples in NumPy: each a function of its source, law, seed and position alone."""

import collections
import concurrent.futures
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from keras_jpeg_gan.data.degradation import (
    ExponentialLaw,
    QualityDraw,
    QualityLaw,
    check_mix,
    compress,
    draw_sampling,
    draw_tables,
)
from keras_jpeg_gan.data.patches import draw_patch, soften_chroma
from keras_jpeg_gan.data.sources import Source, UnreadableImageError
from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.jpeg import emulator
from keras_jpeg_gan.jpeg.sampling import Sampling

QUALITY_LAWS = ("skewed", "exponential")
# The file's levels in an example, by component.
LEVELS = ("levels_y", "levels_cb", "levels_cr")
# Deviations of the blur of `soft_chroma`, in pixels.
_CHROMA_BLUR = (0.5, 1.5)
# So many images in a row that cannot be read are no accident.
_ATTEMPTS = 20


@dataclasses.dataclass(frozen=True)
class PatchLaw:
    """What a training patch is: size, scale, orientation, tables and sampling.

    Attributes:
        size: side in pixels.
        max_scale: largest side of the square in the photograph, in patches.
        quality: of the IJG's tables.
        sampling: weights of samplings.
        other_tables: share of files with tables of cameras and applications.
        upright: flip left and right only, as for faces.
        soft_chroma: share of patches whose chroma is blurred before they are compressed.
        levels: whether examples have their file's levels.

    Raises:
        ConfigError: the sampling mix cannot be drawn from, a share is none, or levels of
            several samplings would not fit into one batch.
    """

    size: int
    max_scale: float
    quality: QualityDraw
    sampling: Mapping[Sampling, float]
    other_tables: float = 0.0
    upright: bool = False
    soft_chroma: float = 0.0
    levels: bool = False

    def __post_init__(self) -> None:
        check_mix(self.sampling)
        for name in ("other_tables", "soft_chroma"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"{name} {getattr(self, name)}: a share, 0 to 1")
        if self.levels and len(self.sampling) > 1:
            names = ", ".join(sampling.name for sampling in self.samplings)
            raise ConfigError(f"levels of {names} in one batch: name one")

    @property
    def samplings(self) -> tuple[Sampling, ...]:
        """The samplings of the mix, in the order in which examples count them."""
        return tuple(sorted(self.sampling, key=str))

    @classmethod
    def from_config(cls, config: Any) -> "PatchLaw":
        """The law that a training's config describes.

        Raises:
            ConfigError: one of its settings is wrong.
        """
        if config.quality_law not in QUALITY_LAWS:
            raise ConfigError(f"quality_law {config.quality_law!r}: {' or '.join(QUALITY_LAWS)}")
        quality: QualityDraw
        if config.quality_law == "exponential":
            quality = ExponentialLaw(config.quality_low, config.quality_high, config.quality_mean)
        else:
            quality = QualityLaw(config.quality_low, config.quality_high, config.quality_skew)
        return cls(
            config.patch,
            config.max_scale,
            quality,
            {Sampling.parse(name): weight for name, weight in config.sampling.items()},
            config.other_tables,
            config.upright,
            config.soft_chroma,
        )


def example(source: Source, law: PatchLaw, seed: int, position: int) -> dict[str, np.ndarray]:
    """The training example at a position of the endless stream.

    An image that cannot be read is passed over: another is drawn.

    Returns:
        original and compressed [S, S, 3] uint8, tables [2, 8, 8] float32, sampling [] int32
        (index into `PatchLaw.samplings`), position [] int64; where the law has them, also
        the levels that libjpeg's encoder gave, [Hb, Wb, 8, 8] int16 by `LEVELS`.

    Raises:
        UnreadableImageError: many images in a row cannot be read.
    """
    rng = np.random.default_rng((seed, position))
    image = _draw_image(source, rng)
    original = draw_patch(image, law.size, law.max_scale, rng, transpose=not law.upright)
    if law.soft_chroma and rng.random() < law.soft_chroma:
        original = soften_chroma(original, rng.uniform(*_CHROMA_BLUR))
    tables = draw_tables(law.quality, law.other_tables, rng)
    sampling = draw_sampling(law.sampling, rng)
    drawn = {
        "original": original,
        "compressed": compress(original, tables, sampling),
        "tables": tables,
        "sampling": np.asarray(law.samplings.index(sampling), np.int32),
        "position": np.asarray(position, np.int64),
    }
    if law.levels:
        luma, chroma = tables
        parts = emulator.emulate(original, (luma, chroma, chroma), sampling)
        drawn |= {n: part.astype(np.int16) for n, part in zip(LEVELS, parts, strict=True)}
    return drawn


def _draw_image(source: Source, rng: np.random.Generator) -> np.ndarray:
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return source[int(rng.integers(len(source)))]
        except UnreadableImageError:
            if attempt == _ATTEMPTS:
                raise
    raise AssertionError("unreachable")


def example_batch(
    source: Source, law: PatchLaw, seed: int, positions: Sequence[int]
) -> dict[str, np.ndarray]:
    """The examples at some positions, with a batch axis in front."""
    drawn = [example(source, law, seed, position) for position in positions]
    return {name: np.stack([one[name] for one in drawn]) for name in drawn[0]}


def worker_positions(step: int, batch: int, worker: int = 0, workers: int = 1) -> range:
    """The positions that one of several workers takes of a step's batch.

    Args:
        batch: examples of all workers together.

    Raises:
        ConfigError: the batch cannot be shared evenly, or there is no such worker.
    """
    if batch < 1 or batch % workers or not 0 <= worker < workers:
        raise ConfigError(f"batch {batch} for worker {worker} of {workers}: no even share")
    share = batch // workers
    first = step * batch + worker * share
    return range(first, first + share)


def stream(
    source: Source,
    law: PatchLaw,
    seed: int,
    batch: int,
    first_step: int = 0,
    worker: int = 0,
    workers: int = 1,
    threads: int = 2,
) -> Iterator[dict[str, np.ndarray]]:
    """Endless batches in NumPy, made ahead by threads; arguments as `pipeline.batches`."""
    pool = concurrent.futures.ThreadPoolExecutor(threads)
    ahead: collections.deque[concurrent.futures.Future] = collections.deque()
    step = first_step
    try:
        while True:
            while len(ahead) <= threads:
                positions = worker_positions(step, batch, worker, workers)
                ahead.append(pool.submit(example_batch, source, law, seed, positions))
                step += 1
            yield ahead.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
