"""Rounding with the straight-through gradient: forward to integers, backward as if not there.

Bengio, Léonard, Courville, "Estimating or Propagating Gradients Through Stochastic Neurons",
2013. The sums here are exact in float32, so the results are integers.
"""

from typing import Any

from keras import ops


def floor(values: Any) -> Any:
    """The largest integers not above the values [...]; gradient 1."""
    return values + ops.stop_gradient(ops.floor(values) - values)


def round_half_up(values: Any) -> Any:
    """The nearest integers to the values [...], halves up; gradient 1."""
    return floor(values + 0.5)


def round_half_away(values: Any) -> Any:
    """The nearest integers to the values [...], halves away from zero; gradient 1.

    A half may be a millionth short: compiled graphs divide by multiplying with a reciprocal.
    """
    rounded = ops.sign(values) * ops.floor(ops.abs(values) * (1 + 2**-20) + 0.5)
    return values + ops.stop_gradient(rounded - values)
