"""How much work the exact projection does on what is hard, whatever it is given.

Where no exact image exists, a search for it has no end of its own: noise at quality 100 took a
minute for 56x40 pixels. So the work is counted, and stops. It is counted rather than timed:
the result then depends on the file alone, and not on the machine or what else it does.
"""

# Seconds, of a core that measured so, for each stage's loops: a turn, and each unit or block in it.
SEARCH = (0.6e-3, 0.18e-3)
REPAIR = (0.5e-3, 0.022e-3)
REPAIR_OF_SUMS = (0.9e-3, 0.1e-3)
FLOAT = (0.0, 0.015e-6)

_SECONDS = 5.0
_SECONDS_PER_MEGAPIXEL = 1.25


class Budget:
    """Seconds of a projection, which it may spend as it goes on with the image.

    Args:
        pixels: of the image.
    """

    def __init__(self, pixels: int) -> None:
        self._a_pixel = max(_SECONDS, _SECONDS_PER_MEGAPIXEL * pixels * 1e-6) / pixels
        self._left = 0.0

    def allow(self, pixels: int) -> None:
        """These pixels' share may be spent too, from now on."""
        self._left += self._a_pixel * pixels

    def spend(self, prices: tuple[float, float], count: int) -> None:
        """A turn of a loop over so many units, blocks or values."""
        self._left -= prices[0] + prices[1] * count

    @property
    def spent(self) -> bool:
        """Whether nothing is left."""
        return self._left <= 0
