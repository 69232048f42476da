"""TFLite files run by LiteRT and compared with Keras, before they are written."""

from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from export.network import Network
from keras_jpeg_gan.data.degradation import degrade
from keras_jpeg_gan.decoding.noise import window
from keras_jpeg_gan.errors import ModelError
from keras_jpeg_gan.jpeg.levels import Quantized
from keras_jpeg_gan.jpeg.sampling import Sampling
from keras_jpeg_gan.jpeg.tensors import codec, consistency
from keras_jpeg_gan.metrics.distortion import psnr

# How far each precision may be from Keras: the largest and the mean difference in grey levels,
# and the PSNR lost on photographs in dB.
_ALLOWED = {"float32": (0.05, 0.005, 0.001), "float16": (2.0, 0.1, 0.005), "int8": (40, 1.5, 0.2)}
# IJG quality at which the photographs are compressed.
_QUALITY = 10
_SAMPLING = Sampling.parse("4:2:0")
# Side in pixels at which a file that takes any size is run.
_SIZE = 256


def compare_with_keras(
    content: bytes, network: Network, tile: int | None, images: Sequence[np.ndarray]
) -> dict[str, float]:
    """Run a TFLite file and Keras on the same photographs.

    Args:
        content: the TFLite file.
        tile: side of its tile in pixels, or None for any size.
        images: photographs, [H, W, 3] uint8.

    Returns:
        max_difference and mean_difference in grey levels, psnr_lost in dB.
    """
    size = tile or _SIZE
    runner = _interpreter(content).get_signature_runner("restore")
    kind = runner.get_input_details()["pixels"]["dtype"]
    noise = {
        f"noise_{i}": window(0, i, 0, 0, size // stride, size // stride)[None, ..., None]
        for i, stride in enumerate(network.noise_strides)
    }
    largest, means, lost = 0.0, [], []
    for image in images:
        original = _square(image, size)
        compressed, tables = degrade(original, _QUALITY, _SAMPLING)
        given = {"tables": tables[None], **noise}
        found = runner(pixels=compressed[None].astype(kind), **given)["restored"][0]
        expected = network.restore(tf.constant(compressed[None], kind), **given)["restored"]
        expected = expected.numpy()[0].astype(np.float32)
        difference = np.abs(found - expected)
        largest = max(largest, float(difference.max()))
        means.append(float(difference.mean()))
        lost.append(psnr(original, expected) - psnr(original, found))
    return {
        "max_difference": largest,
        "mean_difference": float(np.mean(means)),
        "psnr_lost": float(np.mean(lost)),
    }


def require_close(checks: Mapping[str, float], precision: str) -> None:
    """Refuse a file that is too far from Keras.

    Args:
        checks: as `compare_with_keras` returns them.

    Raises:
        ModelError: a difference is larger than the precision allows, or not a number.
    """
    for (name, value), allowed in zip(checks.items(), _ALLOWED[precision], strict=True):
        if not value <= allowed:
            raise ModelError(f"{precision}: {name} {value:.4g} is more than {allowed}: not written")


def largest_violation(content: bytes, tile: int, image: np.ndarray) -> float:
    """The largest violation that `project_420` leaves on a noisy photograph, in steps.

    Consistent is <= 1/2, judged with the levels of the decoded tile, which is what the file saw.
    """
    compressed, tables = degrade(_square(image, tile), _QUALITY, _SAMPLING)
    noise = np.random.default_rng(0).normal(0, 12, compressed.shape)
    decoded = compressed[None].astype(np.float32)
    three = tables[None, [0, 1, 1]]
    found = _interpreter(content).get_signature_runner("project_420")(
        pixels=(decoded + noise).astype(np.float32), decoded=decoded, tables=three
    )["projected"]
    parts = tf.unstack(three, axis=1)
    levels = codec.compress(decoded, parts, _SAMPLING, rounded=False)
    outside = consistency.violation(found, Quantized(levels, parts, _SAMPLING))
    return max(float(tf.reduce_max(part)) for part in outside)


def _interpreter(content: bytes) -> Interpreter:
    return Interpreter(model_content=content, num_threads=2)


def _square(image: np.ndarray, size: int) -> np.ndarray:
    """The middle of a photograph, mirrored at its borders where it is smaller than that."""
    short = [max(size - side, 0) for side in image.shape[:2]]
    padded = np.pad(image, [(0, short[0]), (0, short[1]), (0, 0)], mode="symmetric")
    top, left = ((side - size) // 2 for side in padded.shape[:2])
    return padded[top : top + size, left : left + size]
