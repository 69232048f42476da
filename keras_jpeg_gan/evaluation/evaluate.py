"""jpeg-gan-evaluate: measures models and other programs on photographs."""

import dataclasses
import hashlib
import json
import pathlib
from collections.abc import Callable, Sequence
from typing import Any

from absl import flags

from keras_jpeg_gan import program
from keras_jpeg_gan.data.sources import NamedSource
from keras_jpeg_gan.decoding.decoder import DEFAULT_MODEL, Decoder
from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.evaluation import contenders, protocols, references, runner, tables
from keras_jpeg_gan.evaluation.cases import Case
from keras_jpeg_gan.evaluation.contenders import LIBJPEG, ORIGINAL, Contender, Method
from keras_jpeg_gan.evaluation.measures import DISTORTIONS
from keras_jpeg_gan.evaluation.originals import identity, open_originals, select
from keras_jpeg_gan.evaluation.progress import Progress
from keras_jpeg_gan.evaluation.sets import SET_METRICS, Reference
from keras_jpeg_gan.jpeg.sampling import PILLOW_COLOR
from keras_jpeg_gan.metrics.extractors import FeatureExtractor, open_features
from keras_jpeg_gan.metrics.frechet import Gaussian
from keras_jpeg_gan.system import import_tensorflow, write_atomically
from keras_jpeg_gan.versions import versions

USAGE = """jpeg-gan-evaluate --images=DIR [flags]

Compresses photographs in RGB to YCbCr files, restores them, and prints a table of means; RGB-coded,
CMYK and YCCK files are not measured. With --output=DIR it also writes results.csv (a row per
image), summary.json, table.md and settings.json (flags, versions, hashes of weights) there, and
resumes an interrupted evaluation."""

_SAMPLINGS = {sampling.name: sampling for sampling in PILLOW_COLOR}

_IMAGES = flags.DEFINE_string("images", None, "folder of original photographs, lossless")
_DATASET = flags.DEFINE_string("dataset", None, "instead: NAME or NAME:SPLIT of TFDS, or ffhq")
_LIST = flags.DEFINE_string(
    "list",
    None,
    "file of image names, one per line, to measure only these: paths in the folder, or ImageNet's "
    "file names",
)
_QUALITY = flags.DEFINE_list("quality", ["10", "20", "40"], "IJG qualities, 1 to 100")
_SAMPLING = flags.DEFINE_list("sampling", ["4:2:0"], f"of {', '.join(_SAMPLINGS)}")
_MODELS = flags.DEFINE_list(
    "models",
    [LIBJPEG, DEFAULT_MODEL],
    f"{LIBJPEG}, {ORIGINAL} (the ground truth), bundled names, paths of weights, or NAME=path. In "
    f"the paper's tables {protocols.REGRESSION}, {protocols.OURS} and {protocols.UNCONSTRAINED} "
    "(λ_C = 0) fill its rows",
)
_METHODS = flags.DEFINE_list(
    "methods",
    ["exact"],
    "sample, float, exact (no, float, exact projection), auto, known (as of an earlier save that "
    "is found, or that there was), mean:N, mean:N:sample (of N samples, with exact projection and "
    "without), control (regression plus noise of the sample's squared error)",
)
_REGRESSION = flags.DEFINE_string(
    "regression", "regression", "the model that control adds noise to"
)
_SEEDS = flags.DEFINE_integer("seeds", 1, "samples of each file; their spread is shown", 1)
_PEERS = flags.DEFINE_multi_string(
    "peers", [], "another program, as COMMAND or NAME=COMMAND with {input} and {output}; repeatable"
)
_METRICS = flags.DEFINE_list("metrics", ["psnr", "ssim"], f"of {', '.join(DISTORTIONS)}")
_SET_METRICS = flags.DEFINE_list(
    "set_metrics",
    list(SET_METRICS),
    f"what --features are compared by, of {', '.join(SET_METRICS)}",
)
_FEATURES = flags.DEFINE_list(
    "features",
    [],
    "feature networks: weights as .npz (with LPIPS' layers: LPIPS too), TTUR's Inception graph as "
    ".pb, or keras-inception",
)
_REFERENCE = flags.DEFINE_string(
    "reference",
    None,
    "what the features are compared with: a folder of images, tfds:NAME:SPLIT, or statistics in "
    "TTUR's format (.npz with mu and sigma); by default, the originals",
)
_CACHE = flags.DEFINE_string("cache", None, "folder for the references' statistics")
_PROTOCOL = flags.DEFINE_enum(
    "protocol",
    None,
    ["table2", *protocols.PROTOCOLS],
    "the settings of an experiment in the paper (double: as in FBCNN's); other flags win over it",
)
_OUTPUT = flags.DEFINE_string("output", None, "folder for the results")

# Names in --models that need no weights.
_NO_MODELS: dict[str, Callable[[], Contender]] = {
    LIBJPEG: contenders.Libjpeg,
    ORIGINAL: contenders.Original,
}


