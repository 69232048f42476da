"""Mixed precision: trained networks compute in half precision, everything else in float32."""

import contextlib
from collections.abc import Iterator

import keras

from keras_jpeg_gan.errors import ConfigError

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
