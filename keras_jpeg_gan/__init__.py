"""JPEG decoding by posterior sampling, with results that recompress to the very same file.

Names are imported when they are first used, so that Keras and TensorFlow are loaded only for what
needs them.
"""

import importlib
from typing import Any

__version__ = "0.1.0"

# The module that each name comes from.
_NAMES = {
    "Certificate": "jpeg.encoder",
    "ConfigError": "errors",
    "Decoder": "decoding",
    "JpegFile": "jpeg.file",
    "JpegFormatError": "errors",
    "JpegGanError": "errors",
    "Limits": "decoding.memory",
    "ModelError": "errors",
    "RestoreOptions": "decoding",
    "Restored": "decoding",
}
_MODULES = ("decoding", "errors", "jpeg", "models")

__all__ = ["__version__", *_MODULES, *_NAMES]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    if name in _NAMES:
        return getattr(importlib.import_module(f"{__name__}.{_NAMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
