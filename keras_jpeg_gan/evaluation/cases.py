"""How originals become the files that are restored: compressed once, or twice."""

import dataclasses
import io
from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import Image

from keras_jpeg_gan.decoding.earlier import OFF
from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.jpeg.sampling import Sampling

_DEFAULT = Sampling.parse("4:2:0")


@dataclasses.dataclass(frozen=True)
class Case:
    """A compression by Pillow (libjpeg-turbo) with the IJG tables.

    Attributes:
        quality: 1..100; sampling: one that Pillow writes.
        first_quality: that of an earlier compression, or 0 for none.
        shift: (x, y), columns and rows cut off at the top left between the two compressions, so
            that their blocks do not coincide.
    """

    quality: int
    sampling: Sampling = _DEFAULT
    first_quality: int = 0
    shift: tuple[int, int] = (0, 0)

    def make(self, original: np.ndarray) -> tuple[bytes, np.ndarray]:
        """Compress an original; return the file's bytes and the part of the original it shows.

        Args:
            original: [H, W, 3] uint8.

        Raises:
            ConfigError: the shift leaves nothing.
        """
        pixels = original
        if self.first_quality:
            first = io.BytesIO(compress(original, self.first_quality, self.sampling))
            with Image.open(first) as image:
                pixels = np.asarray(image)
        x, y = self.shift
        if original.shape[0] <= y or original.shape[1] <= x:
            raise ConfigError(f"an image of {original.shape[:2]} pixels: smaller than the shift")
        pixels, original = (p[y:, x:] for p in (pixels, original))
        return compress(pixels, self.quality, self.sampling), original

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> "Case":
        """The case that `fields` describes, given these and any others, as text too."""
        return cls(
            int(fields["quality"]),
            Sampling.parse(fields["sampling"]),
            int(fields["first_quality"]),
            _pair(fields["shift"]),
        )

    @property
    def fields(self) -> dict[str, Any]:
        """What results and settings say of it: its attributes, the sampling by name."""
        return {
            "quality": self.quality,
            "sampling": self.sampling.name,
            "first_quality": self.first_quality,
            "shift": "{},{}".format(*self.shift),
        }

    @property
    def earlier_save(self) -> str:
        """The earlier compression as `RestoreOptions` takes it; "off" if there was none."""
        x, y = self.shift
        return f"{self.first_quality}@{-x % 8},{-y % 8}" if self.first_quality else OFF

    @property
    def label(self) -> str:
        """The quality and its history: "10", "30, then 10", "30, shifted by (4, 4), then 10"."""
        before = f"{self.first_quality}, " if self.first_quality else ""
        shifted = f"shifted by {self.shift}, " if any(self.shift) else ""
        return f"{before}{shifted}{'then ' if before else ''}{self.quality}"


def _pair(text: str) -> tuple[int, int]:
    x, y = text.split(",")
    return int(x), int(y)


def compress(original: np.ndarray, quality: int, sampling: Sampling) -> bytes:
    """Compress an original [H, W, 3] uint8 with Pillow."""
    buffer = io.BytesIO()
    Image.fromarray(original).save(
        buffer, "JPEG", quality=quality, subsampling=sampling.pillow_subsampling
    )
    return buffer.getvalue()
