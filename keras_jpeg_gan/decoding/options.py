"""How a file is read and restored."""

import dataclasses

from keras_jpeg_gan.decoding.earlier import AUTO, OFF
from keras_jpeg_gan.decoding.projections import PROJECTIONS
from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.jpeg.resaved import EarlierSave


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
        earlier_save: "auto", so that a file that was saved before, and was coarser then, is
            restored as of that save, and a PNG or WebP file as of its only one; "off", so that
            a JPEG file is held to its own levels; or the save, if it is known: "30", a quality,
            or "30@3,5" if its grid begins 3 columns and 5 rows from the corner. As of an earlier
            save, the projection is float.

    Raises:
        ConfigError: a value is out of range.
    """

    projection: str = "exact"
    blend: float = 1.0
    temperature: float = 1.0
    bits: int = 8
    allow_truncated: bool = False
    earlier_save: str = AUTO

    def __post_init__(self) -> None:
        if self.projection not in PROJECTIONS:
            raise ConfigError(f"projection {self.projection!r}: one of {', '.join(PROJECTIONS)}")
        if not 0 <= self.blend <= 1:
            raise ConfigError(f"blend {self.blend}: 0 to 1")
        if not self.temperature >= 0:
            raise ConfigError(f"temperature {self.temperature}: 0 or more")
        if self.bits not in (8, 16):
            raise ConfigError(f"{self.bits} bits: 8 or 16")
        if self.earlier_save not in (AUTO, OFF):
            EarlierSave.parse(self.earlier_save)


DEFAULTS = RestoreOptions()
