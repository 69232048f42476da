"""Seeded noise by absolute position: the same fields in every language, in tiles or whole.

Philox-4x32-10 (Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", 2011) and Box and
Muller's transform. The normals at row i, columns 4 m ... 4 m + 3 of field f come from the counter
(m, i, f, 0) under the two halves of the 64-bit seed.
"""

import numpy as np

from keras_jpeg_gan.errors import ConfigError

_MULTIPLIERS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
_KEY_STEPS = (np.uint32(0x9E3779B9), np.uint32(0xBB67AE85))
_ROUNDS = 10
_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
SEEDS = 1 << 64


def philox(counter: list[np.ndarray], key: tuple[int, int]) -> list[np.ndarray]:
    """Four random words for four counter words.

    Args:
        counter: four uint32 arrays of one shape.
        key: two 32-bit words.

    Returns:
        Four uint32 arrays of that shape.
    """
    c0, c1, c2, c3 = counter
    keys = [np.uint32(word) for word in key]
    for i in range(_ROUNDS):
        if i:  # the key's words wrap around
            keys = [
                np.uint32((int(word) + int(step)) & 0xFFFFFFFF)
                for word, step in zip(keys, _KEY_STEPS, strict=True)
            ]
        first = c0 * _MULTIPLIERS[0]
        second = c2 * _MULTIPLIERS[1]
        c0, c1, c2, c3 = (
            (second >> _HALF).astype(np.uint32) ^ c1 ^ keys[0],
            (second & _LOW).astype(np.uint32),
            (first >> _HALF).astype(np.uint32) ^ c3 ^ keys[1],
            (first & _LOW).astype(np.uint32),
        )
    return [c0, c1, c2, c3]


def window(seed: int, field: int, top: int, left: int, height: int, width: int) -> np.ndarray:
    """A window of one field of standard normals.

    Args:
        seed: 0 to 2^64 - 1.
        field: index of the noise input of the network, from 0.
        top, left, height, width: the window, in positions of the field.

    Returns:
        [height, width] float32; windows are cut from one and the same field.

    Raises:
        ConfigError: the seed is out of range.
    """
    if not 0 <= seed < SEEDS:
        raise ConfigError(f"seed {seed}: 0 to 2^64 - 1")
    groups = np.arange(left // 4, -(-(left + width) // 4), dtype=np.uint32)
    rows = np.arange(top, top + height, dtype=np.uint32)
    shape = (height, len(groups))
    counter = [
        np.broadcast_to(groups, shape),
        np.broadcast_to(rows[:, None], shape),
        np.full(shape, field, np.uint32),
        np.zeros(shape, np.uint32),
    ]
    words = philox(counter, (seed & 0xFFFFFFFF, seed >> 32))
    # In double precision: near 1, float32 has too few digits for the logarithm.
    u0, u1, u2, u3 = ((word + 0.5) * 2.0**-32 for word in words)
    normals = np.empty((*shape, 4), np.float32)
    for i, (u, v) in enumerate(((u0, u1), (u2, u3))):
        radius, angle = np.sqrt(-2 * np.log(u)), 2 * np.pi * v
        normals[..., 2 * i] = radius * np.cos(angle)
        normals[..., 2 * i + 1] = radius * np.sin(angle)
    first = left - 4 * int(groups[0])
    return normals.reshape(height, -1)[:, first : first + width]
