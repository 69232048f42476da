"""Small JPEG files for the tests of reading, and ways to change their bytes."""

import io
import struct

import numpy as np
from PIL import Image


def picture(height: int, width: int, gray: bool = False) -> np.ndarray:
    """A made-up photograph: waves and grain, [H, W, 3] or [H, W] uint8."""
    rng = np.random.default_rng(height * width)
    y, x = np.mgrid[:height, :width]
    base = 128 + 50 * np.sin(x / 5)[..., None] + 40 * np.cos(y / 7)[..., None] * [1, 0.5, -1]
    pixels = np.clip(base + rng.normal(0, 8, base.shape), 0, 255).astype(np.uint8)
    return pixels[..., 0] if gray else pixels


def jpeg(height: int = 40, width: int = 56, gray: bool = False, **options: object) -> bytes:
    """The picture as Pillow saves it, 4:2:0 at quality 60 unless the options say otherwise."""
    buffer = io.BytesIO()
    image = Image.fromarray(picture(height, width, gray))
    image.save(buffer, "JPEG", **{"quality": 60, "subsampling": 2, **options})
    return buffer.getvalue()


def cmyk() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture(16, 16)).convert("CMYK").save(buffer, "JPEG")
    return buffer.getvalue()


def pillow(data: bytes) -> np.ndarray:
    """Pillow's decode."""
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image)


def find(data: bytes, code: int, count: int = 1) -> int:
    """Where the count-th marker of this code stands."""
    position = -1
    for _ in range(count):
        position = data.index(bytes((0xFF, code)), position + 1)
    return position


def patched(data: bytes, position: int, value: bytes) -> bytes:
    """The bytes with some written over."""
    return data[:position] + value + data[position + len(value) :]


def inserted(data: bytes, position: int, value: bytes) -> bytes:
    """The bytes with some put before a position."""
    return data[:position] + value + data[position:]


def segment(code: int, content: bytes) -> bytes:
    """A marker segment."""
    return bytes((0xFF, code)) + struct.pack(">H", len(content) + 2) + content
