"""Models as files: weights with a JSON card beside them, bundled under a name, or at any path.

Needs neither Keras nor TensorFlow.
"""

import dataclasses
import json
import pathlib
from typing import Any

from keras_jpeg_gan.errors import ModelError
from keras_jpeg_gan.system import file_sha256

BUNDLED = pathlib.Path(__file__).parents[1] / "weights"
WEIGHTS_SUFFIX = ".weights.h5"
TFLITE_SUFFIX = ".tflite"


@dataclasses.dataclass(frozen=True)
class ModelCard:
    """What a model is, and how it was made.

    Attributes:
        name: name of the model.
        preset: its architecture.
        kind: "regression" (the MMSE estimate, noise unused) or "sampler".
        sha256: hash of the weights file.
        trained: what was trained, on what, for how long.
        validation: figures, with their conditions in their names.
        limits: what the model cannot do.
    """

    name: str
    preset: str
    kind: str
    sha256: str
    trained: dict[str, Any]
    validation: dict[str, float]
    limits: str

    @property
    def draws_samples(self) -> bool:
        """Whether the seed matters."""
        return self.kind == "sampler"

    def write(self, path: pathlib.Path) -> None:
        """Write the card as JSON."""
        path.write_text(json.dumps(dataclasses.asdict(self), indent=2) + "\n")


@dataclasses.dataclass(frozen=True)
class TFLiteCard:
    """What a TFLite model is. It is saved beside the model, as NAME.tflite.json.

    Attributes:
        model: name of the model.
        weights_sha256: hash of its weights file.
        sha256: hash of the TFLite file.
        precision: float32, float16, or int8 (dynamic range).
        tile: side of its square input, in pixels; None if it takes any size.
        inputs, outputs: shape, type and range of each tensor of the signature `restore`.
        halo: pixels around a tile that its result depends on.
        noise_strides: pixels per position along a side, for each noise field.
        macs_per_pixel: multiply-accumulates per pixel.
        checks: how it differs from Keras, as measured by the exporter.
    """

    model: str
    weights_sha256: str
    sha256: str
    precision: str
    tile: int | None
    inputs: dict[str, Any]
    outputs: dict[str, Any]
    halo: int
    noise_strides: tuple[int, ...]
    macs_per_pixel: float
    checks: dict[str, float]

    def write(self, path: pathlib.Path) -> None:
        """Write the card as JSON."""
        path.write_text(json.dumps(dataclasses.asdict(self), indent=2) + "\n")


def bundled_models() -> list[str]:
    """Names of the models that come with the package."""
    return sorted(
        path.name.removesuffix(WEIGHTS_SUFFIX) for path in BUNDLED.glob(f"*{WEIGHTS_SUFFIX}")
    )


def tflite_path(weights: pathlib.Path) -> pathlib.Path:
    """Where the TFLite model of a weights file is: NAME.tflite beside NAME.weights.h5."""
    return weights.with_name(weights.name.removesuffix(WEIGHTS_SUFFIX) + TFLITE_SUFFIX)


def find_tflite(weights: pathlib.Path) -> tuple[pathlib.Path, TFLiteCard] | None:
    """Find the TFLite model of a weights file, and its card.

    Returns:
        None if there is none, or if it was made from other weights.

    Raises:
        ModelError: the card cannot be read, or describes another file.
    """
    path = tflite_path(weights)
    card_path = path.with_name(path.name + ".json")
    if not (path.is_file() and card_path.is_file()):
        return None
    try:
        values = json.loads(card_path.read_text())
        card = TFLiteCard(**{**values, "noise_strides": tuple(values["noise_strides"])})
    except (ValueError, TypeError, KeyError) as error:
        raise ModelError(f"{card_path}: not the card of a TFLite model ({error})") from error
    if card.weights_sha256 != file_sha256(weights):
        return None
    if card.sha256 != file_sha256(path):
        raise ModelError(f"{path}: damaged, or not the file that its card describes")
    return path, card


def find_model(name_or_path: str | pathlib.Path) -> tuple[pathlib.Path, ModelCard]:
    """Find a model's weights file and card.

    Args:
        name_or_path: a bundled name, or a NAME.weights.h5 with NAME.json beside it.

    Raises:
        ModelError: there is no such model, its card cannot be read, or the weights are not
            those that the card describes.
    """
    name = str(name_or_path)
    if name.endswith(WEIGHTS_SUFFIX):
        weights = pathlib.Path(name_or_path)
    elif name in bundled_models():
        weights = BUNDLED / (name + WEIGHTS_SUFFIX)
    else:
        raise ModelError(
            f"no model {name!r}: give one of {', '.join(bundled_models())} "
            f"or a path that ends with {WEIGHTS_SUFFIX}"
        )
    card_path = weights.with_name(weights.name.removesuffix(WEIGHTS_SUFFIX) + ".json")
    for path in (weights, card_path):
        if not path.is_file():
            raise ModelError(f"model {name!r}: there is no file {path}")
    try:
        card = ModelCard(**json.loads(card_path.read_text()))
    except (ValueError, TypeError) as error:
        raise ModelError(f"{card_path}: not a model card ({error})") from error
    if card.sha256 != file_sha256(weights):
        raise ModelError(f"{weights}: damaged, or not the weights that its card describes")
    return weights, card
