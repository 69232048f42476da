"""A JPEG file as this library sees it: its levels and tables, its decode and its metadata.

Levels are read by jpeglib 1.0.2 rather than pyjpegio 0.3.0, which reads the same: jpeglib also
writes every sampling, so that one library serves reading and encoding. Both print libjpeg's
messages on C's standard error. They become warnings, but decide nothing.
"""

import functools
import hashlib
import io
import os
import pathlib
import re
from dataclasses import dataclass, replace

import jpeglib
import numpy as np
from PIL import Image, JpegImagePlugin

from keras_jpeg_gan.errors import ConfigError, JpegFormatError
from keras_jpeg_gan.jpeg.colour_model import ColourModel
from keras_jpeg_gan.jpeg.header import BROKEN, Header, from_image, read_header, without_extras
from keras_jpeg_gan.jpeg.levels import Quantized
from keras_jpeg_gan.jpeg.limits import FileLimits
from keras_jpeg_gan.jpeg.metadata import Metadata, read_metadata
from keras_jpeg_gan.jpeg.projection.earlier import Earlier
from keras_jpeg_gan.jpeg.sampling import GRAY, Sampling
from keras_jpeg_gan.jpeg.tables import estimate_quality
from keras_jpeg_gan.streams import caught_messages
from keras_jpeg_gan.system import as_file, without_warnings

TURBO = "turbo210"  # jpeglib's newest libjpeg-turbo; reads arithmetic coding too

_WITH_CHROMA = (ColourModel.YCBCR, ColourModel.YCCK)

_NO_END = "no end-of-image marker"

# How libjpeg's messages begin (jerror.h).
LIBJPEG = re.compile(
    r"(Application transf|Arithmetic|At marker|Bogus|Cannot|Can't|Caution: quant|Component index"
    r"|Corrupt JPEG|DCT|Didn't expect|Empty|Huffman|IDCT|Image too wide|Improper|Inconsistent"
    r"|Input file|Insufficient mem|Invalid|JPEG (data|param)|Maximum supp|Missing Huff|Not a JPEG"
    r"|Only |Premature|Quantization|Requested|Sampling|Scan script|Sorry|Suspension|Too many"
    r"|Unknown|Unrecog|Unsupported|Warning: unknown JFIF|Wrong JPEG)"
)
# What stands in for missing bits, to see whether any are missing: random, since regular bits may
# decode as the zeros that libjpeg puts there, and longer than any unit. They are opposites.
_FILLER = np.random.default_rng(0).integers(0, 255, 4096).astype(np.uint8)
_FILLERS = (_FILLER.tobytes(), (254 - _FILLER).tobytes())


