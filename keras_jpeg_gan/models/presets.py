"""Trained models: presets with weights."""

import pathlib
from typing import Any

import h5py

from keras_jpeg_gan.errors import ModelError
from keras_jpeg_gan.models.cards import WEIGHTS_SUFFIX, ModelCard, find_model
from keras_jpeg_gan.models.generator import PRESETS, Generator
from keras_jpeg_gan.system import file_sha256

_LIMITS = {
    "regression": "Restored detail is an estimate, not evidence: not for forensic or medical "
    "purposes.",
    "sampler": "Restored detail is invention, another for each seed: no evidence of what was "
    "there, and not for forensic or medical purposes. Faces, letters and fine patterns may come "
    "out wrong.",
}
_DOMAIN = " Trained on photographs compressed once by libjpeg, quality 5 to 95."


def load_weights(generator: Generator, path: str | pathlib.Path) -> None:
    """Assign the weights of a .weights.h5 file, which holds arrays and nothing to execute.

    Raises:
        ModelError: the file is missing, damaged, or of another architecture.
    """
    try:
        generator.load_weights(path)
    except (OSError, ValueError, KeyError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else repr(error)
        raise ModelError(f"{path}: weights do not load ({reason})") from error


def save_model(
    generator: Generator,
    path: pathlib.Path,
    kind: str,
    trained: dict[str, Any],
    validation: dict[str, float],
    dtype: str = "float32",
) -> None:
    """Write NAME.weights.h5 and its card NAME.json, whole, for `load_model` and --model.

    Args:
        generator: of a preset, whose name it bears.
        path: of the weights, NAME.weights.h5; what stood there is replaced.
        kind, trained, validation: as in `ModelCard`.
        dtype: of the stored weights.
    """
    name = path.name.removesuffix(WEIGHTS_SUFFIX)
    unfinished = path.with_name(f"{name}.unfinished{WEIGHTS_SUFFIX}")
    save_weights(generator, unfinished, dtype)
    card = ModelCard(
        name=name,
        preset=generator.name,
        kind=kind,
        sha256=file_sha256(unfinished),
        trained=trained,
        validation=validation,
        limits=_LIMITS[kind] + _DOMAIN,
    )
    unfinished.replace(path)
    card.write(path.with_name(f"{name}.json"))


def save_weights(generator: Generator, path: str | pathlib.Path, dtype: str = "float16") -> None:
    """Write a generator's weights to a .weights.h5 file in the given precision."""
    generator.save_weights(path)
    with h5py.File(path, "r+") as file:
        names: list[str] = []
        file.visititems(lambda name, item: names.append(name) if _is_array(item) else None)
        for name in names:
            values = file[name][()].astype(dtype)
            del file[name]
            file[name] = values


def _is_array(item: Any) -> bool:
    return isinstance(item, h5py.Dataset) and item.dtype.kind == "f"


def load_model(name_or_path: str | pathlib.Path) -> tuple[Generator, ModelCard]:
    """A trained generator and its card.

    Args:
        name_or_path: a bundled name, or a NAME.weights.h5 with NAME.json beside it.

    Raises:
        ModelError: there is no such model, or it cannot be loaded.
    """
    path, card = find_model(name_or_path)
    if card.preset not in PRESETS:
        raise ModelError(f"{path}: its card names an unknown preset {card.preset!r}")
    generator = Generator.from_preset(card.preset)
    load_weights(generator, path)
    return generator, card
