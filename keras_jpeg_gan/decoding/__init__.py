"""Restoring files: the decoder, its runtimes, and the command jpeg-gan-decode."""

from keras_jpeg_gan.decoding.decoder import Decoder, Restored

__all__ = ["Decoder", "Restored"]
