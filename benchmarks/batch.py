"""What jpeg-gan-batch costs a file beside the decoder's own work, and its driver's memory."""

import io
import pathlib
import subprocess
import sys
import time

import numpy as np
import psutil
import pyarrow.dataset
from absl import flags
from PIL import Image

from keras_jpeg_gan import program

USAGE = """python benchmarks/batch.py --folder=FOLDER [flags] [-- flags of jpeg-gan-batch]

Fills FOLDER/in with small JPEGs, unless it is there, restores them into FOLDER/out with
jpeg-gan-batch, and prints the time beside the decoder's own, and the driver's memory."""

_FOLDER = flags.DEFINE_string("folder", None, "where to work; its out should not be there yet")
_COUNT = flags.DEFINE_integer("count", 100_000, "how many files", 1)
_SIDE = flags.DEFINE_integer("side", 64, "pixels of a side", 8)
_WORKERS = flags.DEFINE_integer("workers", 2, "how many workers", 1)


def main(arguments: list[str]) -> int:
    """Make the files, restore them, and print."""
    if not _FOLDER.value:
        raise program.UsageError("give --folder=FOLDER")
    folder = pathlib.Path(_FOLDER.value)
    if not (folder / "in").is_dir():
        _fill(folder / "in")
    command = [sys.executable, "-m", "keras_jpeg_gan.batch.batch", f"--workers={_WORKERS.value}"]
    command += [f"--input={folder / 'in'}", f"--output={folder / 'out'}", *arguments]
    started, memory = time.time(), []
    with subprocess.Popen(command) as run:
        process = psutil.Process(run.pid)
        while run.poll() is None:
            memory.append((time.time(), process.memory_info().rss / 1e6))
            time.sleep(1)
    if run.returncode:
        return run.returncode
    columns = ["time", "seconds", "decoder_seconds"]
    records = pyarrow.dataset.dataset(folder / "out" / "_manifest").to_table(columns).to_pandas()
    stamps = records.time.astype("int64") / 1000
    # From the first part of the manifest to the last: start-up is no file's cost.
    parts = np.unique(stamps, return_counts=True)
    files = parts[1][_WORKERS.value :].sum()
    clock = parts[0][-1] - parts[0][_WORKERS.value - 1]
    each = 1000 * _WORKERS.value * clock / files
    whole, own = 1000 * records.seconds.mean(), 1000 * records.decoder_seconds.mean()
    print(
        f"{len(records)} files of {_SIDE.value} x {_SIDE.value}, {_WORKERS.value} workers: "
        f"{time.time() - started:.0f} s with start-up; a file takes {each:.2f} ms of a worker, "
        f"of these the decoder {own:.2f}, reading, encoding and writing {whole - own:.2f}, "
        f"the rest {each - whole:.2f}"
    )
    first = next(i for i, (when, _) in enumerate(memory) if when >= parts[0][0])
    while_running = [megabytes for _, megabytes in memory[first:]]
    shown = [while_running[int(q * (len(while_running) - 1))] for q in (0, 0.25, 0.5, 0.75, 1)]
    print(f"driver, MB resident over the run: {', '.join(f'{value:.0f}' for value in shown)}")
    return program.OK


def _fill(folder: pathlib.Path) -> None:
    """Small photographs: waves and grain."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[: _SIDE.value, : _SIDE.value] / 16
    for i in range(_COUNT.value):
        a, b = rng.uniform(-1, 1, (2, 3))
        waves = 128 + 60 * np.sin(a * x[..., None] + b * y[..., None])
        pixels = np.clip(waves + rng.normal(0, 4, waves.shape), 0, 255).astype(np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "JPEG", quality=50)
        path = folder / f"{i // 1000:03}" / f"{i:06}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(buffer.getvalue())


if __name__ == "__main__":
    program.run(main, __name__, USAGE)