@dataclass(frozen=True)
class JpegFile:
    """A JPEG file, or an image that is restored as if it were one.

    Attributes:
        quantized: the file's levels in int16; None for an image of another format
            (`jpeg.pictures`).
        tables: [8, 8] int32 steps for each component, natural order: those of `quantized`, or
            of the save that another format's image went through; () if that is not known yet.
        pixels: [H, W], [H, W, 3] or, of inks (`levels.Part`), [H, W, 4] uint8: libjpeg's default
            decode; orientation not applied.
        progressive: whether it has progressive scans.
        metadata: to be carried over.
        warnings: what is odd about the file, one line each.
        sha256: of the file's bytes, as hexadecimal digits.
        earlier: the picture as an earlier save left it, if it is to be restored from that.
    """

    quantized: Quantized | None
    tables: tuple[np.ndarray, ...]
    pixels: np.ndarray
    progressive: bool
    metadata: Metadata
    warnings: tuple[str, ...] = ()
    sha256: str = ""
    earlier: Earlier | None = None

    @property
    def height(self) -> int:
        """Rows of pixels."""
        return self.pixels.shape[0]

    @property
    def width(self) -> int:
        """Columns of pixels."""
        return self.pixels.shape[1]

    @property
    def channels(self) -> int:
        """1 (gray), 3 (RGB) or 4 (inks)."""
        return 1 if self.pixels.ndim == 2 else self.pixels.shape[2]

    @property
    def seen(self) -> np.ndarray:
        """The pixels that the network sees: those of `earlier`, which has a margin, if any."""
        return self.pixels if self.earlier is None else self.earlier.pixels

    @property
    def quality(self) -> int:
        """The IJG quality with the nearest tables: an estimate."""
        chroma = self.tables[1] if self.model in _WITH_CHROMA else None
        return estimate_quality(self.tables[0], chroma)

    @property
    def model(self) -> ColourModel:
        """The colour model of the file; that of an image of another format had Y, Cb and Cr."""
        if self.quantized is None:
            return ColourModel.of(self.channels, converted=True)
        return self.quantized.model

    @functools.cached_property
    def gray(self) -> bool:
        """Whether the picture has no colour: one component, or YCbCr without a level of chroma.

        Without levels: whether R = G = B in every pixel.
        """
        if self.pixels.ndim == 2:
            return True
        if self.quantized is None:
            return bool((self.pixels == self.pixels[..., :1]).all())
        _, *chroma = self.quantized.levels
        return self.shows_luma and not any(part.any() for part in chroma)

    @property
    def shows_luma(self) -> bool:
        """Whether each of its pixels shows the luma that was quantized there."""
        return (
            self.quantized is not None
            and self.model in (ColourModel.GRAY, ColourModel.YCBCR)
            and self.quantized.sampling.has_whole_luma
        )

    def with_warnings(self, *lines: str) -> "JpegFile":
        """The same file, with further warnings."""
        return replace(self, warnings=(*self.warnings, *lines))

    @property
    def constraint(self) -> Quantized | None:
        """What the pixels to restore must compress to: of a gray picture, the luma alone.

        With R = G = B, libjpeg's Y is that value, and Cb and Cr are exactly 128. Nothing, if it
        is restored as of an earlier save, whose levels are only estimates.
        """
        if self.earlier is not None:
            return None
        if self.quantized is None or not self.gray:
            return self.quantized
        levels, tables = self.quantized.levels[:1], self.quantized.tables[:1]
        return Quantized(levels, tables, GRAY, self.quantized.visible)

    @classmethod
    def read(
        cls,
        source: str | os.PathLike[str] | bytes,
        limits: FileLimits | None = None,
        allow_truncated: bool = False,
    ) -> "JpegFile":
        """Read a file.

        Args:
            source: a path, or the file's bytes.
            limits: what it may ask for; the defaults if None.
            allow_truncated: read what is left of a truncated file.

        Raises:
            JpegFormatError: it is not a JPEG that can be restored, or beyond the limits.
            OSError: the path cannot be read.
        """
        limits = limits or FileLimits()
        data = source if isinstance(source, bytes) else read_bytes(pathlib.Path(source), limits)
        header = read_header(data, limits)
        sha256 = hashlib.sha256(data).hexdigest()
        # What follows belongs to other programs, or is a fragment.
        data = from_image(data)[: header.end]
        if not header.complete:
            data += b"\xff\xd9"  # decoders fill in what is missing before it
        pixels, metadata = _decode_with_metadata(data, header.comments)
        # jpeglib fails on large numbers of markers, and needs none of these.
        found = read_levels(without_extras(data, header))
        size, count = (header.height, header.width), len(header.components)
        if (
            pixels.shape != (size if count == 1 else (*size, count))
            or (found.height, found.width) != size
            or found.quantized.sampling != header.sampling
        ):
            raise JpegFormatError(f"its decoders do not agree on what it is: {BROKEN}")
        remarks = []
        if not header.complete:
            remarks.append(_incomplete(header, data[: header.end], found.quantized))
            if remarks[0] != _NO_END and not allow_truncated:
                raise JpegFormatError(f"{remarks[0]}; --allow_truncated restores what is there")
        remarks += [f"libjpeg says: {remark}" for remark in found.remarks]
        remarks += metadata.lost
        tables = tuple(header.tables)
        quantized = Quantized(
            found.quantized.levels,
            tables,
            found.quantized.sampling,
            converted=header.model.converted,
        )
        if quantized.model in _WITH_CHROMA and (tables[1] != tables[2]).any():
            remarks.append("Cb and Cr have different tables")
        return cls(
            quantized=quantized,
            tables=tables,
            pixels=pixels,
            progressive=header.progressive,
            metadata=metadata,
            warnings=tuple(remarks),
            sha256=sha256,
        )


