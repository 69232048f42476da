"""Pictures of a training's progress: held-back images and what the generator makes of them."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_jpeg_gan.metrics.deviation import Spread, deviation_map
from keras_jpeg_gan.training.validation import Crops, Restore, Validation, drawn_noise, pixels_of

SAMPLES = 3
_DRAWN_FOR_DEVIATION = 16
_GAP = 4


class Pictures:
    """Rows of input and restoration or, for a sampler, regression, three samples, deviation.

    Args:
        crops: one row each.
        noise_sizes: sizes of the noise fields for a crop; none for a regression.
        start: restores the crops without noise, for the column of the regression.
    """

    def __init__(
        self,
        crops: Crops,
        noise_sizes: Sequence[tuple[int, int]] = (),
        start: Restore | None = None,
    ) -> None:
        self._crops = crops
        self._noise_sizes = noise_sizes
        self._start = [self._pixels(start)] if start else []

    @classmethod
    def from_config(cls, config: Any, validation: Validation, step: Any) -> "Pictures | None":
        """Pictures of the first crops at the lowest quality, or none if the config asks for none.

        Args:
            step: a `loop.Step` with its initial weights.
        """
        if not config.pictures_every:
            return None
        crops = validation.crops[min(validation.crops)][: config.pictures]
        if config.method != "sampler":
            return cls(crops)
        sizes = step.generator.noise_sizes(*[config.validation_size] * 2)
        return cls(crops, sizes, step.restore if config.initial_weights else None)

    def __call__(self, restore: Restore) -> np.ndarray:
        """The picture of the generator now: [H, W, 3] uint8."""
        columns = [self._crops.compressed, *self._start]
        if not self._noise_sizes:
            return grid([*columns, self._pixels(restore)])
        count = len(self._crops.tables)
        samples = [
            self._pixels(restore, drawn_noise(self._noise_sizes, count, 0, k))
            for k in range(_DRAWN_FOR_DEVIATION)
        ]
        maps = np.stack(
            [deviation_map(Spread(of_crop).deviation) for of_crop in zip(*samples, strict=True)]
        )
        return grid([*columns, *samples[:SAMPLES], np.repeat(maps[..., None], 3, axis=-1)])

    def _pixels(self, restore: Restore, *noise: list[np.ndarray]) -> np.ndarray:
        return pixels_of(restore(self._crops.image, self._crops.tables, *noise))


def grid(columns: Sequence[np.ndarray]) -> np.ndarray:
    """Columns [N, S, S, 3], 0..255, side by side with white gaps: [H, W, 3] uint8."""
    gaps = ((0, 0), (0, _GAP), (0, _GAP), (0, 0))
    padded = [np.pad(column, gaps, constant_values=255) for column in columns]
    rows = np.concatenate(padded, axis=2)
    whole = rows.reshape(-1, *rows.shape[2:])
    return np.rint(whole[:-_GAP, :-_GAP]).astype(np.uint8)
