"""Broken files against the laws of reading and restoring, for as long as one likes.

    python tests/fuzz/fuzz.py --seconds=600 --corpus=FOLDER

Each case is a real JPEG file after a few mutations (mutations.py), made from the seed and its
number alone. It is read, and if it can be, the exact projection of libjpeg's decode is made,
certified and encoded. The laws: an error is a JpegGanError of one line; a result is of the
header's size and is read back from its file as it is; a file without colour gets none; the last
row and column are no farther from the decode than others; nothing is printed; ten seconds of one
processor at most; no more memory than allowed. Cases run in a process of their own, so that an
abort or a hang is a finding as well; after one, or after many cases, another process goes on.
So that there are many cases, most projections are given less time than they may take, and
large images are spared them.

Prints counts, peak memory and findings; exits with 1 if there are findings, whose files --keep
keeps.
"""

import argparse
import collections
import dataclasses
import io
import json
import os
import pathlib
import resource
import select
import subprocess
import sys
import tempfile
import time
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageOps

from keras_jpeg_gan.decoding.decoder import Decoder
from keras_jpeg_gan.decoding.files import writer
from keras_jpeg_gan.decoding.memory import Limits
from keras_jpeg_gan.decoding.options import RestoreOptions
from keras_jpeg_gan.errors import JpegGanError
from keras_jpeg_gan.jpeg.projection import budget as exact_budget
from tests.fuzz import mutations

LIMITS = Limits(max_megapixels=4)
SECONDS = 10  # of a processor, for a file
HANG = 120  # of the clock: the machine may be shared
ADDRESS_SPACE = 3 << 30
PEAK_MB = 1000
CASES_OF_A_PROCESS = 5000
HURRIED = 0.1  # seconds of the exact projection's hard part
OWN_SECONDS = exact_budget._SECONDS
UNHURRIED_OF = 50  # cases one has all of its time
LARGE = 300_000  # pixels
EDGE_TOLERANCE = 8  # grey levels: broken levels may clip the last rows more than others
_ORIENTATION = 0x0112


class Case(NamedTuple):
    """A number of the run, and its bytes."""

    number: int
    data: bytes


class StillNetwork:
    """A runtime that gives back what it is given, and cannot be reached for more."""

    halo = 16
    noise_strides = ()

    def restore(self, image: np.ndarray, tables: np.ndarray, noise: Any = None) -> np.ndarray:
        return image

    def project(self, pixels: np.ndarray, *_: Any) -> np.ndarray:
        return pixels


def case(files: list[bytes], seed: int, number: int) -> Case:
    """The case of a number, the same whenever it is asked for."""
    return Case(number, mutations.mutated(files, np.random.default_rng((seed, number))))


def outcome(decoder: Decoder, case: Case) -> str:
    """What becomes of a case: "refused", "restored", "exact", or the law that it breaks."""
    hurried = case.number % UNHURRIED_OF > 0
    exact_budget._SECONDS = HURRIED if hurried else OWN_SECONDS
    options = RestoreOptions(allow_truncated=case.number % 2 > 0)
    image_format = ("png", "webp", "tiff")[case.number % 3]
    try:
        file = decoder.read(case.data, options)
        large = file.width * file.height > LARGE
        if hurried and large:
            options = dataclasses.replace(options, projection="none")
        restored = decoder.restore(file, options=options)
        image_format = writer.INK_FORMAT if file.model.inks else image_format
        content = restored.encoded(image_format)
    except JpegGanError as error:
        return "refused" if str(error).isprintable() else f"an error of several lines: {error!r}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    expected = writer.image_of(restored.pixels).convert("RGB")
    if image_format == "tiff":  # of which alone Pillow applies the orientation
        expected.getexif()[_ORIENTATION] = file.metadata.orientation
        expected = ImageOps.exif_transpose(expected)
    with Image.open(io.BytesIO(content)) as image:
        if not np.array_equal(image.convert("RGB"), expected):
            return f"its {image_format} file holds another image"
    if file.gray and restored.pixels.ndim == 3 and np.ptp(restored.pixels, axis=2).any():
        return "a file without colour has colour now"
    certified = restored.certificate
    if certified is not None and certified.exact:
        for lines in distances(restored.pixels, file.pixels):
            if len(lines) > 2 and lines[-1] > 1.5 * lines[1:-1].max() + EDGE_TOLERANCE:
                return f"its edge is {lines[-1]:.0f} grey levels off"
    return "exact" if certified is not None and certified.exact else "restored"


