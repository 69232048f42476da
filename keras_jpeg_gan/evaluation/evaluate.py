"""jpeg-gan-evaluate: measures models and other programs on photographs."""

import dataclasses
import json
import pathlib
from collections.abc import Sequence
from typing import Any

from absl import flags

from keras_jpeg_gan import program
from keras_jpeg_gan.data.sources import NamedSource, Selection
from keras_jpeg_gan.decoding.decoder import DEFAULT_MODEL, Decoder
from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.evaluation import contenders, protocols, references, runner, tables, versions
from keras_jpeg_gan.evaluation.cases import Case
from keras_jpeg_gan.evaluation.contenders import LIBJPEG, Contender, Method
from keras_jpeg_gan.evaluation.measures import DISTORTIONS
from keras_jpeg_gan.evaluation.originals import open_originals
from keras_jpeg_gan.evaluation.progress import Progress
from keras_jpeg_gan.jpeg.sampling import PILLOW_COLOR
from keras_jpeg_gan.metrics.extractors import FeatureExtractor, open_features
from keras_jpeg_gan.system import import_tensorflow, write_atomically

USAGE = """jpeg-gan-evaluate --images=DIR [flags]

Compresses photographs, restores them, and prints a table of means. With --output=DIR it also
writes results.csv (a row an image), summary.json, table.md and settings.json (flags, versions,
hashes of weights) there, and takes an interrupted evaluation up where it stopped."""

_SAMPLINGS = {sampling.name: sampling for sampling in PILLOW_COLOR}

_IMAGES = flags.DEFINE_string("images", None, "folder of original photographs, lossless")
_DATASET = flags.DEFINE_string("dataset", None, "in its place: NAME or NAME:SPLIT of TFDS")
_LIST = flags.DEFINE_string("list", None, "file of image names, one a line: only these")
_QUALITY = flags.DEFINE_list("quality", ["10", "20", "40"], "IJG qualities, 1 to 100")
_SAMPLING = flags.DEFINE_list("sampling", ["4:2:0"], f"of {', '.join(_SAMPLINGS)}")
_MODELS = flags.DEFINE_list(
    "models",
    [LIBJPEG, DEFAULT_MODEL],
    f"{LIBJPEG}, bundled names, paths of weights, or NAME=path",
)
_METHODS = flags.DEFINE_list(
    "methods",
    ["exact"],
    "sample, float, exact (no, float, exact projection), mean:N, mean:N:sample (of N samples with "
    "exact and without projection), control (regression plus noise of the sample's squared error)",
)
_REGRESSION = flags.DEFINE_string("regression", "regression", "the model that control is made of")
_SEEDS = flags.DEFINE_integer("seeds", 1, "samples of each file; their spread is shown", 1)
_PEERS = flags.DEFINE_multi_string(
    "peers", [], "another program, as COMMAND or NAME=COMMAND with {input} and {output}; repeatable"
)
_METRICS = flags.DEFINE_list("metrics", ["psnr", "ssim"], f"of {', '.join(DISTORTIONS)}")
_FEATURES = flags.DEFINE_list(
    "features",
    [],
    "feature networks: weights as .npz (with LPIPS' layers: LPIPS too), TTUR's Inception graph as "
    ".pb, or keras-inception",
)
_REFERENCE = flags.DEFINE_string(
    "reference", None, "folder whose images the features are compared with; else the originals"
)
_CACHE = flags.DEFINE_string("cache", None, "folder for the references' statistics")
_PROTOCOL = flags.DEFINE_enum(
    "protocol",
    None,
    ["table2", *protocols.PROTOCOLS],
    "settings of an experiment of the paper (double: of FBCNN's kind); flags that are given win",
)
_OUTPUT = flags.DEFINE_string("output", None, "folder for the results")


def main(arguments: list[str]) -> int:
    """Check what was given, measure, and write."""
    if arguments:
        raise program.UsageError(f"unexpected {arguments[0]!r}: give the folder by --images=DIR")
    if bool(_IMAGES.value) == bool(_DATASET.value):
        raise program.UsageError("give --images=DIR or --dataset=NAME")
    protocol = protocols.PROTOCOLS.get(_PROTOCOL.value or "")
    cases = _cases(protocol)
    methods = [_method(text) for text in _given(_METHODS, protocol, "methods")]
    distortions = _chosen(_METRICS, DISTORTIONS, _given(_METRICS, protocol, "distortions"))
    seeds = _given(_SEEDS, protocol, "seeds")
    peers = [_peer(command) for command in _PEERS.value]
    if _FEATURES.value or _DATASET.value or _PROTOCOL.value == "table2":
        import_tensorflow()
    source = _source()
    if _PROTOCOL.value == "table2":
        print(protocols.rounding(source))
        return program.OK
    models = dict(_named(text) for text in _MODELS.value)
    decoders = {name: Decoder(path) for name, path in models.items() if name != LIBJPEG}
    control = Decoder(_REGRESSION.value) if any(method.control for method in methods) else None
    extractors = [open_features(path) for path in _FEATURES.value]
    output = _folder(_OUTPUT.value) if _OUTPUT.value else None
    plan = runner.Plan(
        cases=cases,
        contenders=[*_contenders(models, decoders, methods, control), *peers],
        seeds=seeds,
        distortions=distortions,
        extractors=_with_references(extractors, source),
        lpips_network=next((e.network for e in extractors if _has_lpips(e)), None),
    )
    settings = _settings(plan, models, decoders, control, len(source))
    progress = Progress.load(output, settings, plan.extractor_of) if output else Progress(settings)
    runner.run(source, plan, progress, output)
    if not progress.rows:
        raise ConfigError("no image could be measured")
    _tell(progress, output, protocol)
    return program.FAILED if progress.failures else program.OK


