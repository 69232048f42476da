"""Quantized coefficients with what they mean: all that an encoder must give back."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.jpeg.sampling import Sampling


@dataclass(frozen=True, eq=False)
class Quantized:
    """The levels of a file with its tables and sampling.

    In `jpeg.tensors` the arrays are float32 tensors, the levels with a batch axis in front; the
    tables may have one too.

    Attributes:
        levels: [Hb, Wb, 8, 8] integers for each component, natural order, without dummy blocks.
        tables: [8, 8] steps >= 1 for each component, natural order.
        sampling: of the components.
        visible: height and width of the image in pixels if samples beyond it are free, that is,
            if they do not repeat its edge (`projection.border`); otherwise None. If they are
            free, pixels are those of whole units, of which an encoder must give back only these
            levels.

    Raises:
        ConfigError: the numbers of components differ.
    """

    levels: Sequence[np.ndarray]
    tables: Sequence[np.ndarray]
    sampling: Sampling
    visible: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        if not len(self.levels) == len(self.tables) == self.sampling.components:
            raise ConfigError(
                f"{len(self.levels)} components and {len(self.tables)} tables do not fit "
                f"sampling {self.sampling}"
            )

    def check_fits(self, shape: tuple[int, ...]) -> None:
        """Refuse pixels that cannot have these levels.

        Args:
            shape: (H, W) of a gray image, (H, W, C) of one with several components.

        Raises:
            ConfigError: the shapes do not match.
        """
        channels = 1 if len(shape) == 2 else shape[2]
        seen = self.visible or shape[:2]
        blocks = self.sampling.blocks(*seen)
        whole = self.visible is None or self.sampling.whole_units(*seen) == shape[:2]
        if (
            not whole
            or channels != self.sampling.components
            or any(
                part.shape != (*size, 8, 8) for part, size in zip(self.levels, blocks, strict=True)
            )
        ):
            raise ConfigError(
                f"levels of shape {', '.join(str(part.shape) for part in self.levels)} and "
                f"sampling {self.sampling} do not fit pixels of shape {shape}"
            )

    def rows(self, top: int, end: int) -> "Quantized":
        """The part that belongs to a band of rows of pixels.

        Args:
            top, end: the first row and the one after the last; both begin a unit
                (`Sampling.unit_height`), except an end that is the image's.
        """
        unit = self.sampling.unit_height
        levels = [
            part[..., top // unit * down : -(-end // unit) * down, :, :, :]
            for part, (_, down) in zip(self.levels, self.sampling.reduced, strict=True)
        ]
        visible = self.visible and (min(end, self.visible[0]) - top, self.visible[1])
        return Quantized(levels, self.tables, self.sampling, visible)