def distances(pixels: np.ndarray, decoded: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How far rows and columns are from the decode, in grey levels, on average."""
    away = np.atleast_3d(np.abs(pixels.astype(int) - decoded)).mean(axis=2)
    return away.mean(axis=1), away.mean(axis=0)


def work(files: list[bytes], seed: int, first: int) -> None:
    """Run cases, and print a JSON line for each, until nobody listens or enough were run."""
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    decoder = Decoder("regression", limits=LIMITS)
    decoder.runtime = StillNetwork()
    for number in range(first, first + CASES_OF_A_PROCESS):
        made = case(files, seed, number)
        begin = time.process_time()
        result = outcome(decoder, made)
        seconds = time.process_time() - begin
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        if os.fstat(2).st_size:
            result = "it made something print on standard error"
            os.ftruncate(2, 0)
        elif seconds > SECONDS:
            result = f"it took {seconds:.0f} s"
        elif peak > PEAK_MB:
            result = f"it took {peak} MB"
        print(json.dumps([number, result, seconds, peak, _resident_mb()]), flush=True)


def _resident_mb() -> int:
    pages = int(pathlib.Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() >> 20


class Totals:
    """What a run has met."""

    def __init__(self) -> None:
        self.counts: collections.Counter[str] = collections.Counter()
        self.findings: list[tuple[int, str]] = []
        self.slowest = (0.0, 0)
        self.peak_mb = 0
        self.resident_mb: list[int] = []

    def add(self, number: int, result: str, seconds: float, peak: int, resident: int) -> None:
        """One case."""
        if result in ("refused", "restored", "exact"):
            self.counts[result] += 1
        else:
            self.find(number, result)
        self.slowest = max(self.slowest, (seconds, number))
        self.peak_mb = max(self.peak_mb, peak)
        self.resident_mb.append(resident)

    def find(self, number: int, what: str) -> None:
        """A case that breaks a law."""
        self.counts["findings"] += 1
        self.findings.append((number, what))

    def __str__(self) -> str:
        cases = sum(self.counts.values())
        counts = ", ".join(f"{count} {what}" for what, count in sorted(self.counts.items()))
        return (
            f"{cases} cases: {counts}; slowest {self.slowest[0]:.1f} s (case {self.slowest[1]}), "
            f"peak {self.peak_mb} MB"
        )


def run(options: argparse.Namespace) -> Totals:
    """Cases in one process after another until the time or the cases are over."""
    totals, end, number = Totals(), time.monotonic() + options.seconds, options.first
    while time.monotonic() < end and number < options.first + options.cases:
        number = _one_process(options, number, end, totals)
    return totals


def _one_process(options: argparse.Namespace, number: int, end: float, totals: Totals) -> int:
    """Cases from a number on; the number of the one that comes next."""
    command = [sys.executable, __file__, "--worker", f"--seed={options.seed}", f"--first={number}"]
    command += [f"--corpus={folder}" for folder in options.corpus]
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors) as process,
    ):
        assert process.stdout is not None
        while time.monotonic() < end and number < options.first + options.cases:
            ready, _, _ = select.select([process.stdout], [], [], HANG)
            if not ready:
                totals.find(number, f"no answer in {HANG} s")
                number += 1
                break
            line = process.stdout.readline()
            if not line:
                if process.wait() != 0:
                    errors.seek(0)
                    said = errors.read().decode("utf-8", "replace").strip().splitlines()[-1:]
                    totals.find(number, f"the process ended with {process.returncode}: {said}")
                    number += 1
                break
            number, result, *measured = json.loads(line)
            totals.add(number, result, *measured)
            number += 1
        process.kill()
    return number


def corpus(folders: list[str]) -> list[bytes]:
    """The files to break."""
    return mutations.made_files() + [
        data for folder in folders for data in mutations.files_of(pathlib.Path(folder))
    ]


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--cases", type=int, default=10**9, help="at most so many")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--corpus", action="append", default=[], help="a folder of files to break")
    parser.add_argument("--keep", type=pathlib.Path, help="a folder for the files of findings")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    files = corpus(options.corpus)
    if options.worker:
        work(files, options.seed, options.first)
        return 0
    totals = run(options)
    print(totals)
    for number, what in totals.findings:
        print(f"case {number}: {what}")
        if options.keep:
            options.keep.mkdir(parents=True, exist_ok=True)
            data = case(files, options.seed, number).data
            (options.keep / f"{options.seed}-{number}.jpg").write_bytes(data)
    return 1 if totals.findings else 0


if __name__ == "__main__":
    sys.exit(main())
