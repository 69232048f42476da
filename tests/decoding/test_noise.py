"""The seeded noise: published vectors of the generator, and the distribution of the normals."""

import numpy as np
import pytest

from keras_jpeg_gan.decoding import noise
from keras_jpeg_gan.errors import ConfigError

# Counter, key and result of philox4x32-10 in the known-answer file of the Random123 library.
KNOWN = [
    ("00000000 00000000 00000000 00000000", "00000000 00000000",
     "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff",
     "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0",
     "d16cfe09 94fdcceb 5001e420 24126ea1"),
]  # fmt: skip


def words(text: str) -> list[int]:
    return [int(word, 16) for word in text.split()]


@pytest.mark.parametrize(("counter", "key", "result"), KNOWN)
def test_published_known_answers(counter: str, key: str, result: str) -> None:
    given = [np.array([word], np.uint32) for word in words(counter)]
    found = noise.philox(given, tuple(words(key)))
    assert [int(word[0]) for word in found] == words(result)


def test_normals_follow_the_words_of_the_known_answers() -> None:
    """Field 0, row 0, columns 0-3 under seed 0 have the all-zero counter and key."""
    u = [(word + 0.5) / 2**32 for word in words(KNOWN[0][2])]
    expected = []
    for a, b in ((u[0], u[1]), (u[2], u[3])):
        radius = (-2 * np.log(a)) ** 0.5
        expected += [radius * np.cos(2 * np.pi * b), radius * np.sin(2 * np.pi * b)]
    np.testing.assert_allclose(noise.window(0, 0, 0, 0, 1, 4)[0], expected, rtol=1e-6)


@pytest.mark.parametrize("cut", [(0, 0, 5, 7), (3, 1, 6, 9), (2, 5, 1, 1), (0, 4, 9, 8)])
def test_a_window_is_the_cut_of_the_whole(cut: tuple[int, int, int, int]) -> None:
    top, left, height, width = cut
    whole = noise.window(12345678901234567890, 3, 0, 0, 9, 20)
    part = noise.window(12345678901234567890, 3, top, left, height, width)
    np.testing.assert_array_equal(part, whole[top : top + height, left : left + width])


def test_normals_are_standard_and_independent() -> None:
    fields = np.stack(
        [
            noise.window(seed, f, 0, 0, 256, 256)
            for seed, f in [(0, 0), (0, 1), (1, 0), (1 << 32, 0)]
        ]
    )
    flat = fields.reshape(4, -1).astype(np.float64)
    assert np.abs(flat.mean(axis=1)).max() < 0.02
    assert np.abs(flat.var(axis=1) - 1).max() < 0.03
    assert np.abs((flat**4).mean(axis=1) - 3).max() < 0.25
    assert np.abs(np.corrcoef(flat) - np.eye(4)).max() < 0.02
    for shifted in (np.roll(fields, 1, 1), np.roll(fields, 1, 2), np.roll(fields, 2, 2)):
        assert abs((fields * shifted).mean()) < 0.01


def test_a_seed_out_of_range_is_refused() -> None:
    for seed in (-1, 1 << 64):
        with pytest.raises(ConfigError, match="seed"):
            noise.window(seed, 0, 0, 0, 1, 1)
