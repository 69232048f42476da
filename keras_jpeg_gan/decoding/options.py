"""How a file is read and restored."""

import dataclasses

from keras_jpeg_gan.decoding.projections import PROJECTIONS
from keras_jpeg_gan.errors import ConfigError


@dataclasses.dataclass(frozen=True, kw_only=True)
class RestoreOptions:
    """How a file is read and restored; by default, exactly.

    Attributes:
        projection: "exact", so that libjpeg compresses the image to the file's levels; "float",
            consistent only before it is rounded; or "none", the rounded output of the network.
        blend: from 0, libjpeg's decode, to 1, the network's output; before the projection.
        temperature: scale of the noise; 0 means no noise. A regression ignores it.
        bits: 8, or 16 for pixels in 1/257 grey level, whose projection is float where it would
            be exact.
        allow_truncated: restore what is left of a truncated file.
        assume_quality: treat a PNG, WebP or JPEG file as the decode of a JPEG file of this
            quality, 1 to 100 (`jpeg.assumed`); then nothing is projected or certified.

    Raises:
        ConfigError: a value is out of range; for `assume_quality`, when a file is read.
    """

    projection: str = "exact"
    blend: float = 1.0
    temperature: float = 1.0
    bits: int = 8
    allow_truncated: bool = False
    assume_quality: int | None = None

    def __post_init__(self) -> None:
        if self.projection not in PROJECTIONS:
            raise ConfigError(f"projection {self.projection!r}: one of {', '.join(PROJECTIONS)}")
        if not 0 <= self.blend <= 1:
            raise ConfigError(f"blend {self.blend}: 0 to 1")
        if not self.temperature >= 0:
            raise ConfigError(f"temperature {self.temperature}: 0 or more")
        if self.bits not in (8, 16):
            raise ConfigError(f"{self.bits} bits: 8 or 16")


DEFAULTS = RestoreOptions()
