"""Validation on held-back images: PSNR over libjpeg's decode, and what samples are worth."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from keras_jpeg_gan.data.degradation import degrade
from keras_jpeg_gan.errors import ConfigError


class Validation:
    """Fixed crops of held-back images, compressed at fixed qualities, 4:2:0.

    Args:
        images: [H, W, 3] uint8 each, at least `size` a side.
        qualities: IJG qualities; size: side of the centre crops, a multiple of 16.
        samples: how many of each crop are drawn and averaged, or 0 for a regression.

    Raises:
        ConfigError: there is no image.
    """

    def __init__(
        self, images: Sequence[np.ndarray], qualities: Sequence[int], size: int, samples: int = 0
    ) -> None:
        if not images:
            raise ConfigError(f"no held-back image has {size} pixels a side: see validation_size")
        self._samples = samples
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

    def __call__(
        self,
        restore: Callable[..., Any],
        noise_sizes: Sequence[tuple[int, int]] = (),
        batch: int = 8,
    ) -> dict[str, float]:
        """Means over the crops by quality, in dB over libjpeg's decode.

        Args:
            restore: compressed [B, S, S, 3] in [0, 1], tables [B, 2, 8, 8] and, for a sampler,
                noise fields -> restored [B, S, S, 3].
            noise_sizes: of the fields for a crop.
            batch: how many crops at once.

        Returns:
            gain_q10, ... for a regression; for a sampler of_one_q10 (a sample's gain),
            of_mean_q10 (of the samples' mean) and deviation_q10 (root mean square over the
            samples, in grey levels).
        """
        figures: dict[str, float] = {}
        for quality, originals, compressed, tables in self._sets:
            rows: list[dict[str, np.ndarray]] = []
            for i in range(0, len(originals), batch):
                part = slice(i, i + batch)
                before = _psnr(compressed[part], originals[part])
                given = compressed[part] / np.float32(255), tables[part]
                if not self._samples:
                    restored = _pixels(restore(*given))
                    rows.append({"gain": _psnr(restored, originals[part]) - before})
                    continue
                drawn = np.stack(
                    [
                        _pixels(restore(*given, _noise(noise_sizes, len(given[1]), i, k)))
                        for k in range(self._samples)
                    ]
                )
                rows.append(
                    {
                        "of_one": _psnr(drawn[0], originals[part]) - before,
                        "of_mean": _psnr(drawn.mean(axis=0), originals[part]) - before,
                        "deviation": np.sqrt(drawn.var(axis=0, ddof=1).mean(axis=(1, 2, 3))),
                    }
                )
            for name in rows[0]:
                values = np.concatenate([row[name] for row in rows])
                figures[f"{name}_q{quality}"] = float(np.mean(values))
        return figures


def _noise(
    sizes: Sequence[tuple[int, int]], count: int, position: int, sample: int
) -> list[np.ndarray]:
    rng = np.random.default_rng((position, sample))
    return [rng.standard_normal((count, *size, 1), np.float32) for size in sizes]


def _pixels(image: Any) -> np.ndarray:
    return np.clip(np.rint(np.asarray(image) * 255), 0, 255)


def _psnr(pixels: np.ndarray, originals: np.ndarray) -> np.ndarray:
    error = pixels.astype(np.float32) - originals
    return 10 * np.log10(255**2 / np.maximum(np.mean(error**2, axis=(1, 2, 3)), 1e-3))
