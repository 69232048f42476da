"""Rows and scores are what their parts say."""

import numpy as np
import pytest

from keras_jpeg_gan import metrics
from keras_jpeg_gan.evaluation.cases import Case
from keras_jpeg_gan.evaluation.contenders import Contender, Libjpeg, Original, Result, Trial
from keras_jpeg_gan.evaluation.measures import Row, measure
from keras_jpeg_gan.jpeg.encoder import certify, recompress
from tests.evaluation.stubs import Noisy

CASE = Case(30)


def row_of(trial: Trial, contender: Contender, seed: int, distortions: list[str]) -> Row:
    result = contender.restore(trial, seed)
    return measure("a.png", CASE, trial, contender, seed, result, distortions)


@pytest.fixture
def trial() -> Trial:
    y, x = np.mgrid[:72, :88]
    wave = 128 + 60 * np.sin(x / 3) + 30 * np.cos(y / 4)
    return Trial(*CASE.make(np.stack([wave, wave, 255 - wave], -1).astype(np.uint8)))


def test_a_row_is_what_its_parts_say(trial: Trial) -> None:
    row = row_of(trial, Noisy(), 1, ["psnr", "psnr_y", "ssim"])
    pixels = Noisy().restore(trial, 1).pixels
    certificate = certify(pixels, trial.quantized)
    assert (row.levels_equal, row.levels_total) == (
        certificate.levels_equal, certificate.levels_total,
    )  # fmt: skip
    assert row.largest_violation == certificate.largest_violation
    assert row.consistency == metrics.consistency_rmse(pixels, trial.file.pixels, trial.quantized)
    assert row.psnr == metrics.psnr(pixels, trial.original)
    assert row.psnr_y == metrics.psnr_y(pixels, trial.original)
    assert row.ssim == metrics.ssim(pixels, trial.original)
    assert row.psnr_b is row.lpips is row.deviation is None
    same = [
        (ours == wanted).all(axis=(2, 3))
        for ours, wanted in zip(
            recompress(pixels, trial.quantized).levels, trial.quantized.levels, strict=True
        )
    ]
    assert row.blocks_equal == sum(int(part.sum()) for part in same)
    assert row.blocks_total == 9 * 11 + 2 * 5 * 6
    assert (row.quality, row.seed, row.megapixels) == (30, 1, 72 * 88 / 1e6)
    assert 0 < row.violations < 1
    assert row.violation < row.largest_violation


def test_what_there_is_before_rounding(trial: Trial) -> None:
    class Fine:
        model, method, draws = "fine", "float", False

        def restore(self, trial: Trial, seed: int) -> Result:
            return Result(trial.file.pixels, unrounded=trial.original.astype(np.float32))

    row = row_of(trial, Fine(), 0, [])
    of_original = metrics.violation(trial.original.astype(np.float32), trial.quantized)
    assert row.unrounded_violations == of_original.share_over_half
    assert row.unrounded_consistency is not None
    assert row.unrounded_consistency < 2  # but for libjpeg's arithmetic, the file is its own


def test_deviation_by_texture(trial: Trial) -> None:
    class Spread:
        model, method, draws = "m", "mean:2", False

        def restore(self, trial: Trial, seed: int) -> Result:
            return Result(trial.file.pixels, deviation=np.full((72, 88), 2.5))

    row = row_of(trial, Spread(), 0, [])
    assert row.deviation == row.textured == row.flat == 2.5


def test_libjpegs_row(trial: Trial) -> None:
    row = row_of(trial, Libjpeg(), 0, [])
    assert (row.model, row.method, row.seconds) == ("libjpeg", "decode", 0)


def test_the_original_has_no_error_and_is_consistent(trial: Trial) -> None:
    row = row_of(trial, Original(), 0, ["psnr", "ssim"])
    assert (row.psnr, row.ssim, row.consistency) == (float("inf"), 1, 0)
    assert row.levels_equal == row.levels_total
