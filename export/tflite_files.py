"""Models and the float projection as TFLite files, each run and compared before it is written."""

import dataclasses
import hashlib
import json
import pathlib
import tempfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from keras_jpeg_gan.data.degradation import degrade
from keras_jpeg_gan.decoding.noise import window
from keras_jpeg_gan.decoding.tiles import GRID
from keras_jpeg_gan.errors import ModelError
from keras_jpeg_gan.jpeg.projection.floating import MARGIN
from keras_jpeg_gan.jpeg.tensors import codec, consistency
from keras_jpeg_gan.metrics.distortion import psnr
from keras_jpeg_gan.models import costs
from keras_jpeg_gan.models.base import BaseGenerator
from keras_jpeg_gan.models.cards import LightCard, ModelCard
from keras_jpeg_gan.models.saving import load_model
from keras_jpeg_gan.system import captured_standard_error, write_atomically

SAMPLINGS = ("4:4:4", "4:2:2", "4:2:0")
# What each precision may differ by from Keras: grey levels at most and on average, and dB of
# PSNR lost on photographs.
_ALLOWED = {"float32": (0.05, 0.005, 0.001), "float16": (2.0, 0.1, 0.005), "int8": (40, 1.5, 0.2)}
PRECISIONS = tuple(_ALLOWED)
# Of the photographs that the comparison compresses.
_QUALITY = 10
# A file of any size is run at this one.
_SIZE = 256


