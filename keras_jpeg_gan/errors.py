"""The errors a user can meet; each says what is wrong and what to do."""


class JpegGanError(Exception):
    """Base of all errors of this library."""


class JpegFormatError(JpegGanError):
    """The bytes are no JPEG that can be restored: what they are, and what to do."""


class ModelError(JpegGanError):
    """A model, its weights or its card cannot be used."""


class ConfigError(JpegGanError):
    """A setting is wrong or contradicts another."""
