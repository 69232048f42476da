"""What a network costs and how far it looks: from the list of its convolutions."""

import dataclasses
import math
from collections.abc import Sequence
from typing import Protocol


@dataclasses.dataclass(frozen=True)
class Convolution:
    """A convolution in a network.

    Attributes:
        kernel: its shape [kh, kw, in, out].
        stride: image pixels from one of its output positions to the next.
    """

    kernel: tuple[int, ...]
    stride: int

    @property
    def macs(self) -> float:
        """Multiply-accumulates per image pixel."""
        return math.prod(self.kernel) / self.stride**2

    @property
    def values(self) -> float:
        """Values per image pixel that a gradient needs: the input and the output."""
        return (self.kernel[2] + self.kernel[3]) / self.stride**2


class Convolutional(Protocol):
    """A network that lists its convolutions."""

    def convolutions(self) -> Sequence[Convolution]:
        """All of them, in the order in which they are applied."""


def macs_per_pixel(network: Convolutional) -> float:
    """Multiply-accumulates of all convolutions per image pixel; dense layers cost next to none."""
    return sum(convolution.macs for convolution in network.convolutions())


def values_per_pixel(network: Convolutional) -> float:
    """Activations per image pixel that training keeps until the gradient is taken."""
    return sum(convolution.values for convolution in network.convolutions())


def receptive_radius(network: Convolutional) -> int:
    """How many pixels next to a cut come out differently than they would without it.

    The cut lies on the network's alignment. A convolution spoils every output position of which
    it sees a spoiled pixel, so the zone is rounded up to the convolution's stride, then grows by
    stride * (size // 2). A 2x2 kernel whose stride equals its size only rounds up. Skips never
    widen the zone: what they add is spoiled less far.

    Args:
        network: a generator: its kernels are square, of odd size, or 2x2 without overlap.
    """
    radius = 0
    for convolution in network.convolutions():
        size = convolution.kernel[0]
        radius = round_up(radius, convolution.stride)
        if size % 2:
            radius += convolution.stride * (size // 2)
    return radius


def halo(network: Convolutional, grid: int) -> int:
    """The receptive radius in pixels, rounded up to a multiple of `grid`."""
    return round_up(receptive_radius(network), grid)


def round_up(size: int, grid: int) -> int:
    """The least multiple of grid that is at least size."""
    return -(-size // grid) * grid
