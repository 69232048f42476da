"""How far unrounded pixels are from a file's levels, in steps."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Violation(NamedTuple):
    """Distances of coefficients in real arithmetic from the levels, in steps.

    Attributes:
        mean, largest: over all coefficients.
        share_over_half: of them that lie outside their cells, but for float32's error.
    """

    mean: float
    largest: float
    share_over_half: float

    @classmethod
    def of(cls, distances: np.ndarray) -> "Violation":
        """Of all coefficients' distances [N], in steps."""
        return cls(
            float(distances.mean(dtype=np.float64)),
            float(distances.max()),
            float(np.mean(distances > 0.5 + _FLOAT_ERROR)),
        )


_FLOAT_ERROR = 1e-3  # steps


def violation(
    pixels: np.ndarray,
    levels: Sequence[np.ndarray],
    tables: Sequence[np.ndarray],
    sampling: str,
) -> Violation:
    """The violation of one image, `jpeg.tensors.consistency.violation`'s.

    Args:
        pixels: [H, W] or [H, W, 3], 0..255, not necessarily whole.
        levels: [Hb, Wb, 8, 8] integers for each component.
        tables: [8, 8] steps for each component; sampling: a name or factors.

    Raises:
        ConfigError: a ratio of the sampling's factors is not whole.
    """
    from keras import ops

    from keras_jpeg_gan.jpeg.tensors import consistency

    found = consistency.violation(*consistency.batch_of_one(pixels, levels, tables), sampling)
    return Violation.of(np.concatenate([ops.convert_to_numpy(part).ravel() for part in found]))
