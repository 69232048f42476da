"""The networks, their presets, and models: a preset with weights and a card."""

from typing import Any

__all__ = ["Generator", "MultiscaleGenerator", "from_preset"]


def __getattr__(name: str) -> Any:
    """The networks, which load Keras, when they are first used."""
    if name in __all__:
        from keras_jpeg_gan.models import networks

        return getattr(networks, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
