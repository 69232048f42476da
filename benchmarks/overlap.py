"""A folder restored by jpeg-gan-decode, which overlaps stages, and one file after another.

    python benchmarks/overlap.py FOLDER

Both are timed from start to end, in turns: the lowest wall-clock and processor seconds.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import keras_jpeg_gan as jpeg_gan
from keras_jpeg_gan.decoding.files.inputs import find_inputs


def one_after_the_other(folder: str, output: pathlib.Path) -> None:
    """Restore and save each file of a folder."""
    decoder = jpeg_gan.Decoder()
    for number, item in enumerate(find_inputs([folder]).files):
        assert item.path is not None, "a folder has no standard input"
        decoder.restore(item.path).save(output / f"{number}.png")


def measure(command: list[str]) -> tuple[float, float]:
    """Wall-clock and processor seconds of a program."""
    started, before = time.perf_counter(), os.times()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = os.times()
    spent = after.children_user + after.children_system
    return time.perf_counter() - started, spent - before.children_user - before.children_system


def main() -> None:
    """Measure in turns, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--loop", type=pathlib.Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.loop:
        one_after_the_other(given.folder, given.loop)
        return
    with tempfile.TemporaryDirectory() as scratch:
        decode = [sys.executable, "-m", "keras_jpeg_gan.decoding.decode", "--overwrite"]
        commands = {
            "jpeg-gan-decode": [*decode, f"--output={scratch}/decode", given.folder],
            "one after another": [sys.executable, __file__, given.folder, f"--loop={scratch}"],
        }
        found = [{name: measure(c) for name, c in commands.items()} for _ in range(given.turns)]
    for name in commands:
        wall, processor = (min(turn[name][i] for turn in found) for i in (0, 1))
        print(f"{name}: {wall:.2f} s, {processor:.2f} of processors")


if __name__ == "__main__":
    main()
