"""The precision policy holds within its context alone."""

import keras
import pytest

from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.training.precision import policy


@pytest.mark.parametrize(
    ("precision", "computed"),
    [("none", "float32"), ("bfloat16", "bfloat16"), ("float16", "float16")],
)
def test_new_layers_compute_in_it(precision: str, computed: str) -> None:
    with policy(precision):
        layer = keras.layers.Dense(1)
    assert (layer.compute_dtype, layer.variable_dtype) == (computed, "float32")
    assert keras.layers.Dense(1).compute_dtype == "float32"


def test_an_unknown_precision_is_refused() -> None:
    with pytest.raises(ConfigError, match="float8"), policy("float8"):
        pass
