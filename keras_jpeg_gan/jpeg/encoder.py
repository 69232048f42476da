"""libjpeg's encoder itself, which decides what is exactly consistent.

Pillow's libjpeg-turbo writes gray and YCbCr in the samplings that Pillow can name, jpeglib's writes
the others, and what is not coded as YCbCr. Both use the "islow" DCT and plain (not smoothed)
downsampling, and agree level for level.
"""

import contextlib
import functools
import io
import itertools
import pathlib
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import jpeglib
import numpy as np
from PIL import Image

from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.jpeg import emulator
from keras_jpeg_gan.jpeg.colour_model import ColourModel
from keras_jpeg_gan.jpeg.file import LIBJPEG, TURBO, decode, read_levels
from keras_jpeg_gan.jpeg.levels import Quantized
from keras_jpeg_gan.jpeg.sampling import Sampling
from keras_jpeg_gan.streams import caught_messages

# Pixels whose coefficients are computed at once, in whole rows of units.
_PIXELS_AT_ONCE = 1 << 20

# jpeglib's names of colour spaces, of pixels by the number of channels, and of files. Gray is
# always left to Pillow.
_PIXEL_SPACES = {3: jpeglib.JCS_RGB, 4: jpeglib.JCS_CMYK}
_FILE_SPACES = {
    ColourModel.YCBCR: jpeglib.JCS_YCbCr,
    ColourModel.RGB: jpeglib.JCS_RGB,
    ColourModel.CMYK: jpeglib.JCS_CMYK,
    ColourModel.YCCK: jpeglib.JCS_YCCK,
}


@dataclass(frozen=True)
class Certificate:
    """How much of a file an image gives back when libjpeg compresses it again.

    Attributes:
        levels_equal: levels of the file that the encoder returned.
        levels_total: levels of the file.
        largest_violation: the largest distance in steps of an unrounded coefficient from the
            file's level; at most 1/2 where all levels are equal.
        hidden_border: whether the image that was compressed is a larger one, with samples of
            its own below or to the right of what is shown (`Quantized.visible`).
    """

    levels_equal: int
    levels_total: int
    largest_violation: float
    hidden_border: bool = False

    @property
    def exact(self) -> bool:
        """Whether every level is the file's."""
        return self.levels_equal == self.levels_total

    def __str__(self) -> str:
        return (
            f"{'exact' if self.exact else 'not exact'}"
            f"{', with its hidden border' if self.hidden_border else ''}: {self.levels_equal} of "
            f"{self.levels_total} levels equal, largest violation "
            f"{self.largest_violation:.2f} steps"
        )

    def _repr_html_(self) -> str:
        """The line as a notebook shows it: green if exact, else red."""
        return f'<span style="color:{"green" if self.exact else "firebrick"}">{self}</span>'


@dataclass(frozen=True)
class Recompressed:
    """An image compressed again; levels and pixels are decoded when they are first used.

    Attributes:
        data: the JPEG file.
    """

    data: bytes

    @functools.cached_property
    def levels(self) -> Sequence[np.ndarray]:
        """[Hb, Wb, 8, 8] int16 for each component."""
        return read_levels(self.data).quantized.levels

    @functools.cached_property
    def pixels(self) -> np.ndarray:
        """libjpeg's default decode: [H, W] or [H, W, 3] uint8."""
        return decode(self.data)


def encode(
    pixels: np.ndarray,
    tables: Sequence[np.ndarray],
    sampling: Sampling,
    converted: bool = True,
) -> bytes:
    """Compress with libjpeg.

    Args:
        pixels: [H, W] (gray), [H, W, 3] (RGB) or [H, W, 4] (inks) uint8.
        tables: [8, 8] steps in 1..65535 for each component, natural order. libjpeg writes
            those above 32767 as 32767: the levels of 8-bit pixels are 0 either way.
        sampling: of the components.
        converted: as `Quantized.converted`.

    Returns:
        A sequential JPEG file.

    Raises:
        ConfigError: libjpeg's encoder cannot write the sampling, or shapes do not match.
    """
    if not sampling.can_encode:
        raise ConfigError(
            f"sampling {sampling}: libjpeg's encoder cannot write it; use the float projection"
        )
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    if not sampling.components == len(tables) == channels:
        raise ConfigError(
            f"pixels of shape {pixels.shape} do not fit sampling {sampling} "
            f"with {len(tables)} tables"
        )
    steps = np.stack([np.asarray(table, np.int64).reshape(8, 8) for table in tables])
    if steps.min() < 1 or steps.max() > 65535:
        raise ConfigError("a quantization step is not in 1..65535: libjpeg cannot write it")
    subsampling = sampling.pillow_subsampling if converted else None
    # libjpeg warns about steps above 255, and jpeglib's choice of version is process-wide.
    alone = steps.max() > 255 or subsampling is None
    with caught_messages(LIBJPEG) if alone else contextlib.nullcontext():
        if subsampling is None:
            return _encode_by_jpeglib(pixels, steps, sampling, converted)
        return _encode_by_pillow(pixels, steps, subsampling)


