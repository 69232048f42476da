"""Quantized coefficients with what they mean: all that an encoder must give back."""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.jpeg.colour_model import ColourModel
from keras_jpeg_gan.jpeg.sampling import Sampling


@dataclass(frozen=True, eq=False)
class Quantized:
    """The levels of a file with its tables and sampling.

    In `jpeg.tensors` the arrays are float32 tensors, the levels with a batch axis in front; the
    tables may have one too.

    Attributes:
        levels: [Hb, Wb, 8, 8] integers for each component, natural order, without dummy blocks.
        tables: [8, 8] steps >= 1 for each component, natural order.
        sampling: of the components.
        visible: height and width of the image in pixels if samples beyond it are free, that is,
            if they do not repeat its edge (`projection.border`); otherwise None. If they are
            free, pixels are those of whole units, of which an encoder must give back only these
            levels.
        converted: whether the first three of several components are Y, Cb and Cr (YCbCr, YCCK),
            or coded without a conversion (RGB, CMYK).

    Raises:
        ConfigError: the numbers of components differ.
    """

    levels: Sequence[np.ndarray]
    tables: Sequence[np.ndarray]
    sampling: Sampling
    visible: tuple[int, int] | None = None
    converted: bool = True

    def __post_init__(self) -> None:
        if not len(self.levels) == len(self.tables) == self.sampling.components:
            raise ConfigError(
                f"{len(self.levels)} components and {len(self.tables)} tables do not fit "
                f"sampling {self.sampling}"
            )

    @property
    def model(self) -> ColourModel:
        """The colour model of the components."""
        return ColourModel.of(self.sampling.components, self.converted)

    def check_fits(self, shape: tuple[int, ...]) -> None:
        """Refuse pixels that cannot have these levels.

        Args:
            shape: (H, W) of a gray image, (H, W, C) of an image with several channels.

        Raises:
            ConfigError: the shapes do not match.
        """
        channels = 1 if len(shape) == 2 else shape[2]
        seen = self.visible or shape[:2]
        blocks = self.sampling.blocks(*seen)
        whole = self.visible is None or self.sampling.whole_units(*seen) == shape[:2]
        if (
            not whole
            or channels != self.sampling.components
            or any(
                part.shape != (*size, 8, 8) for part, size in zip(self.levels, blocks, strict=True)
            )
        ):
            raise ConfigError(
                f"levels of shape {', '.join(str(part.shape) for part in self.levels)} and "
                f"sampling {self.sampling} do not fit pixels of shape {shape}"
            )

    def rows(self, top: int, end: int) -> "Quantized":
        """The part that belongs to a band of rows of pixels.

        Args:
            top, end: the first row and the one after the last; both begin a unit
                (`Sampling.unit_height`), except an end that is the image's.
        """
        unit = self.sampling.unit_height
        levels = [
            part[..., top // unit * down : -(-end // unit) * down, :, :, :]
            for part, (_, down) in zip(self.levels, self.sampling.reduced, strict=True)
        ]
        visible = self.visible and (min(end, self.visible[0]) - top, self.visible[1])
        return dataclasses.replace(self, levels=levels, visible=visible)

    @property
    def parts(self) -> tuple["Part", ...]:
        """The parts that an encoder compresses each by itself, in the order of the channels."""
        return tuple(
            Part(
                channels,
                negative=self.model.inks and channels.stop - channels.start == 1,
                quantized=Quantized(
                    self.levels[channels],
                    self.tables[channels],
                    self.sampling.part(channels),
                    self.visible,
                ),
            )
            for channels in self.model.parts
        )

    def by_parts(
        self, function: Callable[[np.ndarray, "Quantized"], np.ndarray], pixels: np.ndarray
    ) -> np.ndarray:
        """Apply a function of pixels and levels to each part, and put its images together.

        Args:
            function: takes and returns an image, gray or RGB; it may return another size.
            pixels: [H, W] or [H, W, C], on the scale 0..255.

        Raises:
            ConfigError: the pixels do not have as many channels as there are components.
        """
        if (1 if pixels.ndim == 2 else pixels.shape[2]) != self.sampling.components:
            raise ConfigError(
                f"sampling {self.sampling}: its levels do not fit pixels of shape {pixels.shape}"
            )
        parts = self.parts
        if len(parts) == 1:
            return function(pixels, self)
        return np.dstack(
            [part.shown(function(part.coded(pixels), part.quantized)) for part in parts]
        )


@dataclass(frozen=True, eq=False)
class Part:
    """Channels of an image that are compressed without regard to the others.

    A part is a gray or a YCbCr image of its own: K of a YCCK file, each channel of an RGB file.
    Pixels of CMYK and YCCK files are inks: 0 is none, 255 full, as TIFF and Pillow have it. As
    Adobe's programs write these files, and everyone reads them, CMYK and K are coded as 255 less
    the ink; Y, Cb and Cr are of inks taken for RGB (libjpeg's jccolor.c).

    Attributes:
        channels: which of the image's.
        negative: whether 255 less the values is coded.
        quantized: what an encoder must give back.
    """

    channels: slice
    negative: bool
    quantized: Quantized

    def coded(self, pixels: np.ndarray) -> np.ndarray:
        """What an encoder is given of an image, [H, W] or [H, W, C]: [H, W] or [H, W, 3]."""
        part = np.atleast_3d(pixels)[..., self.channels]
        part = part[..., 0] if part.shape[-1] == 1 else part
        return 255 - part if self.negative else np.ascontiguousarray(part)

    def shown(self, pixels: np.ndarray) -> np.ndarray:
        """The values in an image, [H, W] or [H, W, 3], of those that are coded."""
        return 255 - pixels if self.negative else pixels
