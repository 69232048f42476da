"""How many training examples per second the data pipeline makes, by source."""

import os
import time
from collections.abc import Iterator

from absl import flags

from keras_jpeg_gan import program
from keras_jpeg_gan.data.catalog import open_source
from keras_jpeg_gan.data.degradation import SkewedQualities
from keras_jpeg_gan.data.examples import PatchDistribution, stream
from keras_jpeg_gan.jpeg.sampling import Sampling

USAGE = """python benchmarks/data.py --sources=PLACE,... [flags]

Draws, compresses and decodes patches from folders of images, packed caches or tfds:NAME, with
tf.data and with threads alone, and prints a table of rates. The wall-clock rate depends on what
else the machine is doing; CPU time does not."""

_SOURCES = flags.DEFINE_list("sources", None, "as config.images in training")
_CORES = flags.DEFINE_integer("cores", 2, "number of processor cores to use", 1)
_PATCH = flags.DEFINE_integer("patch", 128, "side of a patch", 8)
_BATCH = flags.DEFINE_integer("batch", 32, "patches per batch", 1)
_SECONDS = flags.DEFINE_float("seconds", 5.0, "how long to measure each", 0.1)
_CACHE_MB = flags.DEFINE_float("cache_mb", 0.0, "cache for decoded images; 0 reads each again", 0.0)

_SAMPLING = {
    Sampling.parse(name): weight
    for name, weight in {"4:2:0": 0.7, "4:2:2": 0.1, "4:4:4": 0.2}.items()
}


def main(arguments: list[str]) -> int:
    """Check the flags, and measure."""
    if arguments or not _SOURCES.value:
        raise program.UsageError("give --sources=PLACE,... and flags only")
    sources = {place: open_source(place, _CACHE_MB.value) for place in _SOURCES.value}
    patches = PatchDistribution(_PATCH.value, 2.5, SkewedQualities(5, 95), _SAMPLING)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: _CORES.value])
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from keras_jpeg_gan.data.pipeline import batches  # TensorFlow counts the usable cores at import

    print(f"{_PATCH.value} x {_PATCH.value}, batches of {_BATCH.value}, {_CORES.value} cores\n")
    print(
        "| source | made by | patches per second | CPU ms per patch |\n| --- | --- | ---: | ---: |"
    )
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
    """Patches per second of wall-clock time, and CPU seconds per patch."""
    for _ in range(3):
        next(made)
    count, clock, cpu = 0, time.perf_counter(), time.process_time()
    while time.perf_counter() - clock < _SECONDS.value:
        next(made)
        count += _BATCH.value
    return count / (time.perf_counter() - clock), (time.process_time() - cpu) / count


if __name__ == "__main__":
    program.run(main, __name__, USAGE)
