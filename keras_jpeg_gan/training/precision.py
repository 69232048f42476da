"""Mixed precision: trained networks compute in half the bits, all else stays float32."""

import contextlib
from collections.abc import Iterator
from typing import Any

import keras

from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.models.generator import Generator

PRECISIONS = ("none", "bfloat16", "float16")


@contextlib.contextmanager
def policy(precision: str) -> Iterator[None]:
    """Within, new layers compute in a precision of `PRECISIONS`, with float32 weights.

    Raises:
        ConfigError: there is no such precision.
    """
    if precision not in PRECISIONS:
        raise ConfigError(f"mixed_precision {precision!r}: one of {', '.join(PRECISIONS)}")
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32" if precision == "none" else f"mixed_{precision}")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


class MixedGenerator(Generator):
    """A generator whose body may compute in half precision: images go in and out in float32.

    bfloat16 has eight bits of which an image's 256 levels near white need nine.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.last.dtype_policy = "float32"

    @property
    def input_dtype(self) -> str:
        """What images, tables and noise are kept in, until a layer of the body sees them."""
        return "float32"
