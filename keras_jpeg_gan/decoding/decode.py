"""jpeg-gan-decode: restores JPEG files into images that recompress to the very same files."""

import contextlib
import dataclasses
import os
import pathlib
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from typing import Any, TextIO

from absl import flags, logging
from tqdm import tqdm

from keras_jpeg_gan import program
from keras_jpeg_gan.decoding import decoder as decoding
from keras_jpeg_gan.decoding import flags as shared
from keras_jpeg_gan.decoding import writer
from keras_jpeg_gan.decoding.inputs import MARK, SUFFIXES, Input, Inputs, find_inputs
from keras_jpeg_gan.decoding.outputs import Outputs
from keras_jpeg_gan.decoding.products import (
    FEWEST_FOR_DEVIATION,
    MAP,
    NUMBERS,
    DeviationMap,
    Products,
)
from keras_jpeg_gan.decoding.report import Report, describe, reason_of, shown
from keras_jpeg_gan.errors import ConfigError, ModelError
from keras_jpeg_gan.jpeg.limits import free_memory_mb

USAGE = f"""jpeg-gan-decode [flags] INPUT...

Restores JPEG files: photo.jpg becomes photo{MARK}.png, without JPEG's artefacts, and compressing
it again gives photo.jpg's very levels. INPUT is a file, a folder (all its {", ".join(SUFFIXES)} at
any depth), a quoted glob, or - for standard input.

Standard output has a line for each image. Exit status: 0 all restored or skipped, 1 some failed,
2 wrong usage, 130 interrupted."""

flags.adopt_module_key_flags(shared)

_OUTPUT = flags.DEFINE_string(
    "output",
    None,
    "a file for one input, a folder for several (which mirrors the inputs' tree), - for standard "
    "output; by default the image goes beside its input",
)
_SAMPLES = flags.DEFINE_integer("samples", 1, "how many samples", lower_bound=1)
_MEAN = flags.DEFINE_integer("mean", 0, "also write the mean of that many samples", lower_bound=0)
_DEVIATION = flags.DEFINE_bool(
    "deviation",
    False,
    "also write where samples differ, as a map and as 16-bit numbers (PNG, 1/256 grey level a "
    f"unit): those of --samples and --mean, or {FEWEST_FOR_DEVIATION}",
)
_BITS = flags.DEFINE_enum(
    "bits",
    "8",
    ["8", "16"],
    "16: the float projection to 1/257 grey level instead of the exact one, as PNG",
)
_ASSUME_QUALITY = flags.DEFINE_integer(
    "assume_quality",
    None,
    "restore PNG, WebP and JPEG files as if their damage were of this JPEG quality, whatever their "
    "own: nothing is projected or certified",
    lower_bound=1,
    upper_bound=100,
)
_THREADS = flags.DEFINE_integer("threads", None, "of the network; by default all", lower_bound=1)
_REPORT = flags.DEFINE_string("report", None, "append a JSON line for each image to this file")


def main(arguments: list[str]) -> int:
    """Restore what the arguments name, and return the exit status."""
    if not arguments:
        raise program.UsageError("give files, folders or -; --help says more")
    try:
        inputs = find_inputs(arguments, _ASSUME_QUALITY.value is not None)
        outputs = Outputs(inputs, _OUTPUT.value, shared.FORMAT.value)
        products = Products(_SAMPLES.value, _MEAN.value, _DEVIATION.value)
        if outputs.to_standard_output and len(products.names) > 1:
            raise ConfigError("--output=- takes one image: no --samples, --mean or --deviation")
        if _BITS.value == "16" and outputs.image_format != "png":
            raise ConfigError(f"--bits=16: as png, not {outputs.image_format}")
        if _BITS.value == "16" and (_MEAN.value or _DEVIATION.value):
            raise ConfigError("--bits=16: no --mean and --deviation")
        decoder = _decoder(products)
        report = Report(pathlib.Path(_REPORT.value) if _REPORT.value else None)
    except (ConfigError, ModelError) as error:
        raise program.UsageError(str(error)) from error
    with report:
        return _Run(decoder, products, outputs, report).over(inputs)


def _decoder(products: Products) -> decoding.Decoder:
    decoder = decoding.Decoder(
        shared.MODEL.value,
        shared.RUNTIME.value,
        _THREADS.value,
        shared.limits(free_memory_mb()),
    )
    if not decoder.card.draws_samples:
        reason = decoding.no_samples(decoder.card)
        if len(products.names) > 1:
            raise program.UsageError(f"--samples, --mean, --deviation: {reason}")
        if shared.TEMPERATURE.value != 1 or shared.SEED.value:
            _say_aside(f"--seed, --temperature: no effect, {reason}")
    return decoder


