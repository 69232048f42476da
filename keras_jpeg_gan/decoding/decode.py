"""jpeg-gan-decode: restores JPEG files into images that recompress to the very same files."""

import contextlib
import dataclasses
import pathlib
import sys
import traceback
from collections import Counter

from absl import flags, logging
from tqdm import tqdm

import keras_jpeg_gan
from keras_jpeg_gan import program
from keras_jpeg_gan.decoding import flags as shared
from keras_jpeg_gan.decoding.decoder import Decoder, no_samples
from keras_jpeg_gan.decoding.files.comparison import Comparison
from keras_jpeg_gan.decoding.files.inputs import MARK, SUFFIXES, Inputs, find_inputs
from keras_jpeg_gan.decoding.files.outputs import Outputs, standard_output
from keras_jpeg_gan.decoding.files.products import FEWEST_FOR_DEVIATION, Products
from keras_jpeg_gan.decoding.files.progress import Progress
from keras_jpeg_gan.decoding.files.report import Report, shown
from keras_jpeg_gan.decoding.files.run import Done, Event, Failed, Made, Run, Skipped, Warned
from keras_jpeg_gan.decoding.memory import free_memory_mb
from keras_jpeg_gan.decoding.options import DEFAULTS, RestoreOptions
from keras_jpeg_gan.errors import ConfigError, ModelError
from keras_jpeg_gan.system import STANDARD_ERROR_LOCK

USAGE = f"""jpeg-gan-decode [flags] INPUT...

Restores JPEG files: photo.jpg becomes photo{MARK}.png, without JPEG's artefacts, and compressing
that again gives the very levels of photo.jpg. INPUT is a file, a folder (all its
{", ".join(SUFFIXES)} files, at any depth), a quoted glob, or - for standard input. PNG and WebP
files that were JPEG files once are restored too; those of folders, if --earlier_save is given.

Standard output has a line for each image. Exit status: 0 all restored or skipped, 1 some failed,
2 wrong usage, 130 interrupted."""

flags.adopt_module_key_flags(shared)

_OUTPUT = flags.DEFINE_string(
    "output",
    None,
    "a file for one input, a folder for several (where the inputs' tree is mirrored), or - for "
    "standard output; by default each image goes beside its input",
)
_SAMPLES = flags.DEFINE_integer("samples", 1, "how many samples to write", lower_bound=1)
_MEAN = flags.DEFINE_integer("mean", 0, "also write the mean of this many samples", lower_bound=0)
_DEVIATION = flags.DEFINE_bool(
    "deviation",
    False,
    "also write by how much samples differ, as a map and as 16-bit numbers (PNG, in units of 1/256 "
    f"grey level): the samples of --samples and --mean, or {FEWEST_FOR_DEVIATION}",
)
_BITS = flags.DEFINE_enum(
    "bits",
    "8",
    ["8", "16"],
    "16: the float projection, in units of 1/257 grey level, instead of the exact one; only as PNG",
)
_THREADS = flags.DEFINE_integer(
    "threads",
    None,
    "of the network, and the most files to restore at once; by default all",
    lower_bound=1,
)
_REPORT = flags.DEFINE_string("report", None, "append a line of JSON for each image to this file")

_COMPARE = flags.DEFINE_string(
    "compare",
    None,
    "a folder for a page that shows each file before and after, with its certificate and warnings",
)


def main(arguments: list[str]) -> int:
    """Restore what the arguments name, and return the exit status."""
    if not arguments:
        raise program.UsageError("give files, folders or -; --help says more")
    try:
        inputs = find_inputs(arguments, pictures=shared.takes_pictures())
        outputs = Outputs(inputs, _OUTPUT.value, shared.FORMAT.value)
        products = Products(_SAMPLES.value, _MEAN.value, _DEVIATION.value)
        options = dataclasses.replace(shared.options(), bits=int(_BITS.value))
        _check(outputs, products, options)
        this_run = Run(
            decoder=_decoder(products),
            products=products,
            outputs=outputs,
            seed=shared.SEED.value,
            options=options,
            keep_metadata=shared.METADATA.value == "keep",
            overwrite=shared.OVERWRITE.value,
            threads=_THREADS.value,
            pictures=bool(_COMPARE.value),
        )
        report = Report(pathlib.Path(_REPORT.value) if _REPORT.value else None)
        page = Comparison(
            pathlib.Path(_COMPARE.value) if _COMPARE.value else None, _about(this_run)
        )
    except (ConfigError, ModelError) as error:
        raise program.UsageError(str(error)) from error
    tqdm.set_lock(STANDARD_ERROR_LOCK)  # so that our words are not taken for libjpeg's
    with report, page:
        status = _restore(inputs, this_run, report, page)
    if page.path is not None:
        _say_aside(f"before and after: {shown(str(page.path))}")
    return status


