"""Measures of restored images; pixels are in [0, 255]."""

from keras_jpeg_gan.metrics.consistency import consistency_rmse
from keras_jpeg_gan.metrics.distortion import psnr

__all__ = ["consistency_rmse", "psnr"]
