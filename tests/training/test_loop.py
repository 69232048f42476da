"""The loop: it stops where training has failed, and averages are only lent."""

import pathlib
import types
from typing import Any

import keras
import numpy as np
import pytest

from keras_jpeg_gan.training import loop
from tests.training.tiny import regression_config


class Step:
    """Returns the same means in every step."""

    def __init__(self, **means: float) -> None:
        self.generator = types.SimpleNamespace(noise_sizes=lambda height, width: [])
        self.variables: dict[str, Any] = {}
        self.means = means

    def __call__(self, batch: Any, number: int) -> dict[str, float]:
        return self.means


@pytest.mark.parametrize(
    ("means", "message"),
    [
        ({"loss": np.nan}, "loss is nan by step 4; last good checkpoint: none"),
        ({"logit_real": -1e4}, "logit_real is -10000.0 by step 4"),
    ],
)
def test_a_failed_training_stops_with_its_step(
    means: dict[str, float], message: str, tmp_path: pathlib.Path
) -> None:
    config = regression_config(tmp_path, checkpoint_every=8)
    with pytest.raises(loop.DivergenceError, match=message):
        loop.run(config, tmp_path, Step(**means), [None] * 8, 0, validation=None)


def test_averages_are_given_back() -> None:
    variable = keras.Variable(np.zeros(3, np.float32))
    optimizer = keras.optimizers.SGD(1.0, use_ema=True, ema_momentum=0.5)
    optimizer.build([variable])
    for _ in range(2):
        optimizer.apply([keras.ops.ones(3)], [variable])
    np.testing.assert_array_equal(variable.numpy(), [-2] * 3)
    with loop.averaged(optimizer, [variable]):
        np.testing.assert_allclose(variable.numpy(), [-1.5] * 3)
    np.testing.assert_array_equal(variable.numpy(), [-2] * 3)