def read_bytes(path: pathlib.Path, limits: FileLimits) -> bytes:
    """A file's bytes, unless there are too many.

    Raises:
        JpegFormatError: there are more than the limit.
        OSError: the path cannot be read.
    """
    limits.check_file_size(path.stat().st_size)
    return path.read_bytes()


@dataclass(frozen=True)
class FileLevels:
    """What libjpeg's entropy decoder reads.

    Attributes:
        quantized: levels in int16, and the tables (int32) that stand at the file's end. If a
            file defines them twice, `Header.tables` has those that count. What the components
            mean is not asked here (`Header.model`).
        height, width: in pixels.
        remarks: what libjpeg printed, without repetition, one line each.
    """

    quantized: Quantized
    height: int
    width: int
    remarks: tuple[str, ...]


def read_levels(data: bytes) -> FileLevels:
    """Decode the levels of a JPEG file of one, three or four components.

    Raises:
        JpegFormatError: libjpeg cannot read the file.
    """
    with as_file(data, ".jpg") as path, caught_messages(LIBJPEG) as messages:
        failure = image = None
        try:
            with jpeglib.version(TURBO):
                image = jpeglib.read_dct(str(path))
                image.load()
        except (OSError, RuntimeError, ValueError) as error:
            failure = error
    remarks = tuple(messages)
    if image is None or failure is not None:
        reason = remarks[-1] if remarks else "no reason given"
        raise JpegFormatError(
            f"libjpeg cannot read its coefficients ({reason}): {BROKEN}"
        ) from failure
    components = (image.Y, image.Cb, image.Cr, image.K)
    levels = [part for part in components if part is not None]
    factors = tuple((int(across), int(down)) for down, across in image.samp_factor[: len(levels)])
    try:
        quantized = Quantized(
            levels=tuple(np.ascontiguousarray(part, np.int16) for part in levels),
            tables=tuple(image.get_component_qt(i).astype(np.int32) for i in range(len(levels))),
            sampling=Sampling(factors),
        )
    except ConfigError as error:
        raise JpegFormatError(f"libjpeg reads {error}: {BROKEN}") from error
    return FileLevels(quantized, image.height, image.width, remarks)


def decode(data: bytes) -> np.ndarray:
    """libjpeg's default decode of a JPEG file that was encoded here: [H, W] or [H, W, 3] uint8."""
    with Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
        return np.asarray(image)


def _decode_with_metadata(data: bytes, comments: tuple[bytes, ...]) -> tuple[np.ndarray, Metadata]:
    """The default decode of any file, and its metadata."""
    try:
        # Not by Image.open, which has a size limit of its own.
        with without_warnings():
            picture = JpegImagePlugin.JpegImageFile(io.BytesIO(data))
            metadata = read_metadata(picture, comments)
        with picture:
            pixels = np.asarray(picture)
    except Exception as error:  # Pillow's parsers raise much more than OSError on hostile bytes
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise JpegFormatError(f"Pillow cannot decode it ({reason}): {BROKEN}") from error
    return pixels, metadata


def _incomplete(header: Header, data: bytes, quantized: Quantized) -> str:
    """What is missing from a file without an end-of-image marker, whose data are `data`."""
    if header.has_all_scans and _ends_with_its_image(without_extras(data, header), quantized):
        return _NO_END
    return f"truncated: it ends in or behind scan {header.scans}, before its end-of-image marker"


def _ends_with_its_image(data: bytes, quantized: Quantized) -> bool:
    """Whether the last scan's Huffman codes are all there: what follows changes no level."""
    stuffing = b"\0" if data.endswith(b"\xff") else b""  # or the filler would be a marker's code
    for filler in _FILLERS:
        restarted = (bytes((0xFF, 0xD0 + n)) + filler for n in range(8))  # any may be waited for
        try:
            found = read_levels(
                b"".join([data, stuffing, filler, *restarted, b"\xff\xd9"])
            ).quantized
        except JpegFormatError:
            return False
        if not all(map(np.array_equal, found.levels, quantized.levels)):
            return False
    return True
