"""Validation on held-back images: PSNR over libjpeg's decode, and measures of samples."""

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from keras_jpeg_gan.data.degradation import degrade
from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.jpeg import encoder
from keras_jpeg_gan.jpeg.levels import Quantized
from keras_jpeg_gan.jpeg.sampling import Sampling
from keras_jpeg_gan.metrics.consistency import consistency_rmse

# Compressed [B, S, S, 3] in [0, 1], tables [B, 2, 8, 8] and, for a sampler, noise fields ->
# restored [B, S, S, 3].
Restore = Callable[..., Any]
_SAMPLING = Sampling.parse("4:2:0")


@dataclasses.dataclass(frozen=True)
class Crops:
    """Center crops of images, compressed at one quality, 4:2:0.

    Attributes:
        original, compressed: [N, S, S, 3] uint8.
        tables: [N, 2, 8, 8] float32 in steps.
        quantized: what the encoder made of each.
    """

    original: np.ndarray
    compressed: np.ndarray
    tables: np.ndarray
    quantized: tuple[Quantized, ...]

    @classmethod
    def of(cls, images: Sequence[np.ndarray], quality: int, size: int) -> "Crops":
        """Crops of size x size from images [H, W, 3] uint8 that are at least that large."""
        originals, compressed, tables, quantized = [], [], [], []
        for image in images:
            top, left = (image.shape[0] - size) // 2, (image.shape[1] - size) // 2
            crop = np.ascontiguousarray(image[top : top + size, left : left + size])
            decoded, steps = degrade(crop, quality, _SAMPLING)
            originals.append(crop)
            compressed.append(decoded)
            tables.append(steps)
            luma, chroma = steps
            quantized.append(encoder.quantize(crop, (luma, chroma, chroma), _SAMPLING))
        return cls(np.stack(originals), np.stack(compressed), np.stack(tables), tuple(quantized))

    @property
    def image(self) -> np.ndarray:
        """The compressed crops as a generator takes them, [N, S, S, 3] in [0, 1]."""
        return self.compressed / np.float32(255)

    def __getitem__(self, part: slice) -> "Crops":
        return Crops(
            self.original[part], self.compressed[part], self.tables[part], self.quantized[part]
        )


class Validation:
    """Fixed crops of held-back images, compressed at fixed qualities, 4:2:0.

    Attributes:
        crops: by quality.

    Args:
        images: [H, W, 3] uint8 each, with sides of at least `size`.
        qualities: IJG qualities; size: side of the center crops, a multiple of 16.
        samples: how many are drawn of each crop and averaged, or 0 for a regression.

    Raises:
        ConfigError: there is no image.
    """

    def __init__(
        self, images: Sequence[np.ndarray], qualities: Sequence[int], size: int, samples: int = 0
    ) -> None:
        if not images:
            raise ConfigError(f"no held-back image has sides of {size} pixels: see validation_size")
        self._samples = samples
        self.crops = {quality: Crops.of(images, quality, size) for quality in qualities}

    @classmethod
    def from_config(cls, config: Any, images: Iterable[np.ndarray]) -> "Validation":
        """Validation on those held-back images that are large enough.

        Raises:
            ConfigError: there is none.
        """
        return cls(
            [image for image in images if min(image.shape[:2]) >= config.validation_size],
            config.validation_qualities,
            config.validation_size,
            config.validation_samples if config.method == "sampler" else 0,
        )

    def __call__(
        self,
        restore: Restore,
        noise_sizes: Sequence[tuple[int, int]] = (),
        batch: int = 8,
    ) -> dict[str, float]:
        """Means over the crops by quality, PSNRs in dB over libjpeg's decode.

        Args:
            restore: the generator.
            noise_sizes: sizes of the noise fields for a crop.
            batch: how many crops are restored at once.

        Returns:
            gain_q10, ... for a regression; for a sampler of_one_q10 (a single sample's gain),
            of_mean_q10 (the gain of the samples' mean) and deviation_q10 (the samples' standard
            deviation, root mean square over the pixels, in gray levels); for both
            consistency_q10 (`consistency_rmse`, of the first sample).
        """
        figures: dict[str, float] = {}
        for quality, crops in self.crops.items():
            rows = [
                self._measured(crops[i : i + batch], i, restore, noise_sizes)
                for i in range(0, len(crops.tables), batch)
            ]
            for name in rows[0]:
                values = np.concatenate([row[name] for row in rows])
                figures[f"{name}_q{quality}"] = float(np.mean(values))
        return figures

    def _measured(
        self, crops: Crops, first: int, restore: Restore, noise_sizes: Sequence[tuple[int, int]]
    ) -> dict[str, np.ndarray]:
        """Each figure, for each of these crops."""
        before = _psnr(crops.compressed, crops.original)
        given = crops.image, crops.tables
        if not self._samples:
            restored = pixels_of(restore(*given))
            gain = _psnr(restored, crops.original) - before
            return {"gain": gain, "consistency": _consistency(restored, crops)}
        drawn = np.stack(
            [
                pixels_of(restore(*given, drawn_noise(noise_sizes, len(crops.tables), first, k)))
                for k in range(self._samples)
            ]
        )
        return {
            "of_one": _psnr(drawn[0], crops.original) - before,
            "of_mean": _psnr(drawn.mean(axis=0), crops.original) - before,
            "deviation": np.sqrt(drawn.var(axis=0, ddof=1).mean(axis=(1, 2, 3))),
            "consistency": _consistency(drawn[0], crops),
        }


def drawn_noise(
    sizes: Sequence[tuple[int, int]], count: int, position: int, sample: int
) -> list[np.ndarray]:
    """Noise fields [count, h, w, 1] for a sample of some crops, the same in every validation."""
    rng = np.random.default_rng((position, sample))
    return [rng.standard_normal((count, *size, 1), np.float32) for size in sizes]


def pixels_of(image: Any) -> np.ndarray:
    """[..., 3] in [0, 1] -> whole gray levels 0..255, float32."""
    return np.clip(np.rint(np.asarray(image) * 255), 0, 255)


def _consistency(pixels: np.ndarray, crops: Crops) -> np.ndarray:
    return np.array(
        [
            consistency_rmse(restored.astype(np.uint8), decoded, quantized)
            for restored, decoded, quantized in zip(
                pixels, crops.compressed, crops.quantized, strict=True
            )
        ]
    )


def _psnr(pixels: np.ndarray, originals: np.ndarray) -> np.ndarray:
    error = pixels.astype(np.float32) - originals
    return 10 * np.log10(255**2 / np.maximum(np.mean(error**2, axis=(1, 2, 3)), 1e-3))
