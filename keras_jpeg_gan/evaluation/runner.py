"""The loop over seeds, images, cases and contenders."""

import collections
import concurrent.futures
import dataclasses
import pathlib
import sys
import time
from collections.abc import Iterator, Sequence

import numpy as np
import tqdm

from keras_jpeg_gan.data.sources import NamedSource
from keras_jpeg_gan.errors import JpegGanError
from keras_jpeg_gan.evaluation.cases import Case
from keras_jpeg_gan.evaluation.contenders import Contender, Trial
from keras_jpeg_gan.evaluation.measures import Score, SetStatistics, measure
from keras_jpeg_gan.evaluation.progress import Progress
from keras_jpeg_gan.metrics.extractors import FeatureExtractor

_SAVE_EVERY = 60.0  # seconds
_READERS = 2


@dataclasses.dataclass(frozen=True)
class Plan:
    """What is measured on all images.

    Attributes:
        cases: how each original is compressed.
        contenders: what restores each file.
        seeds: passes over all images; contenders that draw nothing take part in the first.
        distortions: keys of `measures.DISTORTIONS`.
        extractors: networks whose features' distribution is compared, with the statistics of
            the reference images.
        lpips_network: one with LPIPS' weights, or None.
    """

    cases: Sequence[Case]
    contenders: Sequence[Contender]
    seeds: int
    distortions: Sequence[str]
    extractors: Sequence[tuple[FeatureExtractor, SetStatistics]] = ()
    lpips_network: object = None

    def key(self, case: int, contender: int, network: int) -> str:
        """Of the statistics in `Progress`."""
        return f"{case} {contender} {network}"

    def extractor_of(self, key: str) -> FeatureExtractor:
        """The network of a key."""
        return self.extractors[int(key.rsplit(" ", 1)[1])][0]


def run(
    source: NamedSource, plan: Plan, progress: Progress, folder: pathlib.Path | None = None
) -> None:
    """Measure until all is done, from where `progress` stands.

    An image that cannot be read, or that a contender cannot restore, is left out for all, named
    on standard error and in progress.failures.

    Args:
        source: the originals.
        plan: what to measure.
        progress: is filled.
        folder: where it is saved, once a minute, at the end, and where this is interrupted.
    """
    saved = time.monotonic()
    total = plan.seeds * len(source)
    done = progress.seed * len(source) + progress.index
    bar = tqdm.tqdm(total=total, initial=done, unit="image", disable=not sys.stderr.isatty())
    try:
        with bar:
            while progress.seed < plan.seeds:
                for name, original, error in _originals(source, progress.index):
                    if name not in progress.failures:
                        _take(name, original, error, plan, progress)
                    progress.index += 1
                    bar.update()
                    if folder and time.monotonic() - saved > _SAVE_EVERY:
                        progress.save(folder)
                        saved = time.monotonic()
                progress.scores += _scores(plan, progress)
                progress.statistics = {}
                progress.seed, progress.index = progress.seed + 1, 0
    finally:
        if folder:
            progress.save(folder)


def _take(
    name: str,
    original: np.ndarray | None,
    error: JpegGanError | None,
    plan: Plan,
    progress: Progress,
) -> None:
    """Measure one image in all ways of this pass; all of them count, or none."""
    seed, rows, images = progress.seed, [], []
    try:
        if original is None:
            raise error or AssertionError
        for c, case in enumerate(plan.cases):
            trial = Trial(*case.make(original))
            for k, contender in enumerate(plan.contenders):
                if seed and not contender.draws:
                    continue
                row, result = measure(
                    name, case, trial, contender, seed, plan.distortions, plan.lpips_network
                )
                rows.append(row)
                images.append((c, k, result.pixels))
    except JpegGanError as reason:
        progress.failures[name] = str(reason)
        # The rows of other passes go too, so that all means are over the same images; scores of
        # passes that are done still have it, and say of how many images they are.
        progress.rows = [row for row in progress.rows if row.image != name]
        print(f"{name}: {reason}", file=sys.stderr)
        return
    progress.rows += rows
    for c, k, pixels in images:
        for n, (extractor, _) in enumerate(plan.extractors):
            key = plan.key(c, k, n)
            progress.statistics.setdefault(key, SetStatistics(extractor)).add(pixels)


def _scores(plan: Plan, progress: Progress) -> Iterator[Score]:
    """Of the pass that has ended; none of too few features."""
    for key, statistics in progress.statistics.items():
        case, contender, network = map(int, key.split())
        if statistics.moments.count < SetStatistics.FEWEST:
            continue
        yield Score(
            **plan.cases[case].fields,
            model=plan.contenders[contender].model,
            method=plan.contenders[contender].method,
            seed=progress.seed,
            **statistics.scores(plan.extractors[network][1]),
        )


def _originals(
    source: NamedSource, first: int
) -> Iterator[tuple[str, np.ndarray | None, JpegGanError | None]]:
    """Names and images from the first on, read ahead; why, where one cannot be read."""

    def read(index: int) -> tuple[str, np.ndarray | None, JpegGanError | None]:
        name = source.names[index]
        try:
            return name, source[index], None
        except JpegGanError as error:
            return name, None, error

    with concurrent.futures.ThreadPoolExecutor(_READERS) as pool:
        waiting: collections.deque[concurrent.futures.Future] = collections.deque()
        for index in range(first, len(source)):
            waiting.append(pool.submit(read, index))
            if len(waiting) > _READERS:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
