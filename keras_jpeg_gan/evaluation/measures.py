"""What is measured of each restored image, and what of all together."""

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
from keras_jpeg_gan.metrics.extractors import FeatureExtractor

DISTORTIONS = {
    "psnr": metrics.psnr,
    "psnr_y": metrics.psnr_y,
    "psnr_b": metrics.psnr_b,
    "ssim": metrics.ssim,
    "ms_ssim": metrics.ms_ssim,
}


@dataclasses.dataclass(frozen=True)
class Row:
    """One image, compressed, restored by one contender with one seed. None: was not measured.

    Attributes:
        image ... seed: which.
        psnr ... lpips: against the original.
        consistency: root mean square difference over RGB of the restored image, compressed
            again and decoded, from the file's decode.
        levels_equal, levels_total, blocks_equal, blocks_total: what libjpeg gives back.
        violation, largest_violation, violations: distance of the unrounded coefficients of the
            8-bit image from the file's levels, in steps: mean, largest, and the share that is
            over 1/2.
        unrounded_consistency, unrounded_violations: in real arithmetic before rounding to 8
            bits, the consistency and the share of coefficients over 1/2.
        deviation, textured, flat: of the samples that a mean is of, in grey levels: over all
            pixels, and over the third of the blocks with the most and the least texture.
        seconds: processor time, over all cores; megapixels: of the image.
    """

    image: str
    sampling: str
    quality: int
    first_quality: int
    shift: int
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
    distortions: Sequence[str],
    lpips_network: Any = None,
) -> tuple[Row, Result]:
    """Restore a file, and measure the result.

    Args:
        image: the name of the original; case: how it was compressed.
        distortions: keys of `DISTORTIONS`.
        lpips_network: a `FeatureNetwork` with linear weights, or None.

    Raises:
        JpegGanError: a restoration fails, or an image is too small for a measure.
    """
    result = contender.restore(trial, seed)
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
    row = Row(
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
    return row, result


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


@dataclasses.dataclass(frozen=True)
class Score:
    """How far the images of one contender and seed are, as a set, from a reference set.

    Attributes:
        sampling ... seed: which, as in `Row`.
        network: whose features; distance_name: what the distance may be called.
        images: of the set; vectors: of features that the distance is of.
        distance: Fréchet; kid, kid_error: mean and standard error over subsets.
        precision, recall: shares of features within the reach of the other set's.
    """

    sampling: str
    quality: int
    first_quality: int
    shift: int
    model: str
    method: str
    seed: int
    network: str
    distance_name: str
    images: int
    vectors: int
    distance: float
    kid: float
    kid_error: float
    precision: float
    recall: float


class SetStatistics:
    """Of the features of images that pass by, for one network; memory does not grow with them.

    Args:
        extractor: the network.

    Attributes:
        images: so many passed; moments, some: of their features, and a random part of these.
    """

    CAPACITY = 5000  # vectors kept for KID, precision and recall
    FEWEST = 5  # vectors that make a set

    def __init__(self, extractor: FeatureExtractor) -> None:
        self._extractor = extractor
        self.images = 0
        self.moments = metrics.Moments(extractor.size)
        self.some = metrics.Reservoir(extractor.size, self.CAPACITY, seed=0)

    def add(self, pixels: np.ndarray) -> None:
        """Take in an image [H, W, 3]."""
        vectors = self._extractor.features(pixels)
        self.images += 1
        self.moments.add(vectors)
        self.some.add(vectors)

    def scores(self, reference: "SetStatistics") -> dict[str, Any]:
        """The fields of `Score` that are measured.

        Raises:
            ConfigError: there are too few features.
        """
        kid, error = metrics.kid(reference.some.vectors, self.some.vectors)
        precision, recall = metrics.precision_recall(reference.some.vectors, self.some.vectors)
        return {
            "network": self._extractor.name,
            "distance_name": self._extractor.distance_name(self.images),
            "images": self.images,
            "vectors": self.moments.count,
            "distance": metrics.frechet_distance(self.moments, reference.moments),
            "kid": kid,
            "kid_error": error,
            "precision": precision,
            "recall": recall,
        }

    def state(self) -> dict[str, np.ndarray]:
        """All that `restored` needs."""
        parts = {"moments": self.moments.state(), "some": self.some.state()}
        flat = {f"{part}.{name}": v for part, s in parts.items() for name, v in s.items()}
        return {"images": np.array(self.images), **flat}

    @classmethod
    def restored(cls, extractor: FeatureExtractor, state: dict[str, np.ndarray]) -> "SetStatistics":
        """As it was."""
        statistics = cls(extractor)
        statistics.images = int(state["images"])

        def part(name: str) -> dict[str, np.ndarray]:
            return {k.removeprefix(f"{name}."): v for k, v in state.items() if k.startswith(name)}

        statistics.moments = metrics.Moments.from_state(part("moments"))
        statistics.some = metrics.Reservoir.from_state(part("some"))
        return statistics
