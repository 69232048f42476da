"""jpeg-gan-decode: restores JPEG files into images that recompress to the very same files."""

import contextlib
import dataclasses
import functools
import math
import os
import pathlib
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, TextIO

from absl import flags, logging
from tqdm import tqdm

from keras_jpeg_gan import program
from keras_jpeg_gan.decoding import decoder as decoding
from keras_jpeg_gan.decoding import flags as shared
from keras_jpeg_gan.decoding.ahead import in_order
from keras_jpeg_gan.decoding.inputs import MARK, SUFFIXES, Input, Inputs, find_inputs, size_of
from keras_jpeg_gan.decoding.memory import free_memory_mb, room_mb, together_mb
from keras_jpeg_gan.decoding.outputs import Outputs
from keras_jpeg_gan.decoding.products import (
    FEWEST_FOR_DEVIATION,
    MAP,
    NUMBERS,
    DeviationMap,
    Products,
)
from keras_jpeg_gan.decoding.progress import Progress, Share
from keras_jpeg_gan.decoding.report import Report, describe, reason_of, shown
from keras_jpeg_gan.errors import ConfigError, ModelError
from keras_jpeg_gan.jpeg.file import JpegFile
from keras_jpeg_gan.system import STANDARD_ERROR_LOCK, one_blas_thread, write_atomically

USAGE = f"""jpeg-gan-decode [flags] INPUT...

Restores JPEG files: photo.jpg becomes photo{MARK}.png, without JPEG's artefacts, and compressing
it again gives photo.jpg's very levels. INPUT is a file, a folder (all its {", ".join(SUFFIXES)} at
any depth), a quoted glob, or - for standard input.

Standard output has a line for each image. Exit status: 0 all restored or skipped, 1 some failed,
2 wrong usage, 130 interrupted."""

# While one file is in the network the others are read, projected or written. More hold each
# other up; of larger ones nobody would wait for the end after Ctrl-C.
_FILES_AT_WORK = 3
_MOST_PIXELS_BESIDE_OTHERS = 32_000_000

