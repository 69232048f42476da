"""The networks, their presets, and models: a preset with weights and a card."""

from typing import Any

__all__ = ["Generator"]


def __getattr__(name: str) -> Any:
    """The network, which loads Keras, when it is first used."""
    if name == "Generator":
        from keras_jpeg_gan.models.generator import Generator

        return Generator
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
