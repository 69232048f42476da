"""The inputs of all contenders: one photograph, its JPEG file, and what is derived from them."""

import dataclasses
import io
import pathlib
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from keras_jpeg_gan.data.degradation import degrade
from keras_jpeg_gan.data.sources import find_images, read_image
from keras_jpeg_gan.decoding.noise import window
from keras_jpeg_gan.jpeg.file import JpegFile
from keras_jpeg_gan.jpeg.sampling import Sampling
from keras_jpeg_gan.jpeg.tables import network_tables

WIDTH, HEIGHT = 768, 512
QUALITY = 10

# The trained pair: a sampler as in configs/default.py, sized for two cores.
PATCH, BATCH, CRITIC_WIDTH = 64, 8, 0.25
MOMENT_IMAGES, MOMENT_SAMPLES = 4, 4
LEARNING_RATE, CONSISTENCY, EMA = 1e-4, 1.0, 0.999


@dataclasses.dataclass(frozen=True)
class Settings:
    """Settings of a run, passed to each of its processes.

    Attributes:
        images: folder of photographs.
        scratch: folder where processes leave files for others.
        model: a bundled name or a path.
        threads: number of threads of each contender.
    """

    images: str
    scratch: str
    model: str
    threads: int


def photograph(settings: Settings) -> np.ndarray:
    """The folder's first photograph, cut and scaled to [512, 768, 3] uint8."""
    image = Image.fromarray(read_image(find_images(settings.images)[0]))
    return np.asarray(ImageOps.fit(image, (WIDTH, HEIGHT)))


def write_jpeg(pixels: np.ndarray, path: pathlib.Path) -> None:
    """Write a JPEG file of the benchmark's quality, 4:2:0."""
    Image.fromarray(pixels).save(path, "JPEG", quality=QUALITY, subsampling="4:2:0")


def jpeg_path(settings: Settings) -> pathlib.Path:
    """The path of the photograph's JPEG file."""
    return pathlib.Path(settings.scratch) / "photograph.jpg"


def network_inputs(file: JpegFile, strides: tuple[int, ...]) -> tuple[Any, Any, list[Any]]:
    """Pixels [1, H, W, 3] 0..255, tables [1, 2, 8, 8] and noise fields of seed 0, float32."""
    noise = [
        window(0, i, 0, 0, file.height // s, file.width // s)[None, ..., None]
        for i, s in enumerate(strides)
    ]
    pixels = file.pixels[None].astype(np.float32)
    return pixels, network_tables(file.tables)[None].astype(np.float32), noise


def jpeg_operands(file: JpegFile) -> tuple[np.ndarray, list[np.ndarray], list[np.ndarray]]:
    """An image near the file's, its levels and its tables, float32: [1, ...] but the tables."""
    grain = np.random.default_rng(0).normal(0, 30, file.pixels.shape)
    pixels = (file.pixels + grain).astype(np.float32)[None]
    levels = [part[None].astype(np.float32) for part in file.quantized.levels]
    return pixels, levels, [table.astype(np.float32) for table in file.tables]


def training_batch(settings: Settings) -> dict[str, np.ndarray]:
    """Patches of the photograph as the data pipeline makes them, at quality 5 and up."""
    whole = photograph(settings)
    rng = np.random.default_rng(0)
    originals, pairs = [], []
    for i in range(BATCH):
        top, left = rng.integers(HEIGHT - PATCH), rng.integers(WIDTH - PATCH)
        originals.append(whole[top : top + PATCH, left : left + PATCH])
        pairs.append(degrade(originals[-1], 5 + 5 * i, Sampling.parse("4:2:0")))
    return {
        "original": np.stack(originals),
        "compressed": np.stack([compressed for compressed, _ in pairs]),
        "tables": np.stack([tables for _, tables in pairs]),
        "sampling": np.zeros(BATCH, np.int32),
        "position": np.arange(BATCH),
    }


def training_noise(length: int) -> tuple[np.ndarray, np.ndarray]:
    """Normals [BATCH, length], and those for the moments' samples, for the checked step."""
    rng = np.random.default_rng(1)
    drawn = MOMENT_SAMPLES * BATCH // MOMENT_IMAGES
    return (
        rng.standard_normal((BATCH, length), np.float32),
        rng.standard_normal((drawn, length), np.float32),
    )


def png(pixels: np.ndarray) -> bytes:
    """Encode a PNG file as the decoder does, without metadata."""
    from keras_jpeg_gan.decoding.files import writer

    return writer.encode(pixels, "png", None, "")


def read_jpeg(data: bytes) -> np.ndarray:
    """Libjpeg-turbo's decode by Pillow."""
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image)
