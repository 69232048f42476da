"""How far unrounded pixels are from a file's levels, in steps."""

from typing import NamedTuple

import numpy as np

from keras_jpeg_gan.jpeg.levels import Quantized


class Violation(NamedTuple):
    """Distances of coefficients in real arithmetic from the levels, in steps.

    Attributes:
        mean, largest: over all coefficients.
        share_over_half: the share of coefficients outside their cells, allowing for float32's
            error.
    """

    mean: float
    largest: float
    share_over_half: float

    @classmethod
    def of(cls, distances: np.ndarray) -> "Violation":
        """Summarize the distances [N] of all coefficients, in steps."""
        return cls(
            float(distances.mean(dtype=np.float64)),
            float(distances.max()),
            float(np.mean(distances > 0.5 + _FLOAT_ERROR)),
        )


_FLOAT_ERROR = 1e-3  # steps


def violation(pixels: np.ndarray, quantized: Quantized) -> Violation:
    """How far an image's unrounded coefficients are from a file's levels.

    Args:
        pixels: [H, W] or [H, W, 3], 0..255, not necessarily integers.
        quantized: of the file.

    Raises:
        ConfigError: shapes do not match.
    """
    from keras import ops

    from keras_jpeg_gan.jpeg.tensors import consistency

    quantized.check_fits(pixels.shape)
    found = consistency.violation(*consistency.batch_of_one(pixels, quantized))
    return Violation.of(np.concatenate([ops.convert_to_numpy(part).ravel() for part in found]))
