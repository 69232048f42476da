"""What is measured on each restored image."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_jpeg_gan import metrics
from keras_jpeg_gan.evaluation.cases import Case
from keras_jpeg_gan.evaluation.contenders import Contender, Result, Trial
from keras_jpeg_gan.jpeg.encoder import recompress, violations
from keras_jpeg_gan.metrics.consistency import root_mean_square
from keras_jpeg_gan.metrics.deviation import deviation_by_texture

DISTORTIONS = {
    "psnr": metrics.psnr,
    "psnr_y": metrics.psnr_y,
    "psnr_b": metrics.psnr_b,
    "ssim": metrics.ssim,
    "ms_ssim": metrics.ms_ssim,
}


@dataclasses.dataclass(frozen=True)
class Row:
    """One image, compressed and restored by one contender with one seed; None: not measured.

    Attributes:
        image ... seed: which restored image this is.
        psnr ... lpips: against the original.
        consistency: root mean square difference over RGB between the restored image, compressed
            again and decoded, and the file's decode.
        levels_equal, levels_total, blocks_equal, blocks_total: how many of the file's levels and
            blocks libjpeg gives back.
        violation, largest_violation, violations: how far the unrounded coefficients of the 8-bit
            image are from the file's levels, in steps: mean, largest, and the share over 1/2.
        unrounded_consistency, unrounded_violations: consistency and share over 1/2 in real
            arithmetic, before rounding to 8 bits.
        deviation, textured, flat: deviation of the samples that were averaged, in grey levels:
            over all pixels, and over the most and the least textured third of the blocks.
        seconds: processor time, over all cores; megapixels: size of the image.
    """

    image: str
    sampling: str
    quality: int
    first_quality: int
    shift: str
    model: str
    method: str
    seed: int
    psnr: float | None = None
    psnr_y: float | None = None
    psnr_b: float | None = None
    ssim: float | None = None
    ms_ssim: float | None = None
    lpips: float | None = None
    consistency: float = 0.0
    levels_equal: int = 0
    levels_total: int = 0
    blocks_equal: int = 0
    blocks_total: int = 0
    violation: float = 0.0
    largest_violation: float = 0.0
    violations: float = 0.0
    unrounded_consistency: float | None = None
    unrounded_violations: float | None = None
    deviation: float | None = None
    textured: float | None = None
    flat: float | None = None
    seconds: float = 0.0
    megapixels: float = 0.0


def measure(
    image: str,
    case: Case,
    trial: Trial,
    contender: Contender,
    seed: int,
    result: Result,
    distortions: Sequence[str],
    lpips_network: Any = None,
) -> Row:
    """Measure what a contender made of a file.

    Args:
        image: the name of the original; case: how it was compressed.
        contender, seed: what made `result`.
        distortions: keys of `DISTORTIONS`.
        lpips_network: a `FeatureNetwork` with linear weights, or None.

    Raises:
        JpegGanError: the image is too small for a measure.
    """
    values: dict[str, Any] = {
        name: DISTORTIONS[name](result.pixels, trial.original) for name in distortions
    }
    if lpips_network is not None:
        values["lpips"] = metrics.lpips(lpips_network, result.pixels, trial.original)
    if result.unrounded is not None:
        given = result.unrounded, trial.quantized
        values["unrounded_consistency"] = metrics.unrounded_consistency(*given)
        values["unrounded_violations"] = metrics.violation(*given).share_over_half
    if result.deviation is not None:
        texture = deviation_by_texture(result.deviation, trial.original)
        values["deviation"] = float(result.deviation.mean())
        values["textured"], values["flat"] = texture.textured, texture.flat
    return Row(
        image=image,
        **case.fields,
        model=contender.model,
        method=contender.method,
        seed=seed,
        seconds=result.seconds,
        megapixels=trial.original.shape[0] * trial.original.shape[1] / 1e6,
        **values,
        **_recompressed(result.pixels, trial),
    )


def _recompressed(pixels: np.ndarray, trial: Trial) -> dict[str, Any]:
    """What libjpeg makes of the pixels, beside the file."""
    again = recompress(pixels, trial.quantized)
    same = [a == b for a, b in zip(again.levels, trial.quantized.levels, strict=True)]
    distances = np.concatenate([part.ravel() for part in violations(pixels, trial.quantized)])
    return {
        "consistency": root_mean_square(again.pixels, trial.file.pixels),
        "levels_equal": sum(int(np.count_nonzero(part)) for part in same),
        "levels_total": distances.size,
        "blocks_equal": sum(int(np.count_nonzero(part.all(axis=(2, 3)))) for part in same),
        "blocks_total": distances.size // 64,
        "violation": float(distances.mean()),
        "largest_violation": float(distances.max()),
        "violations": float(np.mean(distances > 0.5)),
    }
