"""The overhead per file of jpeg-gan-batch over the decoder's own work and jpeg-gan-decode."""

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

USAGE = """python benchmarks/batch.py --folder=FOLDER [flags] [-- flags of both programs]

Restores the JPEG files of FOLDER/in into FOLDER/batch with jpeg-gan-batch, and prints its time,
the decoder's own time, and the driver's memory. If FOLDER/in does not exist, it is filled with
small files. With --beside_decode, jpeg-gan-decode then does the same into FOLDER/decode."""

_FOLDER = flags.DEFINE_string("folder", None, "working folder; it should have no outputs yet")
_COUNT = flags.DEFINE_integer("count", 100_000, "how many small files", 1)
_SIDE = flags.DEFINE_integer("side", 64, "side of the small files, in pixels", 8)
_WORKERS = flags.DEFINE_integer("workers", 2, "workers, and threads of jpeg-gan-decode", 1)
_BESIDE_DECODE = flags.DEFINE_bool("beside_decode", False, "also run jpeg-gan-decode")


def main(arguments: list[str]) -> int:
    """Make the files, restore them, and print."""
    if not _FOLDER.value:
        raise program.UsageError("give --folder=FOLDER")
    folder = pathlib.Path(_FOLDER.value)
    if not (folder / "in").is_dir():
        _fill(folder / "in")
    megapixels, seconds = _batch(folder, arguments)
    if _BESIDE_DECODE.value:
        command = [sys.executable, "-m", "keras_jpeg_gan.decoding.decode", str(folder / "in")]
        command += [f"--threads={_WORKERS.value}", f"--output={folder / 'decode'}", *arguments]
        started = time.time()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        alone = time.time() - started
        print(
            f"{megapixels:.1f} megapixels, start-up included: jpeg-gan-batch {seconds:.1f} s, "
            f"jpeg-gan-decode {alone:.1f} s, {alone / seconds:.2f} times the throughput"
        )
    return program.OK


def _batch(folder: pathlib.Path, arguments: list[str]) -> tuple[float, float]:
    """Run jpeg-gan-batch, print its cost, and return megapixels and seconds."""
    command = [sys.executable, "-m", "keras_jpeg_gan.batch.batch", f"--workers={_WORKERS.value}"]
    command += [f"--input={folder / 'in'}", f"--output={folder / 'batch'}", *arguments]
    started, memory = time.time(), []
    with subprocess.Popen(command) as run:
        process = psutil.Process(run.pid)
        while run.poll() is None:
            memory.append((time.time(), process.memory_info().rss / 1e6))
            time.sleep(1)
    seconds = time.time() - started
    if run.returncode:
        raise program.RunError(f"jpeg-gan-batch ended with {run.returncode}")
    columns = ["time", "seconds", "decoder_seconds", "width", "height"]
    records = pyarrow.dataset.dataset(folder / "batch" / "_manifest").to_table(columns).to_pandas()
    # Each part of the manifest has the time when it was written. Count from the first part of each
    # worker to the last one, since start-up is not a cost per file.
    parts, files = np.unique(records.time.astype("int64") / 1000, return_counts=True)
    each = 1000 * _WORKERS.value * (parts[-1] - parts[_WORKERS.value - 1])
    each /= files[_WORKERS.value :].sum()
    whole, own = 1000 * records.seconds.mean(), 1000 * records.decoder_seconds.mean()
    print(
        f"{len(records)} files, {_WORKERS.value} workers: {seconds:.0f} s, "
        f"{parts[0] - started:.0f} of them until the first is recorded; "
        f"a file takes {each:.2f} ms of a worker, of these the decoder {own:.2f}, "
        f"reading, encoding and writing {whole - own:.2f}, the rest {each - whole:.2f}"
    )
    first = next(i for i, (when, _) in enumerate(memory) if when >= parts[0])
    while_running = [megabytes for _, megabytes in memory[first:]]
    shown = [while_running[int(q * (len(while_running) - 1))] for q in (0, 0.25, 0.5, 0.75, 1)]
    print(f"driver, MB resident over the run: {', '.join(f'{value:.0f}' for value in shown)}")
    return float((records.width * records.height).sum()) / 1e6, seconds


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
