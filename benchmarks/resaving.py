"""How often files that were saved twice are recognized, and files saved once are not.

    python benchmarks/resaving.py --images=KODAK

Pillow saves each photograph once; twice on the same grid; and twice with up to seven rows and
columns cut off in between. Prints how many photographs of each kind get which remark.
"""

import argparse
import collections
import io
import pathlib

import numpy as np
from PIL import Image

from keras_jpeg_gan.jpeg.file import JpegFile
from keras_jpeg_gan.jpeg.resaved import resaving_remark

ONCE = (10, 20, 30, 50, 75, 90, 95)
TWICE = ((30, 75), (30, 95), (50, 75), (50, 90), (75, 85), (75, 95), (85, 95), (90, 95), (75, 50))


def saved(pixels: np.ndarray, quality: int, subsampling: int = 2) -> bytes:
    """A JPEG file."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality, subsampling=subsampling)
    return buffer.getvalue()


def remark(data: bytes) -> str:
    """The remark on a file, in two words."""
    file = JpegFile.read(data)
    said = resaving_remark(file.pixels, file.tables, file.quantized.sampling)
    if said is None:
        return "nothing"
    return "another grid" if "another grid" in said else "coarser blocks"


def decode(data: bytes) -> np.ndarray:
    """Pillow's decode."""
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image)


def show(name: str, files: list[bytes]) -> None:
    """A line of the table."""
    counts = collections.Counter(remark(data) for data in files)
    said = ", ".join(f"{count} {what}" for what, count in counts.most_common())
    print(f"{name}: {said}", flush=True)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=pathlib.Path, required=True, help="a folder of PNG files")
    options = parser.parse_args()
    photographs = []
    for path in sorted(options.images.glob("*.png")):
        with Image.open(path) as image:
            photographs.append(np.asarray(image.convert("RGB")))
    for subsampling, name in ((0, "4:4:4"), (2, "4:2:0")):
        for quality in ONCE:
            files = [saved(pixels, quality, subsampling) for pixels in photographs]
            show(f"{name} {quality}", files)
    for first, second in TWICE:
        first_decodes = [decode(saved(pixels, first)) for pixels in photographs]
        show(f"{first}, then {second}", [saved(pixels, second) for pixels in first_decodes])
    generator = np.random.default_rng(0)
    for first, second in TWICE:
        files = []
        for pixels in photographs:
            top, left = generator.integers(1, 8, 2)
            files.append(saved(decode(saved(pixels, first))[top:, left:], second))
        show(f"{first}, cut, then {second}", files)


if __name__ == "__main__":
    main()