# What is to be said, reported or counted of an input, in the order of the inputs.
_Word = Callable[[], None]

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
_THREADS = flags.DEFINE_integer(
    "threads",
    None,
    "of the network, and the most files at work at once; by default all",
    lower_bound=1,
)
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
    tqdm.set_lock(STANDARD_ERROR_LOCK)  # no word of ours is taken for libjpeg's
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
        self._progress = Progress()

    def over(self, inputs: Inputs) -> int:
        """Restore all, and return the exit status."""
        for name, reason in inputs.problems:
            self._failed(name, reason)
        with (
            contextlib.closing(self._progress),
            # Threads that set and reset it one by one would leave it as it should not be.
            one_blas_thread(),
            contextlib.closing(
                in_order(
                    self._tasks(inputs.files),
                    room_mb(self._decoder.limits),
                    min(_FILES_AT_WORK, _THREADS.value or len(os.sched_getaffinity(0))),
                    self._progress.stopped,
                )
            ) as words,
        ):
            for say in words:
                say()
        self._counts["passed over"] = inputs.passed_over
        done = ", ".join(f"{count} {what}" for what, count in self._counts.items() if count)
        if len(inputs.files) != 1 or inputs.problems:
            _say_aside(done)
        return program.FAILED if self._counts["failed"] else program.OK

    def _tasks(self, items: list[Input]) -> Iterator[tuple[float, Iterator[_Word]]]:
        """What each input takes of the memory, in MB, and the steps of its restoration."""
        images = self._products.drawn(self._products.names)
        sizes = [size_of(item, self._decoder.limits) for item in items]
        shares = [Share(self._progress, math.prod(size) * images) for size in sizes]
        for number, (item, size, share) in enumerate(zip(items, sizes, shares, strict=True)):
            words: list[_Word] = []
            missing: dict[str, pathlib.Path | None] = {}
            with self._failures_told(item.name, words):
                missing = self._missing(item, words)
            if len(items) > 1:
                words.append(
                    functools.partial(self._progress.describe, f"{number} of {len(items)} files ")
                )
            memory = self._memory_mb(*size) if missing else 0.0
            yield memory, self._process(item, share, missing, words)

    def _memory_mb(self, height: int, width: int) -> float:
        """What a file takes beside others; infinite where it is to be alone."""
        sums = self._products.mean or self._products.deviation
        if sums or not 0 < height * width <= _MOST_PIXELS_BESIDE_OTHERS:
            return math.inf
        return together_mb(height, width, self._decoder.limits)

    def _process(
        self,
        item: Input,
        share: Share,
        missing: dict[str, pathlib.Path | None],
        words: list[_Word],
    ) -> Iterator[_Word]:
        """Restore an input, in any thread, after these words of it."""
        yield from words
        started = time.perf_counter()
        file: JpegFile | None = None
        failures: list[_Word] = []
        with self._failures_told(item.name, failures):
            if missing:
                file = self._decoder.read(
                    _content(item), shared.ALLOW_TRUNCATED.value, _ASSUME_QUALITY.value
                )
        seconds = {"read": time.perf_counter() - started}
        if file is not None:
            self._decoder.runtime  # noqa: B018  (loads it; a model that cannot be ends the run)
            share.begin(file.width * file.height, self._products.drawn(missing))
            with self._failures_told(item.name, failures):
                yield from self._restore(item, file, share, missing, seconds)
        share.end(restored=file is not None and not failures)
        yield from failures

    def _restore(
        self,
        item: Input,
        file: JpegFile,
        share: Share,
        missing: dict[str, pathlib.Path | None],
        seconds: dict[str, float],
    ) -> Iterator[_Word]:
        warnings: tuple[str, ...] = ()
        for name, made in self._products.make(
            self._decoder,
            file,
            missing,
            shared.SEED.value,
            **shared.options(),
            bits=int(_BITS.value),
            progress=share.add,
        ):
            share.check()
            started = time.perf_counter()
            self._write(made, missing[name])
            if isinstance(made, decoding.Restored):
                warnings = made.warnings
                seconds |= made.seconds | {"write": time.perf_counter() - started}
                made = dataclasses.replace(made, seconds=seconds)
                seconds = {}
            # What is told of it, not the image: it may wait for its turn.
            yield functools.partial(
                self._say_made, item, name, made.summary, describe(made), missing[name]
            )
        for warning in warnings:
            yield functools.partial(_say_aside, f"{shown(item.name)}: warning: {warning}")
        yield functools.partial(self._count, "restored")

    def _missing(self, item: Input, words: list[_Word]) -> dict[str, pathlib.Path | None]:
        """Where those of the input's products go that are not there yet, by name.

        What is to be told of the others is added to the words.
        """
        missing = {}
        for name in self._products.names:
            suffix = ".png" if name in (MAP, NUMBERS) else None
            path = self._outputs.of(item, name, suffix)
            if path is None or not self._is_finished(path):
                missing[name] = path
            else:
                skipped = {"output": str(path)}
                words.append(functools.partial(self._report.add, item.name, "skipped", skipped))
        if not missing:
            words.append(functools.partial(self._count, "skipped"))
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
            write_atomically(path, content)

    def _say_made(
        self,
        item: Input,
        name: str,
        summary: str,
        details: dict[str, Any],
        path: pathlib.Path | None,
    ) -> None:
        which = f" ({name})" if name else ""
        line = f"{shown(item.name)}{which}: {summary}"
        output = None if path is None else str(path)
        self._report.add(item.name, "restored", {"output": output, **details})
        if path is None:
            _say_aside(line)
        else:
            _say(line)

    @contextlib.contextmanager
    def _failures_told(self, name: str, words: list[_Word]) -> Iterator[None]:
        """One file's failure, whatever it is, is told and does not end the run."""
        try:
            yield
        except (BrokenPipeError, program.RunError):
            raise
        except Exception as error:
            words.append(functools.partial(self._failed, name, reason_of(error), error))

    def _count(self, what: str) -> None:
        self._counts[what] += 1

    def _failed(self, name: str, reason: str, error: Exception | None = None) -> None:
        if error is not None and logging.get_verbosity() >= logging.DEBUG:
            _say_aside("".join(traceback.format_exception(error)))
        reason = shown(" ".join(reason.split()))
        self._count("failed")
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
