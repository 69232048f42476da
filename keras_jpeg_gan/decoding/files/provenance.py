"""What an image was made of, and how: written into it, so that a later run knows its own work."""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from keras_jpeg_gan.decoding.options import RestoreOptions
from keras_jpeg_gan.models.cards import ModelCard

IMAGE = "image"  # the product that is a sample, or the mean of several
_SHOWN = 12  # characters of a hash, in messages


@dataclasses.dataclass(frozen=True)
class Work:
    """All that an image's pixels depend on: two images of the same work are the same.

    Attributes:
        product: `IMAGE`, or one of `products.MAP` and `products.NUMBERS`.
        input_sha256, model_sha256: of the input's bytes and of the model's weights.
        model: its name, for people: models are the same if their weights are.
        seed: of the first sample; None if the model draws none.
        samples: how many samples went into it.
        projection: the one that was asked for.
        blend, temperature, bits, earlier_save: as `RestoreOptions`; the temperature is None if
            the model draws no samples.
    """

    product: str
    input_sha256: str
    model: str
    model_sha256: str
    seed: int | None
    samples: int
    projection: str
    blend: float
    temperature: float | None
    bits: int
    earlier_save: str

    @classmethod
    def of(
        cls,
        input_sha256: str,
        card: ModelCard,
        seed: int,
        options: RestoreOptions,
        product: str = IMAGE,
        samples: int = 1,
    ) -> "Work":
        """What a model makes of an input; what has no effect is left out."""
        projection = options.projection
        if options.bits == 16 and projection == "exact":
            projection = "float"
        draws = card.draws_samples
        return cls(
            product=product,
            input_sha256=input_sha256,
            model=card.name,
            model_sha256=card.sha256,
            seed=seed if draws else None,
            samples=samples,
            projection=projection,
            blend=float(options.blend),
            temperature=float(options.temperature) if draws else None,
            bits=options.bits,
            earlier_save=options.earlier_save,
        )

    def note(self, result: str) -> str:
        """A line of JSON to write into the image: the attributes, and what came out, in words."""
        return json.dumps({**dataclasses.asdict(self), "result": result})

    def differences(self, other: "Work") -> list[str]:
        """How this work differs from another one, in words, most important first."""
        mine, others = dataclasses.asdict(self), dataclasses.asdict(other)
        if mine["model_sha256"] == others["model_sha256"]:
            mine["model"] = others["model"]
        elif mine["model"] != others["model"]:
            mine["model_sha256"] = others["model_sha256"]  # the names say it
        return differences(mine, others)


def differences(these: Mapping[str, Any], others: Mapping[str, Any]) -> list[str]:
    """How settings differ from others with the same names, in words."""
    return [
        f"{name.replace('sha256', 'SHA-256').replace('_', ' ')} {_shown(value)}, "
        f"not {_shown(others[name])}"
        for name, value in these.items()
        if value != others[name]
    ]


def work_of(note: str | None) -> Work | None:
    """The work that a note of an image tells of, or None if it tells of none."""
    try:
        found = json.loads(note or "")
        return Work(**{field.name: found[field.name] for field in dataclasses.fields(Work)})
    except (KeyError, TypeError, ValueError):  # a note of another program, or of none
        return None


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 2 * _SHOWN else f"{text[:_SHOWN]}…"
