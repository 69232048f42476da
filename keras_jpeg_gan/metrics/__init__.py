"""Measures of restored images; pixels are in [0, 255]."""

from keras_jpeg_gan.metrics.consistency import consistency_rmse
from keras_jpeg_gan.metrics.distortion import psnr
from keras_jpeg_gan.metrics.frechet import Moments, frechet_distance
from keras_jpeg_gan.metrics.lpips import lpips

__all__ = ["Moments", "consistency_rmse", "frechet_distance", "lpips", "psnr"]
