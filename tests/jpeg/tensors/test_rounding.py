import numpy as np
import pytest
import tensorflow as tf

from keras_jpeg_gan.jpeg.tensors import rounding

VALUES = np.array([-2.5, -1.2, -0.5, 0.0, 0.5, 1.2, 2.5], np.float32)
EXPECTED = {
    rounding.floor: [-3, -2, -1, 0, 0, 1, 2],
    rounding.round_half_up: [-2, -1, 0, 0, 1, 1, 3],
    rounding.round_half_away: [-3, -1, -1, 0, 1, 1, 3],
}


@pytest.mark.parametrize("function", EXPECTED)
def test_values_are_rounded_and_gradients_are_not(function):
    values = tf.constant(VALUES)
    with tf.GradientTape() as tape:
        tape.watch(values)
        rounded = function(values)
        tripled = 3 * rounded
    np.testing.assert_array_equal(rounded, EXPECTED[function])
    np.testing.assert_array_equal(tape.gradient(tripled, values), np.full_like(VALUES, 3))


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("function", EXPECTED)
def test_sums_with_rounded_values_stay_integers_in_graphs(function, compiled):
    # Optimizers of graphs reorder sums, as of rounded - values + 128.
    values = np.random.default_rng(0).normal(0, 50, 10_000).astype(np.float32)
    graph = tf.function(lambda values: function(values) + 128, jit_compile=compiled)
    np.testing.assert_array_equal(graph(tf.constant(values)), np.array(function(values)) + 128)
