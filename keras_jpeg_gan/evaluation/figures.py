"""jpeg-gan-figures: the paper's figures for any JPEG, and the report of an evaluation."""

import dataclasses
import pathlib
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import tqdm
from absl import flags

from keras_jpeg_gan import program
from keras_jpeg_gan.data.sources import read_image
from keras_jpeg_gan.decoding.decoder import DEFAULT_MODEL, Decoder, no_samples
from keras_jpeg_gan.decoding.options import RestoreOptions
from keras_jpeg_gan.errors import ConfigError, JpegGanError
from keras_jpeg_gan.evaluation import plots, report
from keras_jpeg_gan.evaluation.cases import Case
from keras_jpeg_gan.evaluation.contenders import PROJECTIONS, Peer, Trial
from keras_jpeg_gan.jpeg.sampling import PILLOW_COLOR, Sampling
from keras_jpeg_gan.metrics.deviation import Spread, deviation_map

if TYPE_CHECKING:
    from matplotlib.figure import Figure

USAGE = """jpeg-gan-figures --output=DIR IMAGE ...
jpeg-gan-figures --report=DIR

Draws figures of restorations into DIR/NAME_FIGURE.png: strip, deviation and recompression. Images
that are not JPEGs are compressed first and shown as the original; for them there are estimators
and sweep too. With --report=DIR, writes DIR/report.html on the evaluation that jpeg-gan-evaluate
wrote there."""

_OUTPUT = flags.DEFINE_string("output", None, "folder for the figures")
_REPORT = flags.DEFINE_string("report", None, "folder of an evaluation")
_FIGURES = flags.DEFINE_list(
    "figures",
    [],
    "of strip, deviation, recompression, estimators, sweep; by default all that can be drawn",
)
_MODEL = flags.DEFINE_string("model", DEFAULT_MODEL, "the sampler: a bundled name, or a path")
_REGRESSION = flags.DEFINE_string(
    "regression", "regression", "the MMSE estimate: a bundled name, or a path; --peers are others"
)
_UNCONSTRAINED = flags.DEFINE_string(
    "unconstrained", None, "a sampler trained without C, for recompression: a path"
)
_PROJECTION = flags.DEFINE_enum(
    "projection",
    "exact",
    PROJECTIONS.values(),
    "of everything shown but in recompression; the paper's figures 6, 7 and 9 have none",
)
_PEERS = flags.DEFINE_multi_string(
    "peers", [], "another program, as COMMAND or NAME=COMMAND with {input} and {output}; repeatable"
)
_QUALITY = flags.DEFINE_integer("quality", 10, "IJG quality for images that are not JPEGs", 1, 100)
_SAMPLING = flags.DEFINE_enum(
    "sampling", "4:2:0", list(map(str, PILLOW_COLOR)), "their chroma subsampling"
)
_SWEEP = flags.DEFINE_list("sweep", ["5", "10", "20", "40", "80"], "qualities of the sweep")
_SAMPLES = flags.DEFINE_integer("samples", 3, "shown in the strip", 1)
_DRAWN = flags.DEFINE_integer(
    "drawn", 64, "samples drawn: the variance is that of all, the deviation that of half of them", 4
)
_CROP = flags.DEFINE_string(
    "crop", "auto", "LEFT,TOP,SIDE in pixels, auto for where samples differ most, or none"
)

_CROP_SIDE = 96


@dataclasses.dataclass
class Subject:
    """What figures are drawn from.

    Attributes:
        trial: the file, and the original if it is known (else the decode).
        known: whether it is known.
        estimate: the regression; samples: the first few; both projected as --projection says.
        recompressed: the pixels that are compressed again, by title.
        half, whole: mean and deviation of half of the samples, and of all.
        peers: what other programs make of the file, by name.
    """

    trial: Trial
    known: bool
    estimate: np.ndarray
    samples: list[np.ndarray]
    recompressed: dict[str, np.ndarray]
    half: Spread
    whole: Spread
    peers: dict[str, np.ndarray]


