"""Measures of restored images; pixels are in [0, 255]."""

from keras_jpeg_gan.metrics.consistency import consistency_rmse, unrounded_consistency
from keras_jpeg_gan.metrics.distortion import ms_ssim, psnr, psnr_b, psnr_y, ssim
from keras_jpeg_gan.metrics.frechet import Gaussian, Moments, frechet_distance
from keras_jpeg_gan.metrics.kid import kid
from keras_jpeg_gan.metrics.lpips import lpips
from keras_jpeg_gan.metrics.precision_recall import precision_recall
from keras_jpeg_gan.metrics.reservoir import Reservoir
from keras_jpeg_gan.metrics.violation import Violation, violation

__all__ = [
    "Gaussian",
    "Moments",
    "Reservoir",
    "Violation",
    "consistency_rmse",
    "frechet_distance",
    "kid",
    "lpips",
    "ms_ssim",
    "precision_recall",
    "psnr",
    "psnr_b",
    "psnr_y",
    "ssim",
    "unrounded_consistency",
    "violation",
]