def main(arguments: list[str]) -> int:
    """Check what was given, measure, and write."""
    if arguments:
        raise program.UsageError(f"unexpected {arguments[0]!r}: give the folder by --images=DIR")
    if bool(_IMAGES.value) == bool(_DATASET.value):
        raise program.UsageError("give --images=DIR or --dataset=NAME")
    protocol = protocols.PROTOCOLS.get(_PROTOCOL.value or "")
    cases = _cases(protocol)
    methods_of = _methods(protocol)
    distortions = _chosen(_METRICS, DISTORTIONS, _given(_METRICS, protocol, "distortions"))
    set_metrics = _chosen(_SET_METRICS, SET_METRICS, _given(_SET_METRICS, protocol, "set_metrics"))
    seeds = _given(_SEEDS, protocol, "seeds")
    peers = [_peer(command) for command in _PEERS.value]
    if protocol and protocol.training_reference and _FEATURES.value and not _REFERENCE.value:
        raise program.UsageError(
            f"--protocol={_PROTOCOL.value} compares features with those of the training images: "
            "give --reference"
        )
    if _FEATURES.value or _DATASET.value or _PROTOCOL.value == "table2":
        import_tensorflow()
    source = _source()
    if _PROTOCOL.value == "table2":
        print(protocols.rounding(source))
        return program.OK
    models = dict(_named(text) for text in _MODELS.value)
    if protocol and protocol.training_reference:
        models.setdefault(ORIGINAL, ORIGINAL)
    decoders = {name: Decoder(path) for name, path in models.items() if name not in _NO_MODELS}
    methods = {name: methods_of(name) for name in decoders}
    controlled = any(method.control for found in methods.values() for method in found)
    control = Decoder(_REGRESSION.value) if controlled else None
    extractors = [open_features(path) for path in _FEATURES.value]
    output = _folder(_OUTPUT.value) if _OUTPUT.value else None
    plan = runner.Plan(
        cases=cases,
        contenders=[*_contenders(models, decoders, methods, control), *peers],
        seeds=seeds,
        distortions=distortions,
        extractors=[(e, _reference(e, source)) for e in extractors],
        set_metrics=set_metrics,
        lpips_network=next((e.network for e in extractors if _has_lpips(e)), None),
    )
    settings = _settings(plan, models, decoders, control, source)
    if output:  # hashing many images takes a while
        settings["content of the images"] = _content(source)
    progress = Progress.load(output, settings, plan.extractor_of) if output else Progress(settings)
    runner.run(source, plan, progress, output)
    if not progress.rows:
        raise ConfigError("no image could be measured")
    _tell(progress, output, protocol)
    return program.FAILED if progress.failures else program.OK


def _tell(
    progress: Progress, output: pathlib.Path | None, protocol: protocols.Protocol | None
) -> None:
    """Print the tables, and write all results."""
    summary = tables.summarize(progress.rows, progress.scores)
    table = tables.to_markdown(summary)
    notes = tables.notes(summary)
    if _FEATURES.value:
        notes.append(f"Features are compared with those of {_REFERENCE.value or 'the originals'}.")
    print("\n".join([table, tables.CONVENTIONS, *notes]))
    if protocol:
        said = protocols.report(protocol, summary)
        print(f"\n{protocol.title}\n\n{said}")
        if protocol.wants and not _FEATURES.value:
            print(f"Comparable with the paper's FID only with {protocol.wants}.")
        table += f"\n{protocol.title}\n\n{said}"
    if output:
        about = {"settings": progress.settings, "versions": versions()}
        contents = {
            "results.csv": tables.to_csv(progress.rows),
            "summary.json": json.dumps({"lines": summary, "failures": progress.failures}, indent=2),
            "settings.json": json.dumps(about, indent=2),
            "table.md": table,
        }
        for name, content in contents.items():
            write_atomically(output / name, content.encode())


def _given(flag: flags.FlagHolder, protocol: protocols.Protocol | None, field: str) -> Any:
    """The value the user gave, or else the protocol's, or else the default."""
    if protocol and not flag.present:
        return getattr(protocol, field)
    return flag.value


def _cases(protocol: protocols.Protocol | None) -> list[Case]:
    samplings = [_SAMPLINGS[name] for name in _chosen(_SAMPLING, _SAMPLINGS, _SAMPLING.value)]
    if protocol and not _QUALITY.present:
        return [
            dataclasses.replace(case, sampling=sampling)
            for sampling in samplings
            for case in protocol.cases
        ]
    qualities = [_quality(text) for text in _QUALITY.value]
    return [Case(quality, sampling) for sampling in samplings for quality in qualities]


def _chosen(flag: flags.FlagHolder, known: Any, values: Sequence[str]) -> list[str]:
    unknown = [value for value in values if value not in known]
    if unknown:
        raise program.UsageError(f"--{flag.name}={unknown[0]}: of {', '.join(known)}")
    return list(values)


