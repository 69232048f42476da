"""A restored image: its pixels, what is certified of them, and how it is saved."""

import dataclasses
import pathlib

import numpy as np

from keras_jpeg_gan.decoding import writer
from keras_jpeg_gan.jpeg.encoder import Certificate
from keras_jpeg_gan.jpeg.file import JpegFile
from keras_jpeg_gan.metrics.violation import Violation
from keras_jpeg_gan.models.cards import ModelCard
from keras_jpeg_gan.system import write_atomically

UNITS_OF_16_BITS = 257  # a grey level


@dataclasses.dataclass(frozen=True)
class Restored:
    """A restored image and how it came to be.

    Attributes:
        pixels: [H, W] (gray) or [H, W, 3] (RGB), the size of libjpeg's decode: uint8, or uint16
            in 1/257 grey levels.
        certificate: what libjpeg makes of the pixels; None where its encoder has not the file's
            sampling, or there are no levels (a warning says so), and for 16 bits.
        file: what was restored.
        model: the card of the model that did it.
        seed: which sample; a regression draws none, and does not depend on it.
        count: of how many samples, from that seed on, it is the mean.
        violation: in real arithmetic, of 16-bit pixels, which no JPEG encoder takes.
        projection: the one that was done, of `PROJECTIONS`.
        warnings: of the file and of the restoration, a line each.
        seconds: by stage, each its own without waiting: read (if it was not read before),
            network, projection, certificate. Network and projection overlap.
    """

    pixels: np.ndarray
    certificate: Certificate | None
    file: JpegFile
    model: ModelCard
    seed: int
    projection: str
    warnings: tuple[str, ...]
    seconds: dict[str, float]
    count: int = 1
    violation: Violation | None = None

    @property
    def summary(self) -> str:
        """The certificate in a line, the violation of 16 bits, or that there is neither."""
        if self.certificate is not None:
            return str(self.certificate)
        if self.violation is None:
            return "no certificate"
        outside = self.violation.share_over_half
        return (
            f"16 bits, in real arithmetic: {100 * outside:.4g} % of coefficients outside their "
            f"cells, largest violation {self.violation.largest:.2f} steps"
        )

    @property
    def provenance(self) -> str:
        """What made the pixels, in a line."""
        return (
            f"model {self.model.name}, SHA-256 {self.model.sha256}; seed {self.seed}"
            + (f", mean of {self.count} samples" if self.count > 1 else "")
            + f"; projection {self.projection}; {self.summary}"
        )

    def save(
        self,
        path: str | pathlib.Path,
        image_format: str | None = None,
        keep_metadata: bool = True,
    ) -> None:
        """Write the pixels, whole or not at all, in place of what stood there.

        Args:
            path: where to.
            image_format: of `writer.FORMATS`, or None for what the name ends with.
            keep_metadata: carry over the file's metadata, and say what made the pixels.

        Raises:
            ConfigError: the format is unknown, or cannot hold the image.
            OSError: the file cannot be written.
        """
        path = pathlib.Path(path)
        image_format = image_format or writer.format_of(path)
        write_atomically(path, self.encoded(image_format, keep_metadata))

    def encoded(self, image_format: str, keep_metadata: bool = True) -> bytes:
        """The bytes that `save` writes.

        Raises:
            ConfigError: the format is unknown, or cannot hold the image.
        """
        metadata = self.file.metadata if keep_metadata else None
        return writer.encode(self.pixels, image_format, metadata, self.provenance)
