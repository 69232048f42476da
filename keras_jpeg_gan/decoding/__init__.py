"""Restoring files: the decoder, its runtimes, and the command jpeg-gan-decode."""

from keras_jpeg_gan.decoding.decoder import Decoder
from keras_jpeg_gan.decoding.options import RestoreOptions
from keras_jpeg_gan.decoding.restored import Restored

__all__ = ["Decoder", "RestoreOptions", "Restored"]
