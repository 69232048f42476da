"""Memory and time against the size of a photograph: a table, and a plot of both.

    python benchmarks/memory.py --megapixels=0.1,1,10,24,100 --picture=docs/memory.png

A JPEG of quality 75, which repeats a photograph from examples/, is restored by the stages of
jpeg-gan-decode in its own process: read, network, exact projection, certificate, PNG. Memory is the
peak of the resident set (Linux), less that of the process once the model was loaded and had run.
"""

import argparse
import io
import json
import pathlib
import subprocess
import sys
import time

import numpy as np
from PIL import Image

import keras_jpeg_gan as jpeg_gan
from keras_jpeg_gan.decoding.memory import Limits, needed_mb
from keras_jpeg_gan.system import as_file

PHOTOGRAPH = pathlib.Path(__file__).parents[1] / "examples" / "mountain.jpg"


def repeated(megapixels: float, ratio: float, sampling: str) -> bytes:
    """A JPEG file whose width is ratio times its height, filled with mirrored photographs."""
    with Image.open(PHOTOGRAPH) as image:
        once = np.asarray(image.convert("RGB"))
    height = round((megapixels * 1e6 / ratio) ** 0.5)
    width = round(ratio * height)
    padding = ((0, max(height - len(once), 0)), (0, max(width - once.shape[1], 0)), (0, 0))
    buffer = io.BytesIO()
    image = Image.fromarray(np.pad(once, padding, "symmetric")[:height, :width])
    image.save(buffer, "JPEG", subsampling=sampling)
    return buffer.getvalue()


def peak_mb() -> float:
    """Peak of the resident set so far; getrusage's would include that of the parent process."""
    status = pathlib.Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024 / 1e6


def measure(path: pathlib.Path, max_memory_mb: float) -> dict[str, float]:
    """Restore a file in this process."""
    decoder = jpeg_gan.Decoder(limits=Limits(max_megapixels=1e4, max_memory_mb=max_memory_mb))
    decoder.restore(PHOTOGRAPH)
    before, start = peak_mb(), time.perf_counter()
    restored = decoder.restore(path)
    restored.encoded("png")
    seconds = time.perf_counter() - start
    height, width = restored.file.height, restored.file.width
    return {
        "megapixels": height * width / 1e6,
        "before_mb": before,
        "above_mb": peak_mb() - before,
        "planned_mb": needed_mb(height, width, decoder.limits.tile(height, width)),
        "seconds": seconds,
        "exact": restored.certificate is not None and restored.certificate.exact,
    }


def draw(rows: list[dict[str, float]], path: pathlib.Path) -> None:
    """Plot both against megapixels, on logarithmic axes."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    size = [row["megapixels"] for row in rows]
    figure, axes = pyplot.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    axes[0].plot(size, [row["before_mb"] + row["above_mb"] for row in rows], "o-", label="measured")
    axes[0].plot(size, [row["planned_mb"] for row in rows], "--", label="planned")
    axes[0].set(ylabel="peak memory of the process, MB", ylim=(0, None))
    axes[1].plot(size, [row["seconds"] for row in rows], "o-", label="measured")
    rate = rows[-1]["seconds"] / rows[-1]["megapixels"]
    axes[1].plot(size, [rate * x for x in size], "--", label=f"{rate:.2f} s per megapixel")
    axes[1].set(ylabel="seconds", yscale="log")
    for axis in axes:
        axis.set(xlabel="megapixels", xscale="log")
        axis.legend()
        axis.grid(alpha=0.3)
    figure.savefig(path, dpi=110)


def main() -> None:
    """Measure each size in its own process, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megapixels", default="0.1,1,10,24,100")
    parser.add_argument("--max_memory_mb", type=float, default=float("inf"))
    parser.add_argument("--ratio", type=float, default=1.5, help="width over height")
    parser.add_argument("--sampling", default="4:2:0")
    parser.add_argument("--picture", type=pathlib.Path)
    parser.add_argument("--one", type=pathlib.Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(measure(given.one, given.max_memory_mb)))
        return
    print("| megapixels | MB before | MB above | MB planned | s | s per megapixel | exact |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: | --- |")
    rows = []
    for megapixels in map(float, given.megapixels.split(",")):
        with as_file(repeated(megapixels, given.ratio, given.sampling), ".jpg") as path:
            own = [f"--one={path}", f"--max_memory_mb={given.max_memory_mb}"]
            done = subprocess.run(
                [sys.executable, __file__, *own], capture_output=True, text=True, check=True
            )
        rows.append(row := json.loads(done.stdout))
        print(
            f"| {row['megapixels']:.2f} | {row['before_mb']:.0f} | {row['above_mb']:.0f} | "
            f"{row['planned_mb']:.0f} | {row['seconds']:.1f} | "
            f"{row['seconds'] / row['megapixels']:.2f} | {'yes' if row['exact'] else 'no'} |",
            flush=True,
        )
    if given.picture:
        draw(rows, given.picture)


if __name__ == "__main__":
    main()
