"""How many training examples a second the data pipeline makes, by source."""

import os
import time
from collections.abc import Iterator

from absl import flags

from keras_jpeg_gan import program
from keras_jpeg_gan.data.catalog import open_source
from keras_jpeg_gan.data.degradation import SkewedQualities
from keras_jpeg_gan.data.examples import PatchDistribution, stream

USAGE = """python benchmarks/data.py --sources=PLACE,... [flags]

Draws, compresses and decodes patches from folders of images, packed caches or tfds:NAME, with
tf.data and with threads alone, and prints a table of rates. CPU time does not depend on what
else the machine does; the rate by the clock does."""

_SOURCES = flags.DEFINE_list("sources", None, "as a training's config.images")
_CORES = flags.DEFINE_integer("cores", 2, "how many processor cores may be used", 1)
_PATCH = flags.DEFINE_integer("patch", 128, "side of a patch", 8)
_BATCH = flags.DEFINE_integer("batch", 32, "patches of a batch", 1)
_SECONDS = flags.DEFINE_float("seconds", 5.0, "how long each is measured", 0.1)
_CACHE_MB = flags.DEFINE_float("cache_mb", 0.0, "decoded images kept; 0 reads each anew", 0.0)

_SAMPLING = {"4:2:0": 0.7, "4:2:2": 0.1, "4:4:4": 0.2}


def main(arguments: list[str]) -> int:
    """Check what was given, and measure."""
    if arguments or not _SOURCES.value:
        raise program.UsageError("give --sources=PLACE,... and nothing beside flags")
    sources = {place: open_source(place, _CACHE_MB.value) for place in _SOURCES.value}
    patches = PatchDistribution(_PATCH.value, 2.5, SkewedQualities(5, 95), _SAMPLING)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: _CORES.value])
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from keras_jpeg_gan.data.pipeline import batches  # TensorFlow counts the cores that it may use

    print(f"{_PATCH.value} x {_PATCH.value}, batches of {_BATCH.value}, {_CORES.value} cores\n")
    print("| source | made by | patches a second | ms of CPU each |\n| --- | --- | ---: | ---: |")
    for place, source in sources.items():
        made = {
            "tf.data": iter(batches(source, patches, 0, _BATCH.value)),
            "threads": stream(source, patches, 0, _BATCH.value, threads=_CORES.value),
        }
        for name, batches_made in made.items():
            rate, cpu = _measured(batches_made)
            print(f"| {place} | {name} | {rate:.0f} | {1000 * cpu:.2f} |", flush=True)
    return program.OK


def _measured(made: Iterator) -> tuple[float, float]:
    """Patches a second by the clock, and seconds of CPU for each."""
    for _ in range(3):
        next(made)
    count, clock, cpu = 0, time.perf_counter(), time.process_time()
    while time.perf_counter() - clock < _SECONDS.value:
        next(made)
        count += _BATCH.value
    return count / (time.perf_counter() - clock), (time.process_time() - cpu) / count


if __name__ == "__main__":
    program.run(main, __name__, USAGE)
