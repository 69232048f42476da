"""Writes TFLite files, each with a card, once they have been run and compared."""

import hashlib
import json
import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from export.network import Network
from export.tflite import checks
from export.tflite.convert import convert_network
from export.tflite.projection import SAMPLINGS, convert_projection
from keras_jpeg_gan.decoding.tiles import GRID
from keras_jpeg_gan.errors import ModelError
from keras_jpeg_gan.models import costs
from keras_jpeg_gan.models.cards import TFLiteCard
from keras_jpeg_gan.system import captured_standard_error, write_atomically


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
        path: NAME.tflite, replaced if it exists.
        tile: side of the square that it takes in pixels, or None for any size.
        precision: float32, float16 or int8 weights.
        images: photographs to compare on, [H, W, 3] uint8.
        as_bytes: pixels are uint8 instead of float32, in and out.

    Returns:
        A line that says what was written.

    Raises:
        ModelError: the file differs more from Keras than its precision allows.
    """
    with captured_standard_error():
        content = convert_network(network, tile, precision, as_bytes)
        found = checks.compare_with_keras(content, network, tile, images)
    checks.require_close(found, precision)
    inputs = _described_inputs(network, tile, as_bytes)
    card = TFLiteCard(
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
        checks=found,
    )
    write_atomically(path, content)
    card.write(path.with_name(path.name + ".json"))
    return (
        f"{path}: {len(content) / 1e6:.2f} MB; differs from Keras by {found['max_difference']:.3g} "
        f"grey levels at most, {found['mean_difference']:.2g} on average; "
        f"{found['psnr_lost']:.3f} dB lost"
    )


def write_projection(path: pathlib.Path, tile: int, image: np.ndarray) -> str:
    """Write the float projection of tiles and its card, as `write_network` does a network.

    Raises:
        ModelError: its result is not consistent.
    """
    with captured_standard_error():
        content = convert_projection(tile)
        violation = checks.largest_violation(content, tile, image)
    if not violation <= 0.5:
        raise ModelError(f"{path}: violation of {violation:.3f} steps: not written")
    write_atomically(path, content)
    card = {
        "sha256": hashlib.sha256(content).hexdigest(),
        "tile": tile,
        "samplings": [sampling.name for sampling in SAMPLINGS],
        "checks": {"max_violation": violation},
    }
    path.with_name(path.name + ".json").write_text(json.dumps(card, indent=2) + "\n")
    return f"{path}: {len(content) / 1e6:.2f} MB; violation {violation:.3f} steps at most"


def _described_inputs(network: Network, tile: int | None, as_bytes: bool) -> dict[str, Any]:
    """The inputs of `restore` as the card describes them."""
    ranges = {"pixels": "0 to 255", "tables": "steps, 1 to 255; luma, chroma; natural order"}
    return {
        name: {
            "shape": spec.shape.as_list(),
            "dtype": spec.dtype.name,
            "range": ranges.get(name, "standard normal"),
        }
        for name, spec in network.specs(tile, as_bytes).items()
    }
