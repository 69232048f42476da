"""jpeg-gan-evaluate: measures models on a folder of photographs."""

import json
import pathlib
import sys

import tqdm
from absl import flags

from keras_jpeg_gan import program
from keras_jpeg_gan.data.degradation import SUBSAMPLING
from keras_jpeg_gan.data.sources import find_images
from keras_jpeg_gan.decoding.decoder import DEFAULT_MODEL, PROJECTIONS, Decoder
from keras_jpeg_gan.decoding.writer import write_atomically
from keras_jpeg_gan.errors import JpegGanError
from keras_jpeg_gan.evaluation import tables
from keras_jpeg_gan.evaluation.runner import LIBJPEG, Row, measure

USAGE = """jpeg-gan-evaluate --images=DIR [flags]

Compresses the photographs of a folder, restores them, and prints a table of means. With
--output=DIR also writes results.csv (a row an image), summary.json and table.md."""

_IMAGES = flags.DEFINE_string("images", None, "folder of original photographs, lossless")
_QUALITY = flags.DEFINE_list("quality", ["10", "20", "40"], "IJG qualities, 1 to 100")
_SAMPLING = flags.DEFINE_list("sampling", ["4:2:0"], f"of {', '.join(SUBSAMPLING)}")
_MODELS = flags.DEFINE_list(
    "models", [LIBJPEG, DEFAULT_MODEL], f"{LIBJPEG}, bundled names, or paths of weights"
)
_PROJECTION = flags.DEFINE_enum("projection", "exact", PROJECTIONS, "after the network")
_OUTPUT = flags.DEFINE_string("output", None, "folder for the results")


def main(arguments: list[str]) -> int:
    """Check what was given, measure, and write."""
    if arguments:
        raise program.UsageError(f"unexpected {arguments[0]!r}: give the folder by --images=DIR")
    if not _IMAGES.value:
        raise program.UsageError("give --images=DIR")
    qualities = [_quality(text) for text in _QUALITY.value]
    unknown = set(_SAMPLING.value) - set(SUBSAMPLING)
    if unknown:
        raise program.UsageError(f"--sampling={min(unknown)}: of {', '.join(SUBSAMPLING)}")
    paths = find_images(_IMAGES.value)
    decoders = {name: None if name == LIBJPEG else Decoder(name) for name in _MODELS.value}
    output = pathlib.Path(_OUTPUT.value) if _OUTPUT.value else None
    if output:
        output.mkdir(parents=True, exist_ok=True)
    rows: list[Row] = []
    failures = 0
    for path in tqdm.tqdm(paths, unit="image", disable=not sys.stderr.isatty()):
        try:
            rows += list(measure(path, qualities, _SAMPLING.value, decoders, _PROJECTION.value))
        except JpegGanError as error:
            failures += 1
            print(f"{path}: {error}", file=sys.stderr)
    summary = tables.summarize(rows)
    table = tables.to_markdown(summary)
    print(table + "\n" + tables.CONVENTIONS)
    if output:
        write_atomically(output / "results.csv", tables.to_csv(rows).encode())
        write_atomically(output / "summary.json", json.dumps(summary, indent=2).encode())
        write_atomically(output / "table.md", table.encode())
    return program.FAILED if failures else program.OK


def _quality(text: str) -> int:
    if not text.strip().isdigit() or not 1 <= int(text) <= 100:
        raise program.UsageError(f"--quality={text}: 1 to 100")
    return int(text)


def run() -> None:
    """The console script."""
    program.run(main, __name__, USAGE)


if __name__ == "__main__":
    run()
