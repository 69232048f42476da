"""The JPEG operations in NumPy, written in the obvious way: real arithmetic, 4:2:0, whole MCUs.

Arguments and results are those of `keras_jpeg_gan.jpeg.tensors.codec` and `consistency`.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.inputs import Settings, jpeg_operands, jpeg_path
from benchmarks.processes import Tasks
from keras_jpeg_gan.jpeg.file import JpegFile

_FREQUENCY, _POSITION = np.mgrid[:8, :8]
DCT = np.cos(_FREQUENCY * (2 * _POSITION + 1) * np.pi / 16).astype(np.float32) / 2
DCT[0] = np.sqrt(1 / 8)
COLOR = np.array(
    [[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]], np.float32
)
CENTRE = np.array([0, 128, 128], np.float32)


def facts() -> dict[str, Any]:
    """Versions."""
    return {"NumPy": np.__version__}


def prepare(settings: Settings) -> Tasks:
    """The operations on the photograph."""
    file = JpegFile.read(jpeg_path(settings))
    pixels, levels, tables = jpeg_operands(file)
    return {
        "compress": lambda: compress(pixels, tables),
        "decompress": lambda: decompress(levels, tables),
        "penalty": lambda: penalty(pixels, levels, tables),
        "projection": lambda: project(pixels, levels, tables),
    }


def compress(pixels: np.ndarray, tables: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Pixels [B, H, W, 3] -> levels."""
    return [np.round(part) for part in _transform(_to_ycbcr(pixels), tables)]


def decompress(levels: Sequence[np.ndarray], tables: Sequence[np.ndarray]) -> np.ndarray:
    """Levels -> pixels, chroma by the triangle filter."""
    luma, *chroma = _planes(levels, tables)
    for axis in (1, 2):
        chroma = [_triangle(plane, axis) for plane in chroma]
    return np.stack([luma + 128, *chroma], -1) @ np.linalg.inv(COLOR).T


def penalty(
    pixels: np.ndarray, levels: Sequence[np.ndarray], tables: Sequence[np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """The penalty C of each image, and its gradient."""
    free = _to_ycbcr(pixels)
    ycbcr = np.clip(free, 0, 255)
    found = _transform(ycbcr, tables)
    errors = [a - b for a, b in zip(found, levels, strict=True)]
    count = sum(error[0].size for error in errors)
    cost: Any = 0.0
    slopes = []
    for error in errors:
        excess = np.maximum(np.abs(error) - 0.4, 0)
        quadratic = np.minimum(excess, 0.2)
        cost = cost + (2.5 * quadratic**2 + excess - quadratic).sum((1, 2, 3, 4))
        slopes.append(np.sign(error) * quadratic / (0.2 * count))
    luma, *chroma = _planes(slopes, [1 / table for table in tables])
    # A sample of chroma is the mean of four pixels.
    change = np.stack([luma, *(_repeat(plane) / 4 for plane in chroma)], -1)
    return cost / count, (change * (free == ycbcr)) @ COLOR


def project(
    pixels: np.ndarray, levels: Sequence[np.ndarray], tables: Sequence[np.ndarray]
) -> np.ndarray:
    """The nearest consistent pixels."""
    found = _transform(_to_ycbcr(pixels), tables)
    errors = [a - b for a, b in zip(found, levels, strict=True)]
    luma, *chroma = _planes([np.clip(error, -0.5, 0.5) - error for error in errors], tables)
    return pixels + np.stack([luma, *map(_repeat, chroma)], -1) @ np.linalg.inv(COLOR).T


def _to_ycbcr(pixels: np.ndarray) -> np.ndarray:
    return pixels @ COLOR.T + CENTRE


def _transform(ycbcr: np.ndarray, tables: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Y, Cb, Cr -> coefficients in steps."""
    batch, height, width, _ = ycbcr.shape
    halved = ycbcr[..., 1:].reshape(batch, height // 2, 2, width // 2, 2, 2).mean((2, 4))
    planes = [ycbcr[..., 0], halved[..., 0], halved[..., 1]]
    return [
        DCT @ _to_blocks(plane - 128) @ DCT.T / table
        for plane, table in zip(planes, tables, strict=True)
    ]


def _planes(steps: Sequence[np.ndarray], tables: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Coefficients in steps -> planes, less 128."""
    planes = []
    for part, table in zip(steps, tables, strict=True):
        blocks = DCT.T @ (part * table) @ DCT
        batch, down, across = blocks.shape[:3]
        planes.append(blocks.transpose(0, 1, 3, 2, 4).reshape(batch, 8 * down, 8 * across))
    return planes


def _to_blocks(plane: np.ndarray) -> np.ndarray:
    batch, height, width = plane.shape
    return plane.reshape(batch, height // 8, 8, width // 8, 8).transpose(0, 1, 3, 2, 4)


def _repeat(plane: np.ndarray) -> np.ndarray:
    return plane.repeat(2, 1).repeat(2, 2)


def _triangle(plane: np.ndarray, axis: int) -> np.ndarray:
    """Twice the samples along an axis: 3/4 of the nearer, 1/4 of the farther."""
    border = [(1, 1) if i == axis else (0, 0) for i in range(3)]
    padded = np.moveaxis(np.pad(plane, border, "edge"), axis, 0)
    middle = 0.75 * padded[1:-1]
    pairs = np.stack([middle + 0.25 * padded[:-2], middle + 0.25 * padded[2:]], 1)
    return np.moveaxis(pairs.reshape(-1, *pairs.shape[2:]), 0, axis)
