"""The seeded noise of `keras_jpeg_gan.decoding.noise` in a TensorFlow graph."""

import math
from typing import Any

import tensorflow as tf

_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
_KEY_STEPS = (0x9E3779B9, 0xBB67AE85)
_ROUNDS = 10
_LOW = 0xFFFFFFFF


def philox(counter: list[Any], key: list[Any]) -> list[Any]:
    """Philox-4x32-10: four random words from four counter words, all uint64 below 2^32.

    Args:
        counter: four tensors whose shapes broadcast.
        key: two scalars.
    """
    c0, c1, c2, c3 = counter
    k0, k1 = key
    low, half = tf.constant(_LOW, tf.uint64), tf.constant(32, tf.uint64)
    m0, m1 = (tf.constant(m, tf.uint64) for m in _MULTIPLIERS)
    w0, w1 = (tf.constant(w, tf.uint64) for w in _KEY_STEPS)
    for _ in range(_ROUNDS):
        first, second = c0 * m0, c2 * m1
        c0, c1, c2, c3 = (
            _xor(tf.bitwise.right_shift(second, half), c1, k0),
            tf.bitwise.bitwise_and(second, low),
            _xor(tf.bitwise.right_shift(first, half), c3, k1),
            tf.bitwise.bitwise_and(first, low),
        )
        k0, k1 = (tf.bitwise.bitwise_and(k + w, low) for k, w in ((k0, w0), (k1, w1)))
    return [c0, c1, c2, c3]


# Traced only once, whoever calls it: the rounds are many operations.
@tf.function(
    autograph=False,
    input_signature=[tf.TensorSpec((), tf.int64), *[tf.TensorSpec((), tf.int32)] * 5],
)
def window(seed: Any, field: Any, top: Any, left: Any, height: Any, width: Any) -> Any:
    """As `decoding.noise.window`: [height, width] float32.

    Args:
        seed: [] int64 with the bits of the unsigned 64-bit seed.
        field: [] int32, index of the noise input, from 0.
        top, left, height, width: [] int32, in positions of the field.
    """
    bits = tf.bitcast(seed, tf.uint64)
    low, half = tf.constant(_LOW, tf.uint64), tf.constant(32, tf.uint64)
    key = [tf.bitwise.bitwise_and(bits, low), tf.bitwise.right_shift(bits, half)]
    begin = left // 4
    groups = tf.cast(tf.range(begin, -(-(left + width) // 4)), tf.uint64)[None, :]
    rows = tf.cast(tf.range(top, top + height), tf.uint64)[:, None]
    nothing = tf.zeros_like(rows + groups)
    counter = [groups + nothing, rows + nothing, nothing + tf.cast(field, tf.uint64), nothing]
    # In double precision: near 1, float32 has too few digits for the logarithm.
    u0, u1, u2, u3 = ((tf.cast(word, tf.float64) + 0.5) * 2.0**-32 for word in philox(counter, key))
    normals = []
    for u, v in ((u0, u1), (u2, u3)):
        radius, angle = tf.sqrt(-2 * tf.math.log(u)), 2 * math.pi * v
        normals += [radius * tf.cos(angle), radius * tf.sin(angle)]
    whole = tf.reshape(tf.stack(normals, axis=-1), (height, -1))
    first = left - 4 * begin
    return tf.cast(whole[:, first : first + width], tf.float32)


def _xor(*words: Any) -> Any:
    a, b, c = words
    return tf.bitwise.bitwise_xor(tf.bitwise.bitwise_xor(a, b), c)
