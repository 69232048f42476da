"""What the network sees of a file: pictures in RGB, each of some of its channels.

The network knows photographs, gray or converted to YCbCr, and how JPEG damages these. So what a
file converts is shown as RGB, and each channel that is coded by itself as a gray picture, which
came out better than several together (docs/results.md). Inks are shown as light.
"""

import dataclasses

import numpy as np

from keras_jpeg_gan.jpeg.file import JpegFile
from keras_jpeg_gan.jpeg.tables import network_tables


@dataclasses.dataclass(frozen=True)
class View:
    """Some of an image's channels as a picture.

    Attributes:
        channels: which of the image's, one or three.
        negative: whether the picture is 255 less their values.
        tables: [1, 2, 8, 8] float32, those of the picture.
    """

    channels: slice
    negative: bool
    tables: np.ndarray

    def picture(self, window: np.ndarray) -> np.ndarray:
        """The picture [1, h, w, 3] float32 of a window [1, h, w, C]."""
        part = window[..., self.channels]
        part = np.repeat(part, 3, axis=3) if part.shape[3] == 1 else part
        return self._turned(part.astype(np.float32))

    def values(self, picture: np.ndarray) -> np.ndarray:
        """The channels [1, h, w, c] that a picture [1, h, w, 3] stands for.

        The mean of a picture's channels is the nearest gray image.
        """
        single = self.channels.stop - self.channels.start == 1
        return self._turned(picture.mean(axis=3, keepdims=True) if single else picture)

    def _turned(self, values: np.ndarray) -> np.ndarray:
        return 255 - values if self.negative else values


def of(file: JpegFile) -> tuple[View, ...]:
    """The views of a file, in the order of its channels; of a gray picture there is only one."""
    if file.earlier is not None:
        return (View(slice(0, 1 if file.gray else 3), False, file.earlier.tables[None]),)
    if file.gray:
        return (View(slice(0, 1), False, network_tables(file.tables)[None]),)
    return tuple(
        View(channels, file.model.inks, network_tables(file.tables[channels])[None])
        for channels in file.model.parts
    )
