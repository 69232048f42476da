"""Chroma subsampling: the sampling factors of a file's components and what follows from them."""

import functools
import math
import re
from dataclasses import dataclass, field

from keras_jpeg_gan.errors import ConfigError

# Across and down, for each component.
Factors = tuple[tuple[int, int], ...]

_NAMED: dict[str, Factors] = {
    "gray": ((1, 1),),
    "4:4:4": ((1, 1), (1, 1), (1, 1)),
    "4:2:2": ((2, 1), (1, 1), (1, 1)),
    "4:4:0": ((1, 2), (1, 1), (1, 1)),
    "4:2:0": ((2, 2), (1, 1), (1, 1)),
    "4:1:1": ((4, 1), (1, 1), (1, 1)),
    # As ITU-R BT.601 counts: the fourth number is of a fourth component, K.
    "4:4:4:4": ((1, 1), (1, 1), (1, 1), (1, 1)),
    "4:2:2:4": ((2, 1), (1, 1), (1, 1), (2, 1)),
    "4:2:0:4": ((2, 2), (1, 1), (1, 1), (2, 2)),
}
_NAMES = {factors: name for name, factors in _NAMED.items()}
# What Pillow calls those that it can write of gray and YCbCr; grayscale leaves no choice.
_PILLOW = {"gray": 0, "4:4:4": 0, "4:2:2": 1, "4:2:0": 2}

_COMPONENTS = (1, 3, 4)
# ITU-T T.81, B.2.3: the most blocks in an interleaved minimum coded unit.
_MAX_UNIT_BLOCKS = 10


@dataclass(frozen=True)
class Sampling:
    """How densely each component of a file is sampled.

    Samplings are equal if their reduced factors are: a divisor common to all components changes
    the order of blocks in the file, but none of its levels.

    Attributes:
        factors: across and down, 1 to 4, for each component in the frame's order.
        frame: the largest factors of the frame, across and down, if these components are only
            some of it (`part`); None if they are all.
        reduced: the factors without a common divisor: of "2x2" alone, "1x1". Those of a part
            are reduced as the frame's are.
        largest: the largest reduced factors, across and down, of the frame.

    Raises:
        ConfigError: there are not one, three or four components, a factor is out of range, or a
            component's factor does not divide the largest (libjpeg supports no such ratio).
    """

    factors: Factors = field(compare=False)
    frame: tuple[int, int] | None = field(default=None, compare=False, repr=False)
    reduced: Factors = field(init=False, repr=False)
    largest: tuple[int, int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        across, down = ([pair[axis] for pair in self.factors] for axis in (0, 1))
        if len(self.factors) not in _COMPONENTS or not all(1 <= n <= 4 for n in across + down):
            raise ConfigError(
                f"sampling {_text(self.factors)}: one, three or four components with factors from "
                "1 to 4 are supported"
            )
        widest, tallest = self.frame or (max(across), max(down))
        if any(widest % h or tallest % v for h, v in self.factors):
            raise ConfigError(
                f"sampling {_text(self.factors)}: only whole ratios of factors are supported"
            )
        h_gcd, v_gcd = (1, 1) if self.frame else (math.gcd(*across), math.gcd(*down))
        object.__setattr__(
            self, "reduced", tuple((h // h_gcd, v // v_gcd) for h, v in self.factors)
        )
        object.__setattr__(self, "largest", (widest // h_gcd, tallest // v_gcd))

    @classmethod
    def parse(cls, text: str) -> "Sampling":
        """Parse a name ("4:2:0", "gray", ...) or factors such as "2x2,1x2,1x1".

        Raises:
            ConfigError: the text is neither, or there is no such sampling.
        """
        if text in _NAMED:
            return cls(_NAMED[text])
        if not re.fullmatch(r"\d+x\d+(,\d+x\d+)*", text):
            raise ConfigError(
                f"sampling {text!r}: give a name like 4:2:0 or factors like 2x2,1x1,1x1"
            )
        pairs = (part.split("x") for part in text.split(","))
        return cls(tuple((int(across), int(down)) for across, down in pairs))

    @functools.cached_property
    def name(self) -> str:
        """The usual name, or the factors where there is none."""
        return _NAMES.get(self.reduced) or _text(self.factors)

    def __str__(self) -> str:
        return self.name

    @property
    def components(self) -> int:
        """The number of components."""
        return len(self.factors)

    @functools.cached_property
    def ratios(self) -> Factors:
        """How many pixels across and down each component's sample is the mean of."""
        across, down = self.largest
        return tuple((across // h, down // v) for h, v in self.reduced)

    def part(self, components: slice) -> "Sampling":
        """The sampling of some of the components, with units and padding as in the whole."""
        return Sampling(self.reduced[components], self.largest)

    @property
    def unit_height(self) -> int:
        """Rows of pixels in a unit, the smallest part of an image that shares no level."""
        return 8 * self.largest[1]

    @property
    def unit_width(self) -> int:
        """Columns of pixels in a unit."""
        return 8 * self.largest[0]

    def whole_units(self, height: int, width: int) -> tuple[int, int]:
        """The height and width of an image that is extended to whole units."""
        down, across = self.unit_height, self.unit_width
        return -(-height // down) * down, -(-width // across) * across

    def blocks(self, height: int, width: int) -> tuple[tuple[int, int], ...]:
        """Rows and columns of each component's blocks in an image, without dummy blocks."""
        return tuple(
            (-(-height // (8 * down)), -(-width // (8 * across))) for across, down in self.ratios
        )

    @property
    def has_whole_luma(self) -> bool:
        """Whether each pixel has a luma sample of its own, as in all files but odd ones."""
        return self.ratios[0] == (1, 1)

    @property
    def can_encode(self) -> bool:
        """Whether libjpeg's encoder can write it: a unit must not have too many blocks.

        If not, no image is exactly consistent: `encoder.encode`, `encoder.certify` and
        `exact.project` raise ConfigError.
        """
        return sum(across * down for across, down in self.reduced) <= _MAX_UNIT_BLOCKS

    @property
    def pillow_subsampling(self) -> int | None:
        """The value of Pillow's `subsampling` option, or None if Pillow cannot write it."""
        return _PILLOW.get(self.name)


def _text(factors: Factors) -> str:
    return ",".join(f"{across}x{down}" for across, down in factors)


GRAY = Sampling.parse("gray")
# The colour samplings that Pillow writes; training and evaluation compress with these.
PILLOW_COLOR = tuple(Sampling.parse(name) for name in _PILLOW if name != "gray")
