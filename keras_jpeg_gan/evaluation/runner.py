"""The loop over seeds, images, cases and contenders."""

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
from keras_jpeg_gan.evaluation.measures import measure
from keras_jpeg_gan.evaluation.originals import read_ahead
from keras_jpeg_gan.evaluation.progress import Progress
from keras_jpeg_gan.evaluation.sets import SET_METRICS, Reference, Score, SetStatistics
from keras_jpeg_gan.metrics.extractors import FeatureExtractor

_SAVE_EVERY = 60.0  # seconds


@dataclasses.dataclass(frozen=True)
class Plan:
    """What is measured on all images.

    Attributes:
        cases: how each original is compressed.
        contenders: what restores each file.
        seeds: passes over all images; contenders that draw nothing take part in the first.
        distortions: keys of `measures.DISTORTIONS`.
        extractors: networks whose features' distributions are compared, with the reference.
        set_metrics: of `sets.SET_METRICS`.
        lpips_network: one with LPIPS' weights, or None.
    """

    cases: Sequence[Case]
    contenders: Sequence[Contender]
    seeds: int
    distortions: Sequence[str]
    extractors: Sequence[tuple[FeatureExtractor, Reference]] = ()
    set_metrics: Sequence[str] = SET_METRICS
    lpips_network: object = None

    def key(self, case: int, contender: int, network: int) -> str:
        """The key of statistics in `Progress`."""
        return f"{case} {contender} {network}"

    def extractor_of(self, key: str) -> FeatureExtractor:
        """The network that a key names."""
        return self.extractors[int(key.rsplit(" ", 1)[1])][0]


def run(
    source: NamedSource, plan: Plan, progress: Progress, folder: pathlib.Path | None = None
) -> None:
    """Measure everything that `progress` does not have yet.

    An image that cannot be read, or that one contender cannot restore, is left out for all. It is
    named on standard error and in `progress.failures`.

    Args:
        source: the originals.
        plan: what to measure.
        progress: is filled.
        folder: where it is saved: once a minute, at the end, and when interrupted.
    """
    saved = time.monotonic()
    total = plan.seeds * len(source)
    done = progress.seed * len(source) + progress.index
    bar = tqdm.tqdm(total=total, initial=done, unit="image", disable=not sys.stderr.isatty())
    try:
        with bar:
            while progress.seed < plan.seeds:
                for name, original, error in read_ahead(source, progress.index):
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
    """Restore and measure one image in every way of this pass; all results count, or none."""
    seed, rows, images = progress.seed, [], []
    try:
        if original is None:
            raise error or AssertionError
        for c, case in enumerate(plan.cases):
            trial = Trial(*case.make(original), case.earlier_save)
            for k, contender in enumerate(plan.contenders):
                if seed and not contender.draws:
                    continue
                result = contender.restore(trial, seed)
                given = name, case, trial, contender, seed, result
                rows.append(measure(*given, plan.distortions, plan.lpips_network))
                images.append((c, k, result.pixels))
    except JpegGanError as reason:
        progress.failures[name] = str(reason)
        # Its rows of earlier passes go too, so that all means are over the same images. Scores of
        # earlier passes still include it, and say how many images they are of.
        progress.rows = [row for row in progress.rows if row.image != name]
        print(f"{name}: {reason}", file=sys.stderr)
        return
    progress.rows += rows
    for c, k, pixels in images:
        for n, (extractor, _) in enumerate(plan.extractors):
            key = plan.key(c, k, n)
            progress.statistics.setdefault(key, SetStatistics(extractor)).add(pixels)


def _scores(plan: Plan, progress: Progress) -> Iterator[Score]:
    """The scores of the pass that has ended, where there are features enough."""
    for key, statistics in progress.statistics.items():
        case, contender, network = map(int, key.split())
        if statistics.vectors < SetStatistics.FEWEST:
            continue
        yield Score(
            **plan.cases[case].fields,
            model=plan.contenders[contender].model,
            method=plan.contenders[contender].method,
            seed=progress.seed,
            **statistics.scores(plan.extractors[network][1], plan.set_metrics),
        )
