"""How often an earlier save is found, and how often one is found that never was.

    python -m benchmarks.resaving --images=KODAK
    python -m benchmarks.resaving --images=PHOTOGRAPHS --held_back=0.08
    python -m benchmarks.resaving --images=KODAK --files=FILES

Each photograph is saved by Pillow once, and twice with columns and rows cut off between. A save
counts as found if its offset is exact and its quality off by at most 3. The drawings and
screenshots are made by `benchmarks/drawings.py`. `--files` is a folder of JPEG files: what is
found in each is printed.
"""

import argparse
import io
import pathlib
import time
from collections.abc import Iterable

import numpy as np
from PIL import Image
from threadpoolctl import threadpool_limits

from benchmarks.drawings import drawings
from keras_jpeg_gan.data.sources import find_images, held_back, read_image
from keras_jpeg_gan.jpeg.file import JpegFile
from keras_jpeg_gan.jpeg.resaved import EarlierSave, find_earlier_save
from keras_jpeg_gan.jpeg.tables import quality_tables

FIRST, SECOND = (10, 30, 50, 75), (30, 75, 90, 95)
OFFSETS = ((0, 0), (4, 4), (3, 5))
ONCE = (5, 10, 20, 30, 40, 50, 60, 70, 75, 80, 85, 90, 93, 95, 98)
SAMPLINGS = {"4:2:0": 2, "4:4:4": 0}
_QUALITY_ERROR = 3


def saved(pixels: np.ndarray, quality: int, sampling: str) -> np.ndarray:
    """The decode of a JPEG file."""
    buffer = io.BytesIO()
    image = Image.fromarray(pixels)
    image.save(buffer, "JPEG", quality=quality, subsampling=SAMPLINGS[sampling])
    with Image.open(buffer) as decoded:
        return np.asarray(decoded)


def saved_twice(
    pixels: np.ndarray, first: int, second: int, offset: tuple[int, int], sampling: str
) -> np.ndarray:
    """The decode of a JPEG file whose picture was saved before on a grid at (x, y)."""
    x, y = offset
    once = saved(pixels, first, sampling)[-y % 8 :, -x % 8 :]
    return saved(np.ascontiguousarray(once), second, sampling)


def is_found(save: EarlierSave | None, quality: int, offset: tuple[int, int]) -> bool:
    """Whether it is the save that was made."""
    return (
        save is not None and save.offset == offset and abs(save.quality - quality) <= _QUALITY_ERROR
    )


def find(pixels: np.ndarray, quality: int) -> EarlierSave | None:
    """What is found in the decode of a file of a quality."""
    return find_earlier_save(pixels, quality_tables(quality)[0])


def print_found(photographs: list[np.ndarray]) -> None:
    """The table of pictures that were saved twice."""
    print(f"\n| saved at, then at | sampling | {' | '.join(map(str, OFFSETS))} |")
    print("| --- | --- | ---: | ---: | ---: |")
    for first in FIRST:
        for second in SECOND:
            for sampling in SAMPLINGS if second >= first else ():
                cells = []
                for offset in OFFSETS:
                    decodes = (
                        saved_twice(pixels, first, second, offset, sampling)
                        for pixels in photographs
                    )
                    found = sum(is_found(find(one, second), first, offset) for one in decodes)
                    cells.append(f"{found} of {len(photographs)}")
                print(f"| {first}, {second} | {sampling} | {' | '.join(cells)} |", flush=True)


def print_once(name: str, pictures: Iterable[np.ndarray]) -> None:
    """How many that were saved once, or never, are taken for more."""
    never = once = alarms = decodes_found = lossless_alarms = 0
    for pixels in pictures:
        never += 1
        lossless_alarms += find_earlier_save(pixels) is not None
        for quality in ONCE:
            for sampling in SAMPLINGS:
                decode = saved(pixels, quality, sampling)
                once += 1
                alarms += find(decode, quality) is not None
                decodes_found += is_found(find_earlier_save(decode), quality, (0, 0))
    print(f"{name}, never saved: a save is found in {lossless_alarms} of {never}")
    print(f"{name}, saved once, as JPEG files: another save is found in {alarms} of {once}")
    print(f"{name}, saved once, as PNG files: the save is found in {decodes_found} of {once}")


def print_files(folder: pathlib.Path) -> None:
    """What is found in files as they are."""
    for path in sorted(folder.glob("*.jp*g")):
        file = JpegFile.read(path)
        save = find_earlier_save(file.pixels, file.tables[0])
        what = "nothing" if save is None else f"{save}, confidence {save.confidence:.3f}"
        print(f"{path.name}: {what}")


def print_seconds(photograph: np.ndarray) -> None:
    """The time for a picture of a megapixel and one of four."""
    with threadpool_limits(1):
        for side in (1024, 2048):
            image = Image.fromarray(photograph).resize((side, side), Image.Resampling.BICUBIC)
            pixels = saved(np.asarray(image), 75, "4:2:0")
            find(pixels, 75)
            times = []
            for _ in range(3):
                start = time.process_time()
                find(pixels, 75)
                times.append(time.process_time() - start)
            megapixels = side * side / 1e6
            print(f"{megapixels:.1f} megapixels: {min(times):.2f} processor seconds on one core")


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=pathlib.Path, required=True, help="a folder")
    parser.add_argument("--held_back", type=float, help="only this share, by a hash of the names")
    parser.add_argument("--count", type=int, help="only so many, spread over the folder")
    parser.add_argument("--files", type=pathlib.Path, help="a folder of JPEG files as they are")
    parser.add_argument("--drawings", type=int, default=20, help="how many")
    options = parser.parse_args()
    paths = [
        path
        for path in find_images(options.images)
        if options.held_back is None or held_back(path, options.held_back)
    ]
    if options.count:
        paths = paths[:: max(len(paths) // options.count, 1)][: options.count]
    photographs = [read_image(path) for path in paths]
    print(f"{len(photographs)} photographs")
    print_seconds(photographs[0])
    print_once("photographs", photographs)
    print_once("drawings", drawings(options.drawings))
    if options.files:
        print_files(options.files)
    print_found(photographs)


if __name__ == "__main__":
    main()