class _Run:
    """One pass over the inputs: what is done with each, said, reported and counted."""

    def __init__(
        self, decoder: decoding.Decoder, products: Products, outputs: Outputs, report: Report
    ) -> None:
        self._decoder = decoder
        self._products = products
        self._outputs = outputs
        self._report = report
        self._counts: Counter[str] = Counter()

    def over(self, inputs: Inputs) -> int:
        """Restore all, and return the exit status."""
        for name, reason in inputs.problems:
            self._failed(name, reason)
        with tqdm(inputs.files, unit="file", disable=None, leave=False) as progress:
            for item in progress:
                self._process(item)
        self._counts["passed over"] = inputs.passed_over
        done = ", ".join(f"{count} {what}" for what, count in self._counts.items() if count)
        if len(inputs.files) != 1 or inputs.problems:
            _say_aside(done)
        return program.FAILED if self._counts["failed"] else program.OK

    def _process(self, item: Input) -> None:
        started = time.perf_counter()
        file = None
        with self._failures_reported(item.name):
            missing = self._missing(item)
            if missing:
                file = self._decoder.read(
                    _content(item), shared.ALLOW_TRUNCATED.value, _ASSUME_QUALITY.value
                )
        if file is None:
            return
        seconds = {"read": time.perf_counter() - started}
        warnings: tuple[str, ...] = ()
        self._decoder.runtime  # noqa: B018  (loads it; a model that cannot be ends the run)
        with self._failures_reported(item.name):
            for name, made in self._products.make(
                self._decoder,
                file,
                missing,
                shared.SEED.value,
                **shared.options(),
                bits=int(_BITS.value),
            ):
                started = time.perf_counter()
                self._write(made, missing[name])
                if isinstance(made, decoding.Restored):
                    warnings = made.warnings
                    seconds |= made.seconds | {"write": time.perf_counter() - started}
                    made = dataclasses.replace(made, seconds=seconds)
                    seconds = {}
                self._say_made(item, name, made, missing[name])
            for warning in warnings:
                _say_aside(f"{shown(item.name)}: warning: {warning}")
            self._counts["restored"] += 1

    def _missing(self, item: Input) -> dict[str, pathlib.Path | None]:
        """Where those of the input's products go that are not there yet, by name."""
        missing = {}
        for name in self._products.names:
            suffix = ".png" if name in (MAP, NUMBERS) else None
            path = self._outputs.of(item, name, suffix)
            if path is None or not self._is_finished(path):
                missing[name] = path
            else:
                self._report.add(item.name, "skipped", {"output": str(path)})
        if not missing:
            self._counts["skipped"] += 1
        return missing

    def _is_finished(self, path: pathlib.Path) -> bool:
        if not os.path.lexists(path):
            return False
        if path.is_dir():
            raise ConfigError(f"its output {path} is a folder")
        return not shared.OVERWRITE.value

    def _write(self, made: decoding.Restored | DeviationMap, path: pathlib.Path | None) -> None:
        keep_metadata = shared.METADATA.value == "keep"
        if isinstance(made, DeviationMap):
            content = made.encoded(keep_metadata)
        else:
            content = made.encoded(self._outputs.image_format, keep_metadata)
        if path is None:
            with _standard_output() as stream:
                stream.buffer.write(content)
                stream.buffer.flush()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            writer.write_atomically(path, content)

    def _say_made(
        self,
        item: Input,
        name: str,
        made: decoding.Restored | DeviationMap,
        path: pathlib.Path | None,
    ) -> None:
        which = f" ({name})" if name else ""
        line = f"{shown(item.name)}{which}: {made.summary}"
        output = None if path is None else str(path)
        self._report.add(item.name, "restored", {"output": output, **describe(made)})
        if path is None:
            _say_aside(line)
        else:
            _say(line)

    @contextlib.contextmanager
    def _failures_reported(self, name: str) -> Iterator[None]:
        """One file's failure, whatever it is, does not end the run."""
        try:
            yield
        except (BrokenPipeError, program.RunError):
            raise
        except Exception as error:
            self._failed(name, reason_of(error), error)

    def _failed(self, name: str, reason: str, error: Exception | None = None) -> None:
        if error is not None and logging.get_verbosity() >= logging.DEBUG:
            _say_aside("".join(traceback.format_exception(error)))
        reason = shown(" ".join(reason.split()))
        self._counts["failed"] += 1
        _say_aside(f"{shown(name)}: {reason}")
        self._report.add(name, "failed", {"reason": reason})


def _content(item: Input) -> Any:
    """What `Decoder.read` takes: a path, or the bytes of standard input up to the limit."""
    if item.path is not None:
        return item.path
    if sys.stdin is None:
        raise program.RunError("standard input is closed")
    return sys.stdin.buffer.read(int(shared.limits().max_file_mb * 1_000_000) + 1)


def _say(line: str) -> None:
    """A line on standard output, clear of the progress bar."""
    with _standard_output() as stream:
        tqdm.write(line, file=stream)
        stream.flush()


@contextlib.contextmanager
def _standard_output() -> Iterator[TextIO]:
    """Standard output, whose failure is no file's."""
    if sys.stdout is None:
        raise program.RunError("standard output is closed")
    try:
        yield sys.stdout
    except BrokenPipeError:
        raise
    except OSError as error:
        raise program.RunError(f"standard output: {error.strerror}") from error


def _say_aside(line: str) -> None:
    """A line on standard error, clear of the progress bar."""
    tqdm.write(line, file=sys.stderr)


def run() -> None:
    """The console script."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")  # any file name can be said
    try:
        program.run(main, __name__, USAGE)
    except BrokenPipeError:  # whoever read the lines has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.exit(program.FAILED)


if __name__ == "__main__":
    run()