def _check(outputs: Outputs, products: Products, options: RestoreOptions) -> None:
    """Refuse flags that contradict each other.

    Raises:
        ConfigError: they do.
    """
    if outputs.to_standard_output and len(products.names) > 1:
        raise ConfigError("--output=- takes one image: no --samples, --mean or --deviation")
    if options.bits == 16 and outputs.image_format != "png":
        raise ConfigError(f"--bits=16: as png, not {outputs.image_format}")
    if options.bits == 16 and (products.mean or products.deviation):
        raise ConfigError("--bits=16: no --mean and --deviation")


def _decoder(products: Products) -> Decoder:
    decoder = Decoder(
        shared.MODEL.value,
        shared.RUNTIME.value,
        _THREADS.value,
        shared.limits(free_memory_mb()),
    )
    if not decoder.card.draws_samples:
        reason = no_samples(decoder.card)
        if len(products.names) > 1:
            raise program.UsageError(f"--samples, --mean, --deviation: {reason}")
        if shared.TEMPERATURE.value != 1 or shared.SEED.value:
            _say_aside(f"--seed, --temperature: no effect, {reason}")
    return decoder


def _about(this_run: Run) -> str:
    """What makes the images, in a line."""
    card, options = this_run.decoder.card, dataclasses.asdict(this_run.options)
    changed = {k: v for k, v in options.items() if v != getattr(DEFAULTS, k)}
    settings = {"seed": this_run.seed, **changed} if card.draws_samples else changed
    said = "".join(f", {name} {value}" for name, value in settings.items())
    return f"keras-jpeg-gan {keras_jpeg_gan.__version__}, model {card.name}{said}"


def _restore(inputs: Inputs, this_run: Run, report: Report, page: Comparison) -> int:
    """Restore the inputs, say, report, show and count what happens, and return the exit status."""
    counts: Counter[str] = Counter()
    files = len(inputs.files)
    with contextlib.closing(Progress()) as progress:
        for name, reason in inputs.problems:
            _tell(Failed(name, reason), report, page, counts)
        if files > 1:
            progress.describe(f"0 of {files} files ")
        with contextlib.closing(this_run.over(inputs.files, progress)) as events:
            ended = 0
            for event in events:
                _tell(event, report, page, counts)
                if isinstance(event, (Done, Failed)) and files > 1:
                    ended += 1
                    progress.describe(f"{ended} of {files} files ")
    counts["passed over"] = inputs.passed_over
    if files != 1 or inputs.problems:
        _say_aside(", ".join(f"{count} {what}" for what, count in counts.items() if count))
    return program.FAILED if counts["failed"] else program.OK


def _tell(event: Event, report: Report, page: Comparison, counts: Counter[str]) -> None:
    """Turn an event into a line, a record of the report, a part of the page, and a count."""
    page.add(event)
    name = shown(event.input)
    match event:
        case Made():
            output = None if event.output is None else str(event.output)
            report.add(event.input, "restored", {"output": output, **event.details})
            product = f" ({event.product})" if event.product else ""
            say = _say_aside if event.output is None else _say
            say(f"{name}{product}: {event.summary}")
        case Skipped():
            report.add(event.input, "skipped", {"output": str(event.output)})
            doubt = f" ({event.doubt}; --overwrite replaces it)" if event.doubt else ""
            _say_aside(f"{name}: skipped, {shown(str(event.output))} exists{doubt}")
        case Warned():
            _say_aside(f"{name}: warning: {event.warning}")
        case Done():
            counts["restored" if event.restored else "skipped"] += 1
        case Failed():
            counts["failed"] += 1
            if event.error is not None and logging.get_verbosity() >= logging.DEBUG:
                _say_aside("".join(traceback.format_exception(event.error)))
            reason = shown(" ".join(event.reason.split()))
            _say_aside(f"{name}: {reason}")
            report.add(event.input, "failed", {"reason": reason})


def _say(line: str) -> None:
    """Write a line to standard output, clear of the progress bar."""
    with standard_output() as stream:
        tqdm.write(line, file=stream)
        stream.flush()


def _say_aside(line: str) -> None:
    """Write a line to standard error, clear of the progress bar."""
    tqdm.write(line, file=sys.stderr)


def run() -> None:
    """The console script."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")  # so that any file name can be printed
    program.run(main, __name__, USAGE)


if __name__ == "__main__":
    run()
