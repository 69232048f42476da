"""The generator's building blocks: convolutions with noise, residual blocks, FiLM, resampling."""

from keras_jpeg_gan.layers.film import Modulation, TablesEmbedding
from keras_jpeg_gan.layers.noise import NoisyConv2D, scaled_noise
from keras_jpeg_gan.layers.resampling import pixel_shuffle, pixel_unshuffle, upsample_nearest
from keras_jpeg_gan.layers.rrdb import RRDB, ResidualBlock

__all__ = [
    "RRDB",
    "Modulation",
    "NoisyConv2D",
    "ResidualBlock",
    "TablesEmbedding",
    "pixel_shuffle",
    "pixel_unshuffle",
    "scaled_noise",
    "upsample_nearest",
]
