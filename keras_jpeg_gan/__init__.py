"""JPEG decoding by posterior sampling, with results that recompress to the very same file."""

__version__ = "0.1.0"
