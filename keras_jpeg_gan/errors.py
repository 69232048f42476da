"""The errors that users see. Each message says what is wrong and what to do about it."""


class JpegGanError(Exception):
    """Base of all errors of this library."""


class JpegFormatError(JpegGanError):
    """The bytes are not a JPEG file that can be restored."""


class ModelError(JpegGanError):
    """A model, its weights or its card cannot be used."""


class ConfigError(JpegGanError):
    """A setting is wrong or contradicts another."""
