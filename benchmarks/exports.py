"""Size, speed and quality of TFLite models, compared with Keras on TensorFlow.

    python export/tflite.py --output_dir=build/tflite
    python benchmarks/exports.py --images=FOLDER --files=build/tflite

The middle of each photograph is compressed (4:2:0) and restored: a square of the model's tile, or
of 512 pixels if it takes any size. Gains are over libjpeg's decode, for the network alone and
after the exact projection. Times are those of the fastest photograph, since machines are shared.
"""

import argparse
import json
import pathlib
import time

import numpy as np

from keras_jpeg_gan.data.sources import find_images, read_image
from keras_jpeg_gan.decoding import runtimes
from keras_jpeg_gan.decoding.noise import window
from keras_jpeg_gan.jpeg import encoder
from keras_jpeg_gan.jpeg.file import JpegFile
from keras_jpeg_gan.jpeg.projection import exact
from keras_jpeg_gan.jpeg.sampling import Sampling
from keras_jpeg_gan.jpeg.tables import network_tables, quality_tables
from keras_jpeg_gan.metrics.distortion import psnr
from keras_jpeg_gan.models.cards import TFLiteCard, find_model

SIZE = 512
SAMPLING = Sampling.parse("4:2:0")


def middle(image: np.ndarray, size: int) -> np.ndarray:
    """The square in the middle."""
    top, left = ((side - size) // 2 for side in image.shape[:2])
    return image[top : top + size, left : left + size]


def row(
    runtime: runtimes.Runtime, model: str, images: list[np.ndarray], size: int, quality: int
) -> str:
    """Seconds per megapixel and both gains, as cells of a table."""
    noisy = find_model(model)[1].draws_samples
    luma, chroma = quality_tables(quality)
    seconds, alone, projected = [], [], []
    for image in images:
        original = middle(image, size)
        file = JpegFile.read(encoder.encode(original, [luma, chroma, chroma], SAMPLING))
        noise = [
            window(0, i, 0, 0, size // s, size // s)[None, ..., None]
            for i, s in enumerate(runtime.noise_strides)
        ]
        given = file.pixels[None].astype(np.float32), network_tables(file.tables)[None]
        start = time.perf_counter()
        restored = runtime.restore(*given, noise if noisy else None)[0]
        seconds.append(time.perf_counter() - start)
        final = exact.project(restored, file.quantized)
        before = psnr(original, file.pixels)
        alone.append(psnr(original, np.clip(restored, 0, 255)) - before)
        projected.append(psnr(original, final) - before)
    rate = 1e6 * min(seconds[1:] or seconds) / size**2
    return f"{rate:.2f} | {np.mean(alone):+.3f} | {np.mean(projected):+.3f}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=pathlib.Path, required=True)
    parser.add_argument("--files", type=pathlib.Path, required=True)
    parser.add_argument("--quality", type=int, default=10)
    parser.add_argument("--count", type=int, default=8, help="number of photographs")
    given = parser.parse_args()
    images = [read_image(path) for path in find_images(given.images)[: given.count]]
    matrix = np.ones((2048, 2048), np.float32)
    start = time.perf_counter()
    matrix @ matrix
    print(f"matrix product {2 * 2048**3 / (time.perf_counter() - start) / 1e9:.0f} GFLOP/s\n")
    print("| file | MB | s per megapixel | gain, dB | after the exact projection |")
    print("| --- | ---: | ---: | ---: | ---: |")
    models = set()
    for path in sorted(given.files.glob("*.tflite")):
        values = json.loads(path.with_name(path.name + ".json").read_text())
        if "model" not in values:
            print(f"| {path.name} | {path.stat().st_size / 1e6:.2f} | | | |")
            continue
        card = TFLiteCard(**{**values, "noise_strides": tuple(values["noise_strides"])})
        models.add(card.model)
        runtime = runtimes.LiteRTRuntime(path, card)
        cells = row(runtime, card.model, images, card.tile or SIZE, given.quality)
        print(f"| {path.name} | {path.stat().st_size / 1e6:.2f} | {cells} |", flush=True)
    for model in sorted(models):
        cells = row(runtimes.TensorFlowRuntime(model), model, images, SIZE, given.quality)
        print(f"| {model}, Keras on TensorFlow | | {cells} |", flush=True)


if __name__ == "__main__":
    main()
