"""Pictures in pages of HTML: before and after, with a line between them that can be dragged.

The page of `jpeg-gan-decode --compare` and the report of an evaluation show their pictures with it.
"""

import base64
import html
import importlib.resources
import io
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps

from keras_jpeg_gan.decoding.files.writer import image_of
from keras_jpeg_gan.decoding.projections import UNITS_OF_16_BITS
from keras_jpeg_gan.jpeg.metadata import Metadata

_LARGEST = 4096  # pixels per side: browsers hold larger pictures badly
_ORIENTATION = 0x0112
_PNG_LEVEL = 3


class Picture(NamedTuple):
    """A picture for a page.

    Attributes:
        png: its bytes.
        width, height: in pixels.
        factor: by how much it was reduced; 1 if it was not.
    """

    png: bytes
    width: int
    height: int
    factor: int = 1

    @property
    def url(self) -> str:
        """The picture itself, as an address."""
        return data_url(self.png, "png")


def picture(pixels: np.ndarray, metadata: Metadata | None = None) -> Picture:
    """Encode pixels for a page, upright, with their colour profile, reduced if very large.

    Args:
        pixels: [H, W], [H, W, 3] or [H, W, 4] (CMYK) uint8, or uint16 in units of 1/257 grey level.
        metadata: where the orientation and the colour profile are; only an RGB image gets
            the profile: a gray one may be a map, and that of CMYK is for inks.
    """
    small, factor = reduced(on_screen(pixels), _LARGEST)
    image = Image.fromarray(small)
    options = {}
    if metadata is not None:
        image.getexif()[_ORIENTATION] = metadata.orientation
        image = ImageOps.exif_transpose(image)
        if metadata.icc_profile and pixels.shape[2:] == (3,):
            options["icc_profile"] = metadata.icc_profile
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=_PNG_LEVEL, exif=b"", **options)
    return Picture(buffer.getvalue(), image.width, image.height, factor)


def on_screen(pixels: np.ndarray) -> np.ndarray:
    """Pixels as gray or RGB uint8: 16 bits, in units of 1/257 grey level, are rounded.

    CMYK, which browsers do not show in a PNG, is converted as Pillow does it, without a profile.
    """
    if pixels.dtype != np.uint8:
        return np.rint(pixels / UNITS_OF_16_BITS).astype(np.uint8)
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        return np.asarray(image_of(pixels).convert("RGB"))
    return np.ascontiguousarray(pixels)


def reduced(pixels: np.ndarray, largest: int) -> tuple[np.ndarray, int]:
    """Reduce pixels by a whole factor to at most `largest` a side; returns them and the factor."""
    factor = -(-max(pixels.shape[:2]) // largest)
    if factor == 1:
        return pixels, 1
    return np.asarray(Image.fromarray(pixels).reduce(factor)), factor


def data_url(content: bytes, image_format: str) -> str:
    """The bytes of an image file as an address that holds all of it."""
    return f"data:image/{image_format};base64,{base64.b64encode(content).decode()}"


def pair(
    before: str, after: Mapping[str, str], width: int, height: int, original: str | None = None
) -> str:
    """Two pictures of one place, one left and one right of a line: HTML.

    Args:
        before: the address of the left one, libjpeg's decode.
        after: the addresses of those on the right, by name; the first is shown.
        width, height: in pixels.
        original: the address of a third, shown while the right button is held; or None.
    """
    images = []
    if original is not None:
        images.append(f'<img class="truth" src="{original}" alt="original">')
    images.append(f'<img class="before" src="{before}" alt="decoded" draggable="false">')
    for count, (name, url) in enumerate(after.items()):
        name = html.escape(name)
        images.append(
            f'<img class="after" src="{url}" alt="{name}" data-product="{name}" '
            f'draggable="false"{" hidden" if count else ""}>'
        )
    return (
        f'<div class="pair" style="--width:{width};--height:{height}" tabindex="0" role="slider" '
        f'aria-label="between before and after" aria-valuenow="50">{"".join(images)}</div>'
    )


def style() -> str:
    """The style of `pair`: CSS."""
    return importlib.resources.files(__package__).joinpath("viewer.css").read_text()


def script() -> str:
    """What makes the line of `pair` follow the pointer: JavaScript, for the end of a page."""
    return importlib.resources.files(__package__).joinpath("viewer.js").read_text()
