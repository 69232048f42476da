"""This library's decoder on LiteRT, stage by stage, and libjpeg-turbo's plain decode."""

import importlib.metadata
from typing import Any

import numpy as np

from benchmarks import inputs
from benchmarks.processes import Tasks
from keras_jpeg_gan.decoding.decoder import Decoder
from keras_jpeg_gan.jpeg import encoder
from keras_jpeg_gan.jpeg.projection import exact

MATRIX = 2048


def facts() -> dict[str, Any]:
    """Versions."""
    return {"LiteRT": importlib.metadata.version("ai-edge-litert"), "NumPy": np.__version__}


def prepare(settings: inputs.Settings) -> Tasks:
    """The decoder's stages, with their inputs prepared."""
    data = inputs.jpeg_path(settings).read_bytes()
    decoder = Decoder(settings.model, runtime="litert", threads=settings.threads)
    file = decoder.read(data)
    strides = decoder.runtime.noise_strides
    pixels, tables, noise = inputs.network_inputs(file, strides)
    estimate = decoder.estimate(file)
    final = exact.project(estimate, file.quantized)
    matrix = np.random.default_rng(0).random((MATRIX, MATRIX), np.float32)
    return {
        "whole": lambda: inputs.png(decoder.restore(data).pixels),
        "read": lambda: decoder.read(data).pixels,
        "noise": lambda: inputs.network_inputs(file, strides)[2],
        "network": lambda: decoder.runtime.restore(pixels, tables, noise),
        "projection": lambda: exact.project(estimate, file.quantized),
        "certificate": lambda: encoder.certify(final, file.quantized).exact,
        "png": lambda: inputs.png(final),
        "libjpeg": lambda: inputs.read_jpeg(data),
        "matrix": lambda: matrix @ matrix,
    }
