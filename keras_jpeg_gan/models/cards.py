"""Models as files: weights with a JSON card beside them, bundled by name or anywhere by path.

Loads neither Keras nor TensorFlow.
"""

import dataclasses
import json
import pathlib
from typing import Any

from keras_jpeg_gan.errors import ModelError
from keras_jpeg_gan.system import file_sha256

BUNDLED = pathlib.Path(__file__).parents[1] / "weights"
WEIGHTS_SUFFIX = ".weights.h5"
LIGHT_SUFFIX = ".tflite"


@dataclasses.dataclass(frozen=True)
class ModelCard:
    """What a model is and where it comes from.

    Attributes:
        name: its name; preset: its architecture.
        kind: "regression" (the MMSE estimate, noise unused) or "sampler".
        sha256: hash of the weights file.
        trained: what was trained, on what, for how long.
        validation: figures, each with its conditions in its name.
        limits: what it cannot do.
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
class LightCard:
    """What a TFLite file of a model is; it stands beside it as NAME.tflite.json.

    Attributes:
        model: the model's name; weights_sha256: hash of its weights.
        sha256: hash of the TFLite file.
        precision: float32, float16, or int8 (dynamic range).
        tile: side of the square that it takes, in pixels; None where it takes any size.
        inputs, outputs: of signature `restore`, by name: shape, type and range.
        halo: pixels around a tile that its result depends on.
        noise_strides: of each noise field, how many pixels of a side lie under one position.
        macs_per_pixel: multiply-accumulates.
        checks: what the exporter measured against Keras.
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


def light_path(weights: pathlib.Path) -> pathlib.Path:
    """Where the TFLite model of a weights file is: NAME.tflite beside NAME.weights.h5."""
    return weights.with_name(weights.name.removesuffix(WEIGHTS_SUFFIX) + LIGHT_SUFFIX)


def find_light(weights: pathlib.Path) -> tuple[pathlib.Path, LightCard] | None:
    """Find the TFLite model of a weights file, and its card.

    Returns:
        None where there is none, or one of other weights.

    Raises:
        ModelError: its card cannot be read, or does not describe it.
    """
    path = light_path(weights)
    card_path = path.with_name(path.name + ".json")
    if not (path.is_file() and card_path.is_file()):
        return None
    try:
        values = json.loads(card_path.read_text())
        card = LightCard(**{**values, "noise_strides": tuple(values["noise_strides"])})
    except (ValueError, TypeError, KeyError) as error:
        raise ModelError(f"{card_path}: not the card of a TFLite model ({error})") from error
    if card.weights_sha256 != file_sha256(weights):
        return None
    if card.sha256 != file_sha256(path):
        raise ModelError(f"{path}: damaged, or not the file that its card describes")
    return path, card


def find_model(name_or_path: str | pathlib.Path) -> tuple[pathlib.Path, ModelCard]:
    """A model's weights file and card.

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