@dataclasses.dataclass(frozen=True)
class Network:
    """A generator as functions of tensors that TFLite takes.

    Attributes:
        generator: with its weights; card: what they are.
    """

    generator: BaseGenerator
    card: ModelCard

    @classmethod
    def load(cls, model: str | pathlib.Path) -> "Network":
        """A model by name or path.

        Raises:
            ModelError: as `saving.load_model`.
        """
        return cls(*load_model(model))

    @property
    def noise_strides(self) -> tuple[int, ...]:
        """Pixels of a side under a position of each noise field; none for a regression."""
        if not self.card.draws_samples:
            return ()
        return self.generator.noise_strides

    def specs(self, tile: int | None, as_bytes: bool) -> dict[str, tf.TensorSpec]:
        """The inputs of `restore`, by name."""
        kind = tf.uint8 if as_bytes else tf.float32
        sides = [None if tile is None else tile // stride for stride in self.noise_strides]
        return {
            "pixels": tf.TensorSpec((1, tile, tile, 3), kind, "pixels"),
            "tables": tf.TensorSpec((1, 2, 8, 8), tf.float32, "tables"),
            **{
                f"noise_{i}": tf.TensorSpec((1, side, side, 1), tf.float32, f"noise_{i}")
                for i, side in enumerate(sides)
            },
        }

    def inputs(self, tile: int | None, as_bytes: bool) -> dict[str, Any]:
        """The inputs of `restore` as a card tells them."""
        ranges = {"pixels": "0 to 255", "tables": "steps, 1 to 255; luma, chroma; natural order"}
        return {
            name: {
                "shape": spec.shape.as_list(),
                "dtype": spec.dtype.name,
                "range": ranges.get(name, "standard normal"),
            }
            for name, spec in self.specs(tile, as_bytes).items()
        }

    def restore(self, pixels: Any, tables: Any, **noise: Any) -> dict[str, Any]:
        """The signature: pixels 0..255 to pixels, of the same type; float is not clipped."""
        fields = [noise[f"noise_{i}"] for i in range(len(noise))] or None
        image = tf.cast(pixels, tf.float32) / 255
        restored = 255 * self.generator(image, tables, fields)
        if pixels.dtype == tf.uint8:
            restored = tf.cast(tf.clip_by_value(tf.round(restored), 0, 255), tf.uint8)
        return {"restored": restored}

    def convert(self, tile: int | None, precision: str, as_bytes: bool) -> bytes:
        """The TFLite file with signature `restore`."""
        specs = self.specs(tile, as_bytes)
        function = tf.function(self.restore).get_concrete_function(**specs)
        return _convert(
            [v.value for v in self.generator.variables], {"restore": function}, precision
        )

    def compare(self, content: bytes, tile: int | None, images: Sequence[np.ndarray]) -> dict:
        """A TFLite file beside Keras on photographs: differences in grey levels, and dB lost."""
        size = tile or _SIZE
        runner = _interpreter(content).get_signature_runner("restore")
        kind = runner.get_input_details()["pixels"]["dtype"]
        noise = {
            f"noise_{i}": window(0, i, 0, 0, size // stride, size // stride)[None, ..., None]
            for i, stride in enumerate(self.noise_strides)
        }
        largest, means, lost = 0.0, [], []
        for image in images:
            original = _square(image, size)
            compressed, tables = degrade(original, _QUALITY, "4:2:0")
            given = {"tables": tables[None], **noise}
            found = runner(pixels=compressed[None].astype(kind), **given)["restored"][0]
            expected = self.restore(tf.constant(compressed[None], kind), **given)["restored"]
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


def check(checks: Mapping[str, float], precision: str) -> None:
    """Refuse a file that is off.

    Raises:
        ModelError: it differs more from Keras than its precision may, or is not a number.
    """
    for (name, value), allowed in zip(checks.items(), _ALLOWED[precision], strict=True):
        if not value <= allowed:
            raise ModelError(f"{precision}: {name} {value:.4g} is more than {allowed}: not written")


def projection(tile: int) -> bytes:
    """The float projection of tiles of whole MCUs, always in float32.

    Signatures, for S in 444, 422, 420: `project_S` takes pixels and decoded [1, T, T, 3]
    float32, 0..255, and tables [1, 3, 8, 8]; its levels are those that the decoded tile has.
    `project_levels_S` takes levels_y, levels_cb and levels_cr [1, Hb, Wb, 8, 8] in place of
    decoded. Both return projected [1, T, T, 3], not clipped.
    """
    functions = {}
    pixels = tf.TensorSpec((1, tile, tile, 3), tf.float32, "pixels")
    decoded = tf.TensorSpec((1, tile, tile, 3), tf.float32, "decoded")
    tables = tf.TensorSpec((1, 3, 8, 8), tf.float32, "tables")
    for sampling in SAMPLINGS:
        name = sampling.replace(":", "")
        functions[f"project_{name}"] = tf.function(_from_decode(sampling)).get_concrete_function(
            pixels=pixels, decoded=decoded, tables=tables
        )
        levels = {
            part: tf.TensorSpec((1, tile // 8 // down, tile // 8 // across, 8, 8), tf.float32, part)
            for part, (across, down) in zip(
                ("levels_y", "levels_cb", "levels_cr"),
                codec.component_ratios(sampling, 3),
                strict=True,
            )
        }
        functions[f"project_levels_{name}"] = tf.function(
            _from_levels(sampling)
        ).get_concrete_function(pixels=pixels, tables=tables, **levels)
    return _convert([], functions, "float32")


def _from_decode(sampling: str) -> Callable[..., dict[str, Any]]:
    def project(pixels: Any, decoded: Any, tables: Any) -> dict[str, Any]:
        parts = tf.unstack(tables, axis=1)
        levels = codec.compress(decoded, parts, sampling, rounded=False)
        return {"projected": consistency.project(pixels, levels, parts, sampling, MARGIN)}

    return project


def _from_levels(sampling: str) -> Callable[..., dict[str, Any]]:
    def project(
        pixels: Any, levels_y: Any, levels_cb: Any, levels_cr: Any, tables: Any
    ) -> dict[str, Any]:
        levels, parts = [levels_y, levels_cb, levels_cr], tf.unstack(tables, axis=1)
        return {"projected": consistency.project(pixels, levels, parts, sampling, MARGIN)}

    return project


def largest_violation(content: bytes, tile: int, image: np.ndarray) -> float:
    """Of `project_420` in steps, on a compressed photograph with noise; consistent is <= 1/2.

    The file's result is judged with the levels of the decode, as it saw them.
    """
    compressed, tables = degrade(_square(image, tile), _QUALITY, "4:2:0")
    noise = np.random.default_rng(0).normal(0, 12, compressed.shape)
    decoded = compressed[None].astype(np.float32)
    three = tables[None, [0, 1, 1]]
    found = _interpreter(content).get_signature_runner("project_420")(
        pixels=(decoded + noise).astype(np.float32), decoded=decoded, tables=three
    )["projected"]
    parts = tf.unstack(three, axis=1)
    levels = codec.compress(decoded, parts, "4:2:0", rounded=False)
    outside = consistency.violation(found, levels, parts, "4:2:0")
    return max(float(tf.reduce_max(part)) for part in outside)


def write_network(
    network: Network,
    path: pathlib.Path,
    tile: int | None,
    precision: str,
    images: Sequence[np.ndarray],
    as_bytes: bool = False,
) -> str:
    """Convert, compare, and write a TFLite file and its card NAME.tflite.json.

    Args:
        path: NAME.tflite, replaced if it is there.
        tile: side of the square that it takes, or None for any size.
        precision: of `PRECISIONS`.
        images: photographs to compare on, [H, W, 3] uint8.
        as_bytes: pixels in and out as uint8.

    Returns:
        What was written, in a line.

    Raises:
        ModelError: the file differs more from Keras than its precision may.
    """
    with captured_standard_error():
        content = network.convert(tile, precision, as_bytes)
        checks = network.compare(content, tile, images)
    check(checks, precision)
    inputs = network.inputs(tile, as_bytes)
    card = LightCard(
        model=network.card.name,
        weights_sha256=network.card.sha256,
        sha256=hashlib.sha256(content).hexdigest(),
        precision=precision,
        tile=tile,
        inputs=inputs,
        outputs={"restored": {**inputs["pixels"], "range": "0 to 255, not clipped"}},
        halo=costs.halo(network.generator, GRID),
        noise_strides=network.noise_strides,
        macs_per_pixel=costs.macs_per_pixel(network.generator),
        checks=checks,
    )
    write_atomically(path, content)
    card.write(path.with_name(path.name + ".json"))
    return (
        f"{path}: {len(content) / 1e6:.2f} MB; from Keras {checks['max_difference']:.3g} grey "
        f"levels at most, {checks['mean_difference']:.2g} on average; "
        f"{checks['psnr_lost']:.3f} dB lost"
    )


def write_projection(path: pathlib.Path, tile: int, image: np.ndarray) -> str:
    """As `write_network`, of the float projection of tiles; its card has fewer words.

    Raises:
        ModelError: its result is not consistent.
    """
    with captured_standard_error():
        content = projection(tile)
        violation = largest_violation(content, tile, image)
    if not violation <= 0.5:
        raise ModelError(f"{path}: violation of {violation:.3f} steps: not written")
    write_atomically(path, content)
    card = {
        "sha256": hashlib.sha256(content).hexdigest(),
        "tile": tile,
        "samplings": SAMPLINGS,
        "checks": {"max_violation": violation},
    }
    path.with_name(path.name + ".json").write_text(json.dumps(card, indent=2) + "\n")
    return f"{path}: {len(content) / 1e6:.2f} MB; violation {violation:.3f} steps at most"


def _convert(variables: Sequence[Any], functions: Mapping[str, Any], precision: str) -> bytes:
    # Only a SavedModel that tracks the variables converts with their values.
    module = tf.Module()
    module.tracked = list(variables)
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(module, folder, signatures=dict(functions))
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=list(functions))
        if precision != "float32":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if precision == "float16":
            converter.target_spec.supported_types = [tf.float16]
        return converter.convert()


def _interpreter(content: bytes) -> Interpreter:
    return Interpreter(model_content=content, num_threads=2)


def _square(image: np.ndarray, size: int) -> np.ndarray:
    """The middle of a photograph, or where it is smaller, the photograph mirrored."""
    short = [max(size - side, 0) for side in image.shape[:2]]
    padded = np.pad(image, [(0, short[0]), (0, short[1]), (0, 0)], mode="symmetric")
    top, left = ((side - size) // 2 for side in padded.shape[:2])
    return padded[top : top + size, left : left + size]