def main(arguments: list[str]) -> int:
    """Check what was given, and draw."""
    if _REPORT.value:
        if arguments or _OUTPUT.value:
            raise program.UsageError("--report=DIR writes into DIR: give nothing else")
        print(report.write(pathlib.Path(_REPORT.value)))
        return program.OK
    if not arguments or not _OUTPUT.value:
        raise program.UsageError("give --output=DIR and images, or --report=DIR")
    unknown = [name for name in _FIGURES.value if name not in FIGURES]
    if unknown:
        raise program.UsageError(f"--figures={unknown[0]}: of {', '.join(FIGURES)}")
    box = _crop()
    try:
        peers = [Peer(command) for command in _PEERS.value]
        sampling = Sampling.parse(_SAMPLING.value)
        sweep = [Case(int(quality), sampling) for quality in _SWEEP.value]
    except (ConfigError, ValueError) as error:
        raise program.UsageError(str(error)) from error
    sampler, regression = Decoder(_MODEL.value), Decoder(_REGRESSION.value)
    if not sampler.card.draws_samples:
        raise program.UsageError(f"--model: {no_samples(sampler.card)}")
    unconstrained = Decoder(_UNCONSTRAINED.value) if _UNCONSTRAINED.value else None
    output = pathlib.Path(_OUTPUT.value)
    output.mkdir(parents=True, exist_ok=True)
    failures = 0
    for path in tqdm.tqdm(arguments, unit="image", disable=not sys.stderr.isatty()):
        try:
            subject = _subject(pathlib.Path(path), sampler, regression, unconstrained, peers)
            for name, figure in _drawn(subject, box, sampler, sweep):
                target = output / f"{pathlib.Path(path).stem}_{name}.png"
                plots.save(figure, target)
                print(target)
        except JpegGanError as error:
            failures += 1
            print(f"{path}: {error}", file=sys.stderr)
    return program.FAILED if failures else program.OK


def _crop() -> tuple[int, int, int] | str:
    if _CROP.value in ("auto", "none"):
        return _CROP.value
    try:
        left, top, side = (int(number) for number in _CROP.value.split(","))
        if min(left, top) < 0 or side < 8:
            raise ValueError
    except ValueError as error:
        raise program.UsageError(f"--crop={_CROP.value}: LEFT,TOP,SIDE, auto or none") from error
    return left, top, side


