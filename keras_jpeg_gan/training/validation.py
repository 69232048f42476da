"""Validation of a regression: PSNR over libjpeg's decode on held-back images."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from keras_jpeg_gan.data.degradation import degrade
from keras_jpeg_gan.errors import ConfigError


class Validation:
    """Fixed crops of held-back images, compressed at fixed qualities.

    Args:
        images: [H, W, 3] uint8 each, at least `size` a side.
        qualities: IJG qualities; size: side of the centre crops, a multiple of 16.

    Raises:
        ConfigError: there is no image.
    """

    def __init__(self, images: Sequence[np.ndarray], qualities: Sequence[int], size: int) -> None:
        if not images:
            raise ConfigError(f"no held-back image has {size} pixels a side: see validation_size")
        self._sets: list[tuple[int, np.ndarray, np.ndarray, np.ndarray]] = []
        for quality in qualities:
            originals, compressed, tables = [], [], []
            for image in images:
                top, left = (image.shape[0] - size) // 2, (image.shape[1] - size) // 2
                crop = np.ascontiguousarray(image[top : top + size, left : left + size])
                decoded, steps = degrade(crop, quality, "4:2:0")
                originals.append(crop)
                compressed.append(decoded)
                tables.append(steps)
            self._sets.append(
                (quality, np.stack(originals), np.stack(compressed), np.stack(tables))
            )

    def __call__(self, restore: Callable[[Any, Any], Any], batch: int = 8) -> dict[str, float]:
        """Mean gain in dB over libjpeg's decode, by quality: {"gain_q10": 1.2, ...}.

        Args:
            restore: compressed [B, S, S, 3] in [0, 1] and tables -> restored [B, S, S, 3].
            batch: how many crops at once.
        """
        gains = {}
        for quality, originals, compressed, tables in self._sets:
            gain = []
            for i in range(0, len(originals), batch):
                part = slice(i, i + batch)
                restored = np.asarray(restore(compressed[part] / np.float32(255), tables[part]))
                pixels = np.clip(np.rint(restored * 255), 0, 255)
                gain.append(
                    _psnr(pixels, originals[part]) - _psnr(compressed[part], originals[part])
                )
            gains[f"gain_q{quality}"] = float(np.mean(np.concatenate(gain)))
        return gains


def _psnr(pixels: np.ndarray, originals: np.ndarray) -> np.ndarray:
    error = pixels.astype(np.float32) - originals
    return 10 * np.log10(255**2 / np.maximum(np.mean(error**2, axis=(1, 2, 3)), 1e-3))