def _encode_by_pillow(pixels: np.ndarray, steps: np.ndarray, subsampling: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(
        buffer,
        "JPEG",
        qtables=[table.ravel().tolist() for table in steps],
        subsampling=subsampling,
    )
    return buffer.getvalue()


def _encode_by_jpeglib(
    pixels: np.ndarray, steps: np.ndarray, sampling: Sampling, converted: bool
) -> bytes:
    model = ColourModel.of(sampling.components, converted)
    given = 255 - pixels if sampling.components == 4 else np.ascontiguousarray(pixels)
    with tempfile.TemporaryDirectory() as folder, jpeglib.version(TURBO):
        path = pathlib.Path(folder) / "encoded.jpg"
        image = jpeglib.from_spatial(given, _PIXEL_SPACES[sampling.components])
        image.jpeg_color_space = _FILE_SPACES[model]
        image.samp_factor = np.array([(down, across) for across, down in sampling.reduced])
        image.write_spatial(
            str(path), qt=steps.astype(np.uint16), quant_tbl_no=np.arange(len(steps))
        )
        return path.read_bytes()


def quantize(
    pixels: np.ndarray,
    tables: Sequence[np.ndarray],
    sampling: Sampling,
    converted: bool = True,
) -> Quantized:
    """The levels (int16) that libjpeg gives an image; arguments and errors as `encode`."""
    levels = read_levels(encode(pixels, tables, sampling, converted)).quantized.levels
    return Quantized(levels, tables, sampling, converted=converted)


def recompress(pixels: np.ndarray, quantized: Quantized) -> Recompressed:
    """Compress an image with libjpeg as a file was: with its tables, sampling and colour model.

    Args:
        pixels: [H, W], [H, W, 3] or [H, W, 4] uint8.
        quantized: of the file.

    Raises:
        ConfigError: libjpeg's encoder cannot write the sampling, or shapes do not match.
    """
    quantized.check_fits(pixels.shape)
    return Recompressed(encode(pixels, quantized.tables, quantized.sampling, quantized.converted))


def violations(pixels: np.ndarray, quantized: Quantized) -> Iterator[np.ndarray]:
    """How far the encoder's unrounded coefficients are from a file's levels, in steps.

    Args:
        pixels: [H, W], [H, W, 3] or [H, W, 4] uint8; quantized: of the file.

    Yields:
        [Hb, Wb, 8, 8] float64, at least 0, for each component.

    Raises:
        ConfigError: the pixels and the sampling do not match.
    """
    unrounded = itertools.chain.from_iterable(
        emulator.coefficients(part.coded(pixels), part.quantized.sampling)
        for part in quantized.parts
    )
    for c8, wanted, table in zip(unrounded, quantized.levels, quantized.tables, strict=True):
        yield np.abs(_like(wanted, c8) / (8.0 * np.asarray(table)) - wanted)


def _like(wanted: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Of the blocks found, those that a file has; with a free border, an image has more."""
    return found[: wanted.shape[0], : wanted.shape[1]]


def certify(pixels: np.ndarray, quantized: Quantized) -> Certificate:
    """Compress the pixels with libjpeg and compare with a file's levels.

    Arguments and errors as `recompress`.
    """
    again = recompress(pixels, quantized).levels
    pairs = [
        (_like(wanted, ours), wanted) for ours, wanted in zip(again, quantized.levels, strict=True)
    ]
    height, width = pixels.shape[:2]
    unit = quantized.sampling.unit_height
    rows = unit * max(1, _PIXELS_AT_ONCE // (unit * width))
    return Certificate(
        levels_equal=sum(int(np.count_nonzero(ours == wanted)) for ours, wanted in pairs),
        levels_total=sum(wanted.size for _, wanted in pairs),
        largest_violation=max(
            float(part.max())
            for top in range(0, height, rows)
            for part in violations(
                pixels[top : top + rows], quantized.rows(top, min(top + rows, height))
            )
        ),
        hidden_border=quantized.visible is not None,
    )