def _tell(
    progress: Progress, output: pathlib.Path | None, protocol: protocols.Protocol | None
) -> None:
    """Print the tables, and write all there is."""
    summary = tables.summarize(progress.rows, progress.scores)
    table = tables.to_markdown(summary)
    print(f"{table}\n{tables.CONVENTIONS}")
    if protocol:
        said = protocols.report(protocol, summary)
        print(f"\n{protocol.title}\n\n{said}")
        if protocol.wants and not (_FEATURES.value and (_REFERENCE.value or _LIST.value)):
            print(f"As in the paper only with {protocol.wants}.")
        table += f"\n{protocol.title}\n\n{said}"
    if output:
        about = {"settings": progress.settings, "versions": versions.versions()}
        contents = {
            "results.csv": tables.to_csv(progress.rows),
            "summary.json": json.dumps({"lines": summary, "failures": progress.failures}, indent=2),
            "settings.json": json.dumps(about, indent=2),
            "table.md": table,
        }
        for name, content in contents.items():
            write_atomically(output / name, content.encode())


def _given(flag: flags.FlagHolder, protocol: protocols.Protocol | None, field: str) -> Any:
    """What the user gave, or the protocol's, or the default."""
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


def _method(text: str) -> Method:
    try:
        return Method.parse(text)
    except ConfigError as error:
        raise program.UsageError(f"--methods: {error}") from error


def _peer(command: str) -> contenders.Peer:
    try:
        return contenders.Peer(command)
    except (ConfigError, ValueError) as error:
        raise program.UsageError(f"--peers: {error}") from error


def _named(text: str) -> tuple[str, str]:
    """Of NAME=path, or a name or path that is its own name."""
    name, equals, path = text.partition("=")
    return (name, path) if equals else (text, text)


def _place() -> str:
    """Where the originals are, as `open_originals` takes it."""
    name, _, split = (_DATASET.value or "").partition(":")
    return _IMAGES.value or f"tfds:{name}:{split or 'test'}"


def _source() -> NamedSource:
    """The originals, each read when it is wanted."""
    source = open_originals(_place())
    if not _LIST.value:
        return source
    try:
        wanted = pathlib.Path(_LIST.value).read_text().split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"--list={_LIST.value}: cannot be read ({error})") from error
    index = {name: i for i, name in enumerate(source.names)}
    names = [name.strip() for name in wanted if name.strip()]
    missing = [name for name in names if name not in index]
    if missing or not names:
        raise ConfigError(f"--list={_LIST.value}: {missing[0] if missing else 'nothing'} there")
    return Selection(source, [index[name] for name in names])


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
    methods: Sequence[Method],
    control: Decoder | None,
) -> list[Contender]:
    """Each model with each method that it has: a regression no mean of samples, no control."""
    found: list[Contender] = []
    for name in models:
        if name == LIBJPEG:
            found.append(contenders.Libjpeg())
            continue
        decoder = decoders[name]
        for method in methods:
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


def _with_references(extractors: Sequence[FeatureExtractor], source: NamedSource) -> list[Any]:
    if not extractors:
        return []
    images = open_originals(_REFERENCE.value) if _REFERENCE.value else source
    cache = pathlib.Path(_CACHE.value) if _CACHE.value else references.default_cache()
    return [(e, references.reference(images, e, cache)) for e in extractors]


def _has_lpips(extractor: FeatureExtractor) -> bool:
    return getattr(extractor.network, "linear", None) is not None


def _settings(
    plan: runner.Plan,
    models: dict[str, str],
    decoders: dict[str, Decoder],
    control: Decoder | None,
    images: int,
) -> dict[str, Any]:
    """All that the results depend on, as JSON can hold it."""
    hashes = {name: decoder.card.sha256 for name, decoder in decoders.items()}
    return {
        "images": _place(),
        "list": _LIST.value,
        "number of images": images,
        "cases": [case.fields for case in plan.cases],
        "contenders": [[c.model, c.method] for c in plan.contenders],
        "peers": _PEERS.value,
        "models": {name: models[name] for name in decoders},
        "weights": hashes | ({"control": control.card.sha256} if control else {}),
        "seeds": plan.seeds,
        "metrics": list(plan.distortions),
        "features": {extractor.name: extractor.sha256 for extractor, _ in plan.extractors},
        "reference": _REFERENCE.value,
    }


def run() -> None:
    """The console script."""
    program.run(main, __name__, USAGE, "evaluation", ("keras", "skimage", "tensorflow"))


if __name__ == "__main__":
    run()
