"""Rounding with the straight-through gradient: the backward pass ignores it.

Bengio, Léonard, Courville, "Estimating or Propagating Gradients Through Stochastic Neurons",
2013. The sums here are exact in float32, so the results are integers.

The gradients are custom; values + stop_gradient(rounded - values) would be the usual form, but
TensorFlow reorders such sums when it optimizes a graph, and turns 127 into 126.99999.
"""

from collections.abc import Callable
from typing import Any

from keras import ops


def floor(values: Any) -> Any:
    """The largest integers not above the values [...]; gradient 1."""
    return _straight_through(ops.floor, values)


def round_half_up(values: Any) -> Any:
    """The nearest integers to the values [...], halves up; gradient 1."""
    return floor(values + 0.5)


def round_half_away(values: Any) -> Any:
    """The nearest integers to the values [...], halves away from zero; gradient 1.

    A half may be a millionth short: compiled graphs divide by multiplying by a reciprocal.
    """

    def rounded(values: Any) -> Any:
        return ops.sign(values) * ops.floor(ops.abs(values) * (1 + 2**-20) + 0.5)

    return _straight_through(rounded, values)


def _straight_through(function: Callable[[Any], Any], values: Any) -> Any:
    """Apply a function to values, with gradient 1."""
    both = ops.custom_gradient(lambda given: (function(given), lambda upstream: upstream))
    return both(values)
