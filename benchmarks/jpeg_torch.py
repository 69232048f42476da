"""The JPEG operations in PyTorch, written in the obvious way: 4:2:0, whole MCUs.

Images are [B, 3, H, W]; levels and tables are those of `keras_jpeg_gan.jpeg.tensors.codec`.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from benchmarks.inputs import Settings, jpeg_operands, jpeg_path
from benchmarks.jpeg_numpy import CENTRE, COLOR, DCT
from benchmarks.processes import Tasks
from keras_jpeg_gan.jpeg import emulator
from keras_jpeg_gan.jpeg.file import JpegFile

Tensors = Sequence[torch.Tensor]

# jfdctint.c's, 4 sqrt(8) times the orthonormal one, in multiples of 1/8192.
_LIBJPEG = (np.round(8192 * np.sqrt(8) * DCT) / 2048).astype(np.float32)


def facts() -> dict[str, Any]:
    """Versions."""
    return {"PyTorch": torch.__version__}


def prepare(settings: Settings) -> Tasks:
    """The operations on the photograph."""
    torch.set_num_threads(settings.threads)
    file = JpegFile.read(jpeg_path(settings))
    arrays, parts, steps = jpeg_operands(file)
    pixels = torch.from_numpy(arrays).permute(0, 3, 1, 2).contiguous()
    levels = [torch.from_numpy(part) for part in parts]
    tables = [torch.from_numpy(table) for table in steps]

    def penalized() -> Any:
        image = pixels.requires_grad_(True)
        costs = penalty(image, levels, tables)
        (gradient,) = torch.autograd.grad(costs.sum(), image)
        return costs.detach(), _last(gradient)

    def without_gradient(operation: Any) -> Any:
        return torch.inference_mode()(operation)

    return {
        "compress": without_gradient(lambda: compress(pixels, tables, rounded=False)),
        "decompress": without_gradient(lambda: _last(decompress(levels, tables))),
        "penalty": penalized,
        "projection": without_gradient(lambda: _last(project(pixels, levels, tables))),
        "compress, rounded as libjpeg": without_gradient(lambda: compress(pixels, tables)),
    }


def compress(pixels: torch.Tensor, tables: Tensors, rounded: bool = True) -> list[torch.Tensor]:
    """Levels, in real arithmetic or rounded as libjpeg rounds."""
    if not rounded:
        return [torch.round(part) for part in _transform(_to_ycbcr(pixels), tables)]
    weights = torch.from_numpy(emulator.COLOR).to(pixels)
    offsets = torch.from_numpy(emulator.COLOR_ROUNDING).to(pixels)
    ycbcr = torch.einsum("dc,bchw->bdhw", weights, pixels) + offsets[:, None, None]
    ycbcr = torch.floor(ycbcr / 65536)
    bias = torch.from_numpy(emulator.downsampling_bias(2, 2, pixels.shape[3] // 2)).to(pixels)
    halved = torch.floor(functional.avg_pool2d(ycbcr[:, 1:], 2) + bias / 4)
    matrix = torch.from_numpy(_LIBJPEG)
    levels = []
    for plane, table in zip((ycbcr[:, 0], halved[:, 0], halved[:, 1]), tables, strict=True):
        rows = torch.floor(_to_blocks(plane - 128) @ matrix.T + 0.5)
        steps = torch.floor(matrix / 16 @ rows + 0.5) / 8 / _over_blocks(table)
        levels.append(torch.sign(steps) * torch.floor(steps.abs() * (1 + 2**-20) + 0.5))
    return levels


def decompress(levels: Tensors, tables: Tensors) -> torch.Tensor:
    """Pixels in real arithmetic, chroma by the triangle filter."""
    luma, *chroma = _planes(levels, tables)
    smooth = functional.interpolate(torch.stack(chroma, 1), scale_factor=2, mode="bilinear")
    return _change_to_rgb(torch.cat([luma[:, None] + 128, smooth], 1))


def penalty(pixels: torch.Tensor, levels: Tensors, tables: Tensors) -> torch.Tensor:
    """The penalty C of each image [B]."""
    found = _transform(_to_ycbcr(pixels).clamp(0, 255), tables)
    costs = []
    for part, wanted in zip(found, levels, strict=True):
        excess = functional.relu((part - wanted).abs() - 0.4)
        quadratic = excess.clamp(max=0.2)
        costs.append((2.5 * quadratic**2 + excess - quadratic).flatten(1))
    return torch.cat(costs, 1).mean(1)


def project(pixels: torch.Tensor, levels: Tensors, tables: Tensors) -> torch.Tensor:
    """The nearest consistent pixels."""
    found = _transform(_to_ycbcr(pixels), tables)
    errors = [a - b for a, b in zip(found, levels, strict=True)]
    luma, *chroma = _planes([error.clamp(-0.5, 0.5) - error for error in errors], tables)
    repeated = functional.interpolate(torch.stack(chroma, 1), scale_factor=2, mode="nearest")
    return pixels + _change_to_rgb(torch.cat([luma[:, None], repeated], 1))


def _to_ycbcr(pixels: torch.Tensor) -> torch.Tensor:
    ycbcr = torch.einsum("dc,bchw->bdhw", torch.from_numpy(COLOR), pixels)
    return ycbcr + torch.from_numpy(CENTRE)[:, None, None]


def _change_to_rgb(change: torch.Tensor) -> torch.Tensor:
    return torch.einsum("dc,bchw->bdhw", torch.from_numpy(COLOR).inverse(), change)


def _transform(ycbcr: torch.Tensor, tables: Tensors) -> list[torch.Tensor]:
    """Y, Cb, Cr -> coefficients in steps."""
    matrix = torch.from_numpy(DCT)
    halved = functional.avg_pool2d(ycbcr[:, 1:], 2)
    planes = ycbcr[:, 0], halved[:, 0], halved[:, 1]
    return [
        matrix @ _to_blocks(plane - 128) @ matrix.T / _over_blocks(table)
        for plane, table in zip(planes, tables, strict=True)
    ]


def _planes(steps: Tensors, tables: Tensors) -> list[torch.Tensor]:
    """Coefficients in steps -> planes, less 128."""
    matrix = torch.from_numpy(DCT)
    planes = []
    for part, table in zip(steps, tables, strict=True):
        blocks = matrix.T @ (part * _over_blocks(table)) @ matrix
        batch, down, across = blocks.shape[:3]
        planes.append(blocks.transpose(2, 3).reshape(batch, 8 * down, 8 * across))
    return planes


def _to_blocks(plane: torch.Tensor) -> torch.Tensor:
    batch, height, width = plane.shape
    return plane.reshape(batch, height // 8, 8, width // 8, 8).transpose(2, 3)


def _over_blocks(table: torch.Tensor) -> torch.Tensor:
    """[B, 8, 8] or [8, 8] -> something that broadcasts to [B, Hb, Wb, 8, 8]."""
    return table[..., None, None, :, :]


def _last(image: torch.Tensor) -> torch.Tensor:
    """[B, 3, H, W] -> [B, H, W, 3], to be compared."""
    return image.permute(0, 2, 3, 1)
