"""Restores every JPEG file below a folder into a tree of PNG files.

    python examples/restore_folder.py photographs restored

A file that cannot be restored is named and passed over; the exit status is then 1.
`jpeg-gan-decode --output=restored photographs` does the same, and more: several files at once,
resuming, other formats.
"""

import argparse
import pathlib
import sys

import keras_jpeg_gan as jpeg_gan

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("folder", type=pathlib.Path)
parser.add_argument("output", type=pathlib.Path)
parser.add_argument("--model", default="default", help="a bundled name, or a .weights.h5 file")
arguments = parser.parse_args()

# The model is loaded once. Files with more pixels than this are refused by their headers.
decoder = jpeg_gan.Decoder(arguments.model, limits=jpeg_gan.Limits(max_megapixels=100))

failed = 0
for path in sorted(arguments.folder.rglob("*.jpg")):
    try:
        restored = decoder.restore(path)
    except jpeg_gan.JpegGanError as error:
        failed += 1
        print(f"{path}: {error}", file=sys.stderr)
        continue
    target = (arguments.output / path.relative_to(arguments.folder)).with_suffix(".png")
    target.parent.mkdir(parents=True, exist_ok=True)
    restored.save(target)  # whole or not at all; EXIF and color profile go along
    print(f"{target}: {restored.summary}")
    for warning in restored.warnings:
        print(f"{path}: warning: {warning}", file=sys.stderr)
sys.exit(1 if failed else 0)
