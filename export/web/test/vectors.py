"""Writes vectors.json beside it: the package's own values, for the tests of the page's modules."""

import base64
import json
import pathlib
from typing import Any

import numpy as np

from keras_jpeg_gan.decoding import noise
from keras_jpeg_gan.jpeg import emulator
from keras_jpeg_gan.jpeg.file import JpegFile
from keras_jpeg_gan.jpeg.levels import Quantized
from keras_jpeg_gan.jpeg.sampling import Sampling
from keras_jpeg_gan.jpeg.tables import network_tables, quality_tables
from keras_jpeg_gan.metrics.deviation import Spread, deviation_map
from keras_jpeg_gan.system import import_tensorflow

FILE = pathlib.Path(__file__).with_name("vectors.json")
ROOT = pathlib.Path(__file__).parents[3]

WINDOWS = [(0, 0, 0, 0, 2, 8), (7, 3, 5, 2, 3, 9), (12345678901234567890, 9, 100000, 1001, 2, 7)]
# Sampling, width, height: whole MCUs, and cut ones.
CASES = [
    ("gray", 16, 11),
    ("4:4:4", 21, 8),
    ("4:2:2", 16, 19),
    ("4:2:0", 32, 16),
    ("4:2:0", 21, 19),
    ("2x2,1x2,1x1", 27, 16),
]
QUALITY = 30
MARGIN = 0.02  # as the page and decoding/runtimes.py


def noisy_pixels(seed: int, width: int, height: int, channels: int) -> np.ndarray:
    """[height, width, channels] float32, another channel from another field."""
    fields = [noise.window(seed, f, 0, 0, height, width) for f in range(channels)]
    return 128 + 40 * np.stack(fields, axis=-1)


def packed(array: np.ndarray) -> str:
    """Little-endian float32 in base64."""
    return base64.b64encode(np.asarray(array, "<f4").tobytes()).decode()


def as_planes(levels: np.ndarray) -> np.ndarray:
    """[Hb, Wb, 8, 8] -> [8 Hb, 8 Wb]."""
    rows, columns = levels.shape[:2]
    return levels.transpose(0, 2, 1, 3).reshape(8 * rows, 8 * columns)


def projection(sampling: Sampling, width: int, height: int) -> dict[str, Any]:
    """Levels of one noisy image, and another projected onto them."""
    import tensorflow as tf

    from keras_jpeg_gan.jpeg.tensors import consistency

    parts = sampling.components
    luma, chroma = quality_tables(QUALITY)
    tables = [luma, chroma, chroma][:parts]
    target = np.clip(np.rint(noisy_pixels(1, width, height, parts)), 0, 255).astype(np.uint8)
    levels = emulator.emulate(target[..., 0] if parts == 1 else target, tables, sampling)
    pixels = noisy_pixels(2, width, height, parts)
    given, file = consistency.batch_of_one(pixels, Quantized(levels, tables, sampling))
    projected = tf.function(lambda image: consistency.project(image, file, MARGIN))(given).numpy()
    return {
        "components": [{"across": h, "down": v} for h, v in sampling.factors],
        "width": width,
        "height": height,
        "tables": [table.ravel().tolist() for table in tables],
        "levels": [as_planes(part).ravel().tolist() for part in levels],
        "projected": packed(projected[0]),
    }


def vectors() -> dict[str, Any]:
    """All of the file's content."""
    examples = {}
    for path in sorted((ROOT / "examples").glob("*.jpg")):
        file = JpegFile.read(path)
        examples[path.name] = {
            "size": [file.pixels.shape[1], file.pixels.shape[0]],
            "sampling": file.quantized.sampling.name,
            "tables": [table.ravel().tolist() for table in file.tables],
            "network_tables": packed(network_tables(file.tables)),
        }
    images = [noisy_pixels(seed, 6, 4, 3).clip(0, 255).astype(np.uint8) for seed in (3, 4, 5)]
    deviation = Spread(images).deviation
    return {
        "noise": [
            {"window": [str(window[0]), *window[1:]], "normals": packed(noise.window(*window))}
            for window in WINDOWS
        ],
        "examples": examples,
        "projections": [projection(Sampling.parse(name), *size) for name, *size in CASES],
        "deviation": {
            "images": [image.ravel().tolist() for image in images],
            "deviation": packed(deviation),
            "map": deviation_map(deviation).ravel().tolist(),
        },
    }


if __name__ == "__main__":
    import_tensorflow()
    FILE.write_text(json.dumps(vectors(), separators=(",", ":")) + "\n")
