"""Saving and loading: weights, and models with their cards."""

import io
import pathlib
from typing import Any

import h5py

from keras_jpeg_gan.errors import ModelError
from keras_jpeg_gan.models.base import BaseGenerator
from keras_jpeg_gan.models.cards import WEIGHTS_SUFFIX, ModelCard, find_model
from keras_jpeg_gan.models.networks import from_preset
from keras_jpeg_gan.models.presets import PRESETS
from keras_jpeg_gan.system import file_sha256

_LIMITS = {
    "regression": "Restored detail is an estimate, not evidence: not for forensic or medical "
    "purposes.",
    "sampler": "Restored detail is invented, differently for each seed: it is no evidence of what "
    "was there, and not for forensic or medical purposes. Faces, letters and fine patterns may "
    "come out wrong.",
}
_DOMAIN = " Trained on photographs compressed once by libjpeg, quality 5 to 95."


def load_weights(generator: BaseGenerator, path: str | pathlib.Path) -> None:
    """Assign the weights in a .weights.h5 file, which holds arrays and nothing to execute.

    Raises:
        ModelError: the file is missing, damaged, or belongs to another architecture.
    """
    try:
        generator.load_weights(path)
    except (OSError, ValueError, KeyError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else repr(error)
        raise ModelError(f"{path}: weights do not load ({reason})") from error


def save_weights(
    generator: BaseGenerator, path: str | pathlib.Path, dtype: str = "float16"
) -> None:
    """Write a generator's weights to a .weights.h5 file in the given precision."""
    generator.save_weights(path)
    content = io.BytesIO()
    # Into a new file: HDF5 does not give back the space of arrays that are replaced.
    with h5py.File(path) as source, h5py.File(content, "w") as target:

        def copy(name: str, item: Any) -> None:
            if isinstance(item, h5py.Group):
                copied = target.create_group(name)
            else:
                kind = dtype if item.dtype.kind == "f" else item.dtype
                copied = target.create_dataset(name, data=item[()].astype(kind))
            copied.attrs.update(item.attrs)

        source.visititems(copy)
    pathlib.Path(path).write_bytes(content.getvalue())


def save_model(
    generator: BaseGenerator,
    path: pathlib.Path,
    kind: str,
    trained: dict[str, Any],
    validation: dict[str, float],
    dtype: str = "float32",
) -> None:
    """Write NAME.weights.h5 and its card NAME.json, for `load_model` and --model.

    Each file appears whole or not at all.

    Args:
        generator: made by `from_preset`, so that its name is its preset's.
        path: where the weights go, NAME.weights.h5; an older file there is replaced.
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


def load_model(name_or_path: str | pathlib.Path) -> tuple[BaseGenerator, ModelCard]:
    """A trained generator and its card.

    Args:
        name_or_path: a bundled name, or a NAME.weights.h5 with NAME.json beside it.

    Raises:
        ModelError: there is no such model, or it cannot be loaded.
    """
    path, card = find_model(name_or_path)
    if card.preset not in PRESETS:
        raise ModelError(f"{path}: its card names an unknown preset {card.preset!r}")
    generator = from_preset(card.preset)
    load_weights(generator, path)
    return generator, card