def _quality(text: str) -> int:
    if not text.strip().isdigit() or not 1 <= int(text) <= 100:
        raise program.UsageError(f"--quality={text}: 1 to 100")
    return int(text)


def _methods(protocol: protocols.Protocol | None) -> Callable[[str], list[Method]]:
    """What is done with a model of a given name."""
    try:
        given = [Method.parse(text) for text in _METHODS.value]
    except ConfigError as error:
        raise program.UsageError(f"--methods: {error}") from error
    if protocol is None or _METHODS.present:
        return lambda model: given
    return lambda model: [Method.parse(text) for text in protocol.methods_of(model)]


def _peer(command: str) -> contenders.Peer:
    try:
        return contenders.Peer(command)
    except (ConfigError, ValueError) as error:
        raise program.UsageError(f"--peers: {error}") from error


def _named(text: str) -> tuple[str, str]:
    """Split NAME=path; a name or path alone is its own name."""
    name, equals, path = text.partition("=")
    return (name, path) if equals else (text, text)


def _place() -> str:
    """Where the originals are, in the form that `open_originals` takes."""
    name, _, split = (_DATASET.value or "").partition(":")
    return _IMAGES.value or f"tfds:{name}:{split or 'test'}"


def _source() -> NamedSource:
    """The originals, each read when it is needed."""
    source = open_originals(_place())
    if not _LIST.value:
        return source
    try:
        lines = pathlib.Path(_LIST.value).read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"--list={_LIST.value}: cannot be read ({error})") from error
    listed = [line.strip() for line in lines if line.strip()]
    return select(source, _place(), listed, f"--list={_LIST.value}")


def _folder(name: str) -> pathlib.Path:
    folder = pathlib.Path(name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise program.UsageError(f"--output={name}: {error.strerror}") from error
    return folder


def _contenders(
    models: dict[str, str],
    decoders: dict[str, Decoder],
    methods: dict[str, list[Method]],
    control: Decoder | None,
) -> list[Contender]:
    """Each model with each of its methods; a regression has neither means nor a control."""
    found: list[Contender] = []
    for name in models:
        if name in _NO_MODELS:
            found.append(_NO_MODELS[name]())
            continue
        decoder = decoders[name]
        for method in methods[name]:
            if not decoder.card.draws_samples and (method.mean or method.control):
                continue
            if method.control:
                assert control is not None
                exact = Method.parse("exact")
                sampler = contenders.Model(name, decoder, exact)
                regression = contenders.Model(f"{name}'s control", control, exact)
                found.append(contenders.Control(sampler, regression, control))
            else:
                found.append(contenders.Model(name, decoder, method))
    return found


def _reference(extractor: FeatureExtractor, source: NamedSource) -> Reference:
    """What features are compared with: statistics from a file, or of images."""
    place = _REFERENCE.value or _place()
    if pathlib.Path(place).suffix == ".npz":
        gaussian = Gaussian.load(pathlib.Path(place))
        if gaussian.mean.size != extractor.size:
            raise ConfigError(
                f"--reference={place}: statistics of {gaussian.mean.size} features, "
                f"{extractor.name} has {extractor.size}"
            )
        return Reference(gaussian)
    cache = pathlib.Path(_CACHE.value) if _CACHE.value else references.default_cache()
    images, known = source, identity(place)
    if _REFERENCE.value:
        images = open_originals(place)
    elif _LIST.value:
        known += "\n".join(images.names)
    return references.reference(images, known, extractor, cache).reference()


def _has_lpips(extractor: FeatureExtractor) -> bool:
    return getattr(extractor.network, "linear", None) is not None


def _content(source: NamedSource) -> str:
    """A hash of the originals, and of which of them are measured."""
    return hashlib.sha256("\n".join([identity(_place()), *source.names]).encode()).hexdigest()


def _settings(
    plan: runner.Plan,
    models: dict[str, str],
    decoders: dict[str, Decoder],
    control: Decoder | None,
    source: NamedSource,
) -> dict[str, Any]:
    """Everything that the results depend on, in types that JSON has."""
    hashes = {name: decoder.card.sha256 for name, decoder in decoders.items()}
    return {
        "images": _place(),
        "list": _LIST.value,
        "number of images": len(source),
        "cases": [case.fields for case in plan.cases],
        "contenders": [[c.model, c.method] for c in plan.contenders],
        "peers": _PEERS.value,
        "models": {name: models[name] for name in decoders},
        "weights": hashes | ({"control": control.card.sha256} if control else {}),
        "seeds": plan.seeds,
        "metrics": list(plan.distortions),
        "set metrics": list(plan.set_metrics),
        "features": {extractor.name: extractor.sha256 for extractor, _ in plan.extractors},
        "reference": _REFERENCE.value,
    }


def run() -> None:
    """The console script."""
    program.run(main, __name__, USAGE, "evaluation", ("keras", "skimage", "tensorflow"))


if __name__ == "__main__":
    run()
