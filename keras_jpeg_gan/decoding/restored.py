"""A restored image: its pixels, their certificate, and how it is saved."""

import dataclasses
import html
import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from keras_jpeg_gan.decoding.files import viewer, writer
from keras_jpeg_gan.decoding.files.provenance import Work
from keras_jpeg_gan.decoding.options import DEFAULTS, RestoreOptions
from keras_jpeg_gan.jpeg.encoder import Certificate
from keras_jpeg_gan.jpeg.file import JpegFile
from keras_jpeg_gan.jpeg.projection.earlier import Agreement
from keras_jpeg_gan.metrics.violation import Violation
from keras_jpeg_gan.models.cards import ModelCard
from keras_jpeg_gan.system import write_atomically

_LARGEST_SHOWN = 1600  # pixels per side in a notebook, which stores what it shows


@dataclasses.dataclass(frozen=True)
class Restored:
    """A restored image and how it came to be.

    Attributes:
        pixels: [H, W] (gray), [H, W, 3] (RGB) or [H, W, 4] (CMYK, 0 is no ink), of the same size
            as libjpeg's decode: uint8, or uint16 in units of 1/257 grey level.
        certificate: how many levels libjpeg gives back; None for 16 bits, where its encoder does
            not have the file's sampling, and as of an earlier save.
        file: what was restored.
        model: the card of the model that restored it.
        seed: which sample this is; a regression does not depend on it.
        count: 1, or the number of samples, from that seed on, of which this is the mean.
        options: how it was asked for.
        violation: of 16-bit pixels, in real arithmetic, since no JPEG encoder takes them.
        agreement: with the earlier save that this is restored as of, if that shows in the file.
        projection: the one that was applied, of `projections.PROJECTIONS`.
        warnings: of the file and of the restoration, a line each.
        seconds: by stage, without time spent waiting: read (unless it had been read before),
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
    options: RestoreOptions = DEFAULTS
    violation: Violation | None = None
    agreement: Agreement | None = None

    @property
    def summary(self) -> str:
        """The certificate, agreement, or violation of 16-bit pixels, or that there is none."""
        if self.certificate is not None:
            return str(self.certificate)
        if self.agreement is not None:
            return str(self.agreement)
        if self.violation is None:
            return "no certificate"
        outside = self.violation.share_over_half
        return (
            f"16 bits, in real arithmetic: {100 * outside:.4g} % of coefficients outside their "
            f"cells, largest violation {self.violation.largest:.2f} steps"
        )

    @property
    def work(self) -> Work:
        """What the pixels were made of, and how."""
        return Work.of(self.file.sha256, self.model, self.seed, self.options, samples=self.count)

    @property
    def provenance(self) -> str:
        """What made the pixels and what came out, as a line of JSON (`provenance.Work.note`)."""
        return self.work.note(f"projection {self.projection}; {self.summary}")

    def save(
        self,
        path: str | pathlib.Path,
        image_format: str | None = None,
        keep_metadata: bool = True,
    ) -> None:
        """Write the image, whole or not at all; an existing file is replaced.

        Args:
            path: where to write.
            image_format: one of `writer.FORMATS`, or None to go by the suffix of the name.
            keep_metadata: copy the file's metadata, and add a note of what made the pixels.

        Raises:
            ConfigError: the format is unknown or cannot hold the image.
            OSError: the file cannot be written.
        """
        path = pathlib.Path(path)
        image_format = image_format or writer.format_of(path)
        write_atomically(path, self.encoded(image_format, keep_metadata))

    def encoded(self, image_format: str, keep_metadata: bool = True) -> bytes:
        """The bytes that `save` writes.

        Raises:
            ConfigError: the format is unknown or cannot hold the image.
        """
        metadata = self.file.metadata if keep_metadata else None
        return writer.encode(self.pixels, image_format, metadata, self.provenance)

    def _repr_html_(self) -> str:
        """The picture, its certificate and its warnings, as a notebook shows them.

        Images of more than 1600 pixels a side are reduced by a whole factor.
        """
        small, factor = viewer.reduced(viewer.on_screen(self.pixels), _LARGEST_SHOWN)
        metadata = self.file.metadata
        if self.file.model.inks:  # whose profile is not one of RGB
            metadata = dataclasses.replace(metadata, icc_profile=b"")
        png = writer.encode(small, "png", metadata, self.provenance)
        lines = [self.certificate._repr_html_() if self.certificate else html.escape(self.summary)]
        lines += [f"shown at 1/{factor} of its size"] if factor > 1 else []
        lines += [f"warning: {html.escape(warning)}" for warning in self.warnings]
        return (
            f'<figure><img src="{viewer.data_url(png, "png")}">'
            f"<figcaption>{'<br>'.join(lines)}</figcaption></figure>"
        )

    def details(self, seconds: Mapping[str, float]) -> dict[str, Any]:
        """As `products.Product.details`."""
        file, certificate = self.file, self.certificate
        return {
            "width": file.width,
            "height": file.height,
            "colour_model": file.model.value if file.quantized else "unknown",
            "sampling": file.quantized.sampling.name if file.quantized else "unknown",
            "progressive": file.progressive,
            "tables": [table.tolist() for table in file.tables],
            "quality": file.quality,
            "projection": self.projection,
            "bits": 8 * self.pixels.itemsize,
            "violation": self.violation and self.violation._asdict(),
            "certificate": certificate
            and {
                "exact": certificate.exact,
                "levels_equal": certificate.levels_equal,
                "levels_total": certificate.levels_total,
                "largest_violation": certificate.largest_violation,
            },
            "earlier_save": file.earlier
            and {
                "quality": file.earlier.save.quality,
                "tables": file.earlier.save.name,
                "offset": list(file.earlier.save.offset),
                "confidence": round(file.earlier.save.confidence, 4),
                "coefficients_inside": self.agreement and self.agreement.inside,
                "coefficients_total": self.agreement and self.agreement.total,
                "shown": self.agreement and round(self.agreement.shown, 4),
            },
            "seconds": {stage: round(value, 4) for stage, value in seconds.items()},
            "warnings": list(self.warnings),
        }
