"""Restores a JPEG; writes input, output and both side by side, and prints the certificate."""

import argparse
import pathlib

from PIL import Image

import keras_jpeg_gan as jpeg_gan

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("input", type=pathlib.Path)
parser.add_argument("folder", type=pathlib.Path, help="where the pictures go")
parser.add_argument("--zoom", type=int, nargs=4, metavar=("LEFT", "TOP", "SIZE", "FACTOR"))
arguments = parser.parse_args()

restored = jpeg_gan.Decoder().restore(arguments.input)

arguments.folder.mkdir(parents=True, exist_ok=True)
before, after = Image.fromarray(restored.file.pixels), Image.fromarray(restored.pixels)
if arguments.zoom:
    left, top, size, factor = arguments.zoom
    box = (left, top, left + size, top + size)
    both = [picture.crop(box).resize((size * factor,) * 2, 0) for picture in (before, after)]
else:
    both = [before, after]
side_by_side = Image.new(before.mode, (2 * both[0].width + 8, both[0].height), "white")
side_by_side.paste(both[0], (0, 0))
side_by_side.paste(both[1], (both[0].width + 8, 0))

before.save(arguments.folder / "input.png")
restored.save(arguments.folder / "output.png")
side_by_side.save(arguments.folder / "side_by_side.png")
print(f"{arguments.input}: {restored.summary}")
print(f"input.png, output.png and side_by_side.png are in {arguments.folder}/")
