"""JPEG decoding by posterior sampling, with results that recompress to the very same file.

Names are imported when they are first used, so that neither Keras nor TensorFlow is loaded for
what needs neither.
"""

import importlib
from typing import Any

__version__ = "0.1.0"

# Where each name comes from; a module's name alone is the module itself.
_NAMES = {
    "Certificate": "jpeg.encoder",
    "ConfigError": "errors",
    "Decoder": "decoding",
    "JpegFile": "jpeg.file",
    "JpegFormatError": "errors",
    "JpegGanError": "errors",
    "Limits": "decoding.memory",
    "ModelError": "errors",
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