def _subject(
    path: pathlib.Path,
    sampler: Decoder,
    regression: Decoder,
    unconstrained: Decoder | None,
    peers: list[Peer],
) -> Subject:
    """Restore an image in every way that figures show."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot be read ({error.strerror})") from error
    known = not data.startswith(b"\xff\xd8")
    if known:
        case = Case(_QUALITY.value, Sampling.parse(_SAMPLING.value))
        trial = Trial(*case.make(read_image(path)))
    else:
        file = sampler.read(data)
        trial = Trial(data, np.atleast_3d(file.pixels).repeat(3 if file.pixels.ndim == 2 else 1, 2))
    half, whole, samples = Spread(), Spread(), []
    shown = RestoreOptions(projection=_PROJECTION.value)
    samplers = {"without C": unconstrained, "with C": sampler}
    recompressed = {
        title: decoder.restore(trial.file, options=RestoreOptions(projection="none")).pixels
        for title, decoder in samplers.items()
        if decoder
    }
    recompressed["with C, projected"] = sampler.restore(trial.file).pixels
    others = {peer.model: peer.restore(trial, 0).pixels for peer in peers}
    drawn = sampler.samples(trial.file, _DRAWN.value, options=shown)
    for k, sample in enumerate(drawn):
        whole.add(sample.pixels)
        if 2 * k < _DRAWN.value:
            half.add(sample.pixels)
        if k < _SAMPLES.value:
            samples.append(sample.pixels)
    return Subject(
        trial=trial,
        known=known,
        estimate=regression.restore(trial.file, options=shown).pixels,
        samples=samples,
        recompressed=recompressed | others,
        half=half,
        whole=whole,
        peers=others,
    )


def _drawn(
    subject: Subject, box: tuple[int, int, int] | str, sampler: Decoder, sweep: list[Case]
) -> Iterator[tuple[str, "Figure"]]:
    if box == "auto":
        box = plots.most_uncertain(subject.whole.deviation, _CROP_SIDE)
    for name, (draw, needs_original) in FIGURES.items():
        if _FIGURES.value and name not in _FIGURES.value:
            continue
        if needs_original and not subject.known:
            if name in _FIGURES.value:
                raise ConfigError(f"{name} needs an original: give an image that is not a JPEG")
            continue
        yield name, draw(subject, box, sampler, sweep)


def _strip(subject: Subject, box: tuple[int, int, int] | str, *_: object) -> "Figure":
    """Figures 7 and 10 to 14: input, regression, samples, their deviation, peers, original."""
    row = [("JPEG", subject.trial.file.pixels), ("regression", subject.estimate)]
    row += [(f"sample {k}", pixels) for k, pixels in enumerate(subject.samples, 1)]
    row += [("deviation", deviation_map(subject.half.deviation))]
    row += list(subject.peers.items())
    row += [("original", subject.trial.original)] if subject.known else []
    rows = [row]
    if not isinstance(box, str):
        rows.append([("", plots.crop(pixels, box)) for _, pixels in row])
    return plots.panels(rows)


def _deviation(subject: Subject, *_: object) -> "Figure":
    """Figure 9: where samples differ."""
    title = f"standard deviation of {subject.half.count} samples"
    return plots.maps([(title, subject.half.deviation)], 4, "grey levels")


def _recompression(subject: Subject, *_: object) -> "Figure":
    """Figure 8: how far restored images, compressed again, are from the file, on one scale."""
    decoded, quantized = subject.trial.file.pixels, subject.trial.quantized
    found = [
        (title, plots.recompression_error(pixels, decoded, quantized))
        for title, pixels in subject.recompressed.items()
    ]
    return plots.maps(found, 4, "|recompressed − input|")


def _estimators(subject: Subject, *_: object) -> "Figure":
    """Figure 6: the variance as squared errors of MMSE estimates show it, and as samples do."""
    original = subject.trial.original.astype(np.float64)
    estimates = {"regression": subject.estimate} | subject.peers
    errors = [
        (f"(original − {name})²", ((original - pixels) ** 2).mean(axis=2))
        for name, pixels in estimates.items()
    ]
    drawn = (f"variance of {subject.whole.count} samples", subject.whole.deviation**2)
    return plots.maps([*errors, drawn], 8, "squared grey levels")


def _sweep(
    subject: Subject, box: tuple[int, int, int] | str, sampler: Decoder, sweep: list[Case]
) -> "Figure":
    """The decode and a sample at each quality."""
    rows: list[list[tuple[str, np.ndarray]]] = [[], []]
    for case in sweep:
        trial = Trial(*case.make(subject.trial.original))
        sample = sampler.restore(
            trial.file, options=RestoreOptions(projection=_PROJECTION.value)
        ).pixels
        titled = [(f"quality {case.quality}", trial.file.pixels), ("sample", sample)]
        for row, (title, pixels) in zip(rows, titled, strict=True):
            row.append((title, pixels if isinstance(box, str) else plots.crop(pixels, box)))
    return plots.panels(rows)


# How each is drawn, and whether that needs the original.
FIGURES: dict[str, tuple[Callable[..., "Figure"], bool]] = {
    "strip": (_strip, False),
    "deviation": (_deviation, False),
    "recompression": (_recompression, False),
    "estimators": (_estimators, True),
    "sweep": (_sweep, True),
}


def run() -> None:
    """The console script."""
    program.run(main, __name__, USAGE, "evaluation", ("jinja2", "matplotlib"))


if __name__ == "__main__":
    run()
