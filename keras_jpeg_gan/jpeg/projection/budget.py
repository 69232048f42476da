"""The limit on the exact projection's work on what is hard.

Where no exact image exists, the search for one would not end by itself: noise at quality 100 took
a minute for 56x40 pixels. So the work is limited. It is counted rather than timed, so that the
result depends on the file alone, not on the machine or its load.
"""

# Seconds, as measured on one core, for each stage's loops: per turn, and per unit or block in it.
SEARCH = (0.6e-3, 0.18e-3)
REPAIR = (0.5e-3, 0.022e-3)
REPAIR_OF_SUMS = (0.9e-3, 0.1e-3)
FLOAT = (0.0, 0.015e-6)

_SECONDS = 5.0
_SECONDS_PER_MEGAPIXEL = 1.25


class Budget:
    """The seconds that a projection may spend, released as it proceeds through the image.

    Args:
        pixels: number of pixels in the image.
    """

    def __init__(self, pixels: int) -> None:
        self._a_pixel = max(_SECONDS, _SECONDS_PER_MEGAPIXEL * pixels * 1e-6) / pixels
        self._left = 0.0

    def allow(self, pixels: int) -> None:
        """Release the share of these pixels."""
        self._left += self._a_pixel * pixels

    def spend(self, prices: tuple[float, float], count: int) -> None:
        """Pay for a turn of a loop over `count` units, blocks or values."""
        self._left -= prices[0] + prices[1] * count

    @property
    def spent(self) -> bool:
        """Whether nothing is left."""
        return self._left <= 0
