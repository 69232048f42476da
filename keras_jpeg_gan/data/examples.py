"""Training examples in NumPy: each depends on its source, distribution, seed and position."""

import collections
import concurrent.futures
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from keras_jpeg_gan.data.degradation import (
    ExponentialQualities,
    QualityDistribution,
    SkewedQualities,
    check_mix,
    compress,
    compress_again,
    draw_sampling,
    draw_tables,
)
from keras_jpeg_gan.data.patches import SCALES, draw_patch, soften_chroma
from keras_jpeg_gan.data.sources import Source, UnreadableImageError
from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.jpeg.sampling import Sampling

QUALITY_DISTRIBUTIONS = ("skewed", "exponential")
# Standard deviations of the blur of `soft_chroma`, in pixels.
_CHROMA_BLUR = (0.5, 1.5)
# This many unreadable images in a row are no accident.
_ATTEMPTS = 20


@dataclasses.dataclass(frozen=True)
class PatchDistribution:
    """How training patches are drawn: size, scale, orientation, tables and sampling.

    Attributes:
        size: side in pixels.
        max_scale: with scale "near", largest side of the square in the photograph, in patches.
        quality: distribution of the quality of the IJG's tables.
        sampling: weights of samplings.
        other_tables: share of files with the tables of a camera or an application.
        upright: flip left and right only, as for faces.
        soft_chroma: share of patches whose chroma is blurred before they are compressed.
        scale: how large the squares in photographs are, one of `patches.SCALES`.
        resaved: share of patches that are compressed twice (`degradation.compress_again`).

    Raises:
        ConfigError: the sampling mix cannot be drawn from, a share is not in [0, 1], or there is
            no such scale.
    """

    size: int
    max_scale: float
    quality: QualityDistribution
    sampling: Mapping[Sampling, float]
    other_tables: float = 0.0
    upright: bool = False
    soft_chroma: float = 0.0
    scale: str = "near"
    resaved: float = 0.0

    def __post_init__(self) -> None:
        check_mix(self.sampling)
        if self.scale not in SCALES:
            raise ConfigError(f"patch_scale {self.scale!r}: one of {', '.join(SCALES)}")
        for name in ("other_tables", "soft_chroma", "resaved"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"{name} {getattr(self, name)}: a share, 0 to 1")

    @property
    def samplings(self) -> tuple[Sampling, ...]:
        """The samplings of the mix, in the order in which examples count them."""
        return tuple(sorted(self.sampling, key=str))

    @classmethod
    def from_config(cls, config: Any) -> "PatchDistribution":
        """The distribution that a training's config describes.

        Raises:
            ConfigError: one of its settings is wrong.
        """
        if config.quality_distribution not in QUALITY_DISTRIBUTIONS:
            raise ConfigError(
                f"quality_distribution {config.quality_distribution!r}: "
                f"{' or '.join(QUALITY_DISTRIBUTIONS)}"
            )
        quality: QualityDistribution
        low, high = config.quality_low, config.quality_high
        if config.quality_distribution == "exponential":
            quality = ExponentialQualities(low, high, config.quality_mean)
        else:
            quality = SkewedQualities(low, high, config.quality_skew)
        return cls(
            config.patch,
            config.max_scale,
            quality,
            {Sampling.parse(name): weight for name, weight in config.sampling.items()},
            config.other_tables,
            config.upright,
            config.soft_chroma,
            config.patch_scale,
            config.resaved,
        )


def example(
    source: Source, patches: PatchDistribution, seed: int, position: int
) -> dict[str, np.ndarray]:
    """The training example at a position of the endless stream.

    An image that cannot be read is skipped, and another is drawn.

    Returns:
        original and compressed [S, S, 3] uint8, tables [2, 8, 8] float32, sampling [] int32
        (index into `PatchDistribution.samplings`), position [] int64.

    Raises:
        UnreadableImageError: many images in a row cannot be read.
    """
    rng = np.random.default_rng((seed, position))
    image = _draw_image(source, rng)
    original = draw_patch(
        image,
        patches.size,
        patches.max_scale,
        rng,
        transpose=not patches.upright,
        scale=patches.scale,
    )
    if patches.soft_chroma and rng.random() < patches.soft_chroma:
        original = soften_chroma(original, rng.uniform(*_CHROMA_BLUR))
    tables = draw_tables(patches.quality, patches.other_tables, rng)
    sampling = draw_sampling(patches.sampling, rng)
    if patches.resaved and rng.random() < patches.resaved:
        compressed, tables = compress_again(original, tables, sampling, rng)
    else:
        compressed = compress(original, tables, sampling)
    return {
        "original": original,
        "compressed": compressed,
        "tables": tables,
        "sampling": np.asarray(patches.samplings.index(sampling), np.int32),
        "position": np.asarray(position, np.int64),
    }


def _draw_image(source: Source, rng: np.random.Generator) -> np.ndarray:
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return source[int(rng.integers(len(source)))]
        except UnreadableImageError:
            if attempt == _ATTEMPTS:
                raise
    raise AssertionError("unreachable")


def example_batch(
    source: Source, patches: PatchDistribution, seed: int, positions: Sequence[int]
) -> dict[str, np.ndarray]:
    """The examples at some positions, with a batch axis in front."""
    drawn = [example(source, patches, seed, position) for position in positions]
    return {name: np.stack([one[name] for one in drawn]) for name in drawn[0]}


def worker_positions(step: int, batch: int, worker: int = 0, workers: int = 1) -> range:
    """The positions in a step's batch that one of several workers takes.

    Args:
        batch: how many examples all workers have together.

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
    patches: PatchDistribution,
    seed: int,
    batch: int,
    first_step: int = 0,
    worker: int = 0,
    workers: int = 1,
    threads: int = 2,
) -> Iterator[dict[str, np.ndarray]]:
    """Endless batches in NumPy, prepared ahead by threads; arguments as `pipeline.batches`."""
    pool = concurrent.futures.ThreadPoolExecutor(threads)
    ahead: collections.deque[concurrent.futures.Future] = collections.deque()
    step = first_step
    try:
        while True:
            while len(ahead) <= threads:
                positions = worker_positions(step, batch, worker, workers)
                ahead.append(pool.submit(example_batch, source, patches, seed, positions))
                step += 1
            yield ahead.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
