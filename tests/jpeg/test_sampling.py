"""Sampling: names and factors, and what follows from them."""

import pytest

from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.jpeg.sampling import GRAY, PILLOW_COLOR, Sampling


@pytest.mark.parametrize(
    ("text", "factors", "reduced", "name"),
    [
        ("gray", ((1, 1),), ((1, 1),), "gray"),
        ("2x3", ((2, 3),), ((1, 1),), "gray"),
        ("4:2:0", ((2, 2), (1, 1), (1, 1)), ((2, 2), (1, 1), (1, 1)), "4:2:0"),
        ("2x2,2x2,2x2", ((2, 2),) * 3, ((1, 1),) * 3, "4:4:4"),
        ("2x2,2x1,2x1", ((2, 2), (2, 1), (2, 1)), ((1, 2), (1, 1), (1, 1)), "4:4:0"),
        ("2x2,1x2,1x1", ((2, 2), (1, 2), (1, 1)), ((2, 2), (1, 2), (1, 1)), "2x2,1x2,1x1"),
        ("4:2:0:4", ((2, 2), (1, 1), (1, 1), (2, 2)), ((2, 2), (1, 1), (1, 1), (2, 2)), "4:2:0:4"),
        ("2x2,2x2,2x2,2x2", ((2, 2),) * 4, ((1, 1),) * 4, "4:4:4:4"),
    ],
)
def test_names_and_factors(text, factors, reduced, name) -> None:
    sampling = Sampling.parse(text)
    assert (sampling.factors, sampling.reduced) == (factors, reduced)
    assert sampling.name == str(sampling) == name
    assert sampling.components == len(factors)
    assert Sampling.parse(name) == sampling


def test_a_common_divisor_makes_no_difference() -> None:
    assert Sampling.parse("2x2") == GRAY
    assert hash(Sampling.parse("2x2,2x1,2x1")) == hash(Sampling.parse("4:4:0"))
    assert Sampling.parse("4:4:0") != Sampling.parse("4:2:2")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "give a name"),
        ("4:2:1", "give a name"),
        ("2,2,2", "give a name"),
        ("axb", "give a name"),
        ("2x2,1x1", "one, three or four components"),
        ("1x1,1x1,1x1,1x1,1x1", "one, three or four components"),
        ("5x1,1x1,1x1", "from 1 to 4"),
        ("0x1", "from 1 to 4"),
        ("3x1,2x1,1x1", "whole ratios"),
        ("3x2,1x1,2x1", "whole ratios"),
    ],
)
def test_no_such_sampling(text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=f"sampling .*{words}"):
        Sampling.parse(text)


def test_ratios_units_and_blocks() -> None:
    sampling = Sampling.parse("2x2,1x2,1x1")
    assert sampling.ratios == ((1, 1), (2, 1), (2, 2))
    assert (sampling.unit_height, sampling.unit_width) == (16, 16)
    assert sampling.blocks(17, 33) == ((3, 5), (3, 3), (2, 3))
    wide = Sampling.parse("4:1:1")
    assert (wide.unit_height, wide.unit_width) == (8, 32)
    assert wide.blocks(1, 1) == ((1, 1),) * 3
    assert GRAY.blocks(8, 9) == ((1, 2),)


def test_a_part_has_the_units_and_ratios_of_the_whole() -> None:
    whole = Sampling.parse("2x2,1x2,1x1,2x1")
    for components in (slice(0, 3), slice(1, 2), slice(3, 4)):
        part = whole.part(components)
        assert part.ratios == whole.ratios[components]
        assert (part.unit_height, part.unit_width) == (16, 16)
        assert part.whole_units(17, 33) == whole.whole_units(17, 33)
        assert part.blocks(17, 33) == whole.blocks(17, 33)[components]
    assert Sampling.parse("4:4:4:4").part(slice(3, 4)) == GRAY
    assert Sampling.parse("4:2:0:4").part(slice(0, 3)) == Sampling.parse("4:2:0")
    assert Sampling.parse("4:2:0:4").part(slice(3, 4)) != GRAY  # its units are of 16x16 pixels


def test_what_encoders_can_write() -> None:
    assert not Sampling.parse("4x4,1x1,1x1").can_encode  # 18 blocks
    assert Sampling.parse("4x2,1x1,1x1").can_encode  # ten
    assert Sampling.parse("4x4").can_encode  # reduced, one
    assert [each.pillow_subsampling for each in PILLOW_COLOR] == [0, 1, 2]
    assert GRAY.pillow_subsampling == 0
    assert Sampling.parse("4:4:0").pillow_subsampling is None
