"""Pictures and JPEG files for all tests, and ways to change a file's bytes."""

import io
import pathlib
import re
import struct

import numpy as np
from PIL import Image

ROOT = pathlib.Path(__file__).parents[1]


def picture(height: int, width: int, seed: int = 0, gray: bool = False) -> np.ndarray:
    """A smooth image with some noise, away from black and white: [H, W, 3] or [H, W] uint8."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width] / 16.0
    waves = [128 + 60 * np.sin(a * x + b * y) for a, b in rng.uniform(-1, 1, (3, 2))]
    noisy = np.stack(waves, axis=2) + rng.normal(0, 4, (height, width, 3))
    return np.clip(noisy[..., 0] if gray else noisy, 0, 255).astype(np.uint8)


def saved(pixels: np.ndarray, **options: object) -> bytes:
    """Pixels as a JPEG file; the options are Pillow's."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", **options)
    return buffer.getvalue()


def jpeg(
    height: int = 40, width: int = 56, seed: int = 0, gray: bool = False, **options: object
) -> bytes:
    """A JPEG file of a `picture`, by default 4:2:0 at quality 50; the options are Pillow's."""
    return saved(picture(height, width, seed, gray), **{"quality": 50, **options})


def cmyk(height: int = 16, width: int = 16, **options: object) -> bytes:
    """A JPEG file of four inks, without a conversion; the options are Pillow's."""
    inks = np.dstack([picture(height, width), picture(height, width, 7, gray=True)])
    buffer = io.BytesIO()
    Image.frombytes("CMYK", (width, height), inks.tobytes()).save(buffer, "JPEG", **options)
    return buffer.getvalue()


def photograph(
    width: int, height: int, mode: str = "RGB", wide: bool = False, **options: object
) -> bytes:
    """A JPEG file of a part of a photograph; the options are Pillow's, `wide` as `widened`."""
    buffer = io.BytesIO()
    with Image.open(ROOT / "examples" / "mountain.jpg") as image:
        part = image.crop((60, 90, 60 + width, 90 + height)).convert(mode)
    part.save(buffer, "JPEG", **{"quality": 30, **options})
    return widened(buffer.getvalue()) if wide else buffer.getvalue()


def widened(data: bytes) -> bytes:
    """A baseline file with seven times its steps, as tables of 16 bits."""

    def table(found: re.Match[bytes]) -> bytes:
        steps = b"".join((7 * step).to_bytes(2, "big") for step in found[2])
        return b"\xff\xdb\x00\x83" + bytes([0x10 | found[1][0]]) + steps

    data = re.sub(rb"\xff\xdb\x00\x43(.)(.{64})", table, data, flags=re.DOTALL)
    return data.replace(b"\xff\xc0", b"\xff\xc1", 1)


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


def with_size(data: bytes, height: int, width: int) -> bytes:
    """A file whose header has another size; its scans stay as they are.

    With a smaller size, in as many units, what its last units held beyond it is hidden.
    """
    frame = rb"\xff[\xc0\xc2]\0[\x0b\x11\x14]\x08"
    start = next(found.start() for found in re.finditer(frame, data))
    return data[: start + 5] + struct.pack(">HH", height, width) + data[start + 9 :]


def with_hidden(
    fill: str, height: int = 74, width: int = 90, gray: bool = False, **options: object
) -> bytes:
    """A JPEG file of a `picture` that does not repeat its edge below and to the right.

    Args:
        fill: what is there instead: "black", "zero" (green in colour, as of encoders that leave
            all components at zero), or "picture", as after a lossless crop.
        height, width: of the image.
        gray: one component.
        options: Pillow's.
    """
    whole = picture(-(-height // 16) * 16, -(-width // 16) * 16, 3, gray)
    image = Image.fromarray(whole)
    if fill != "picture":
        mode = "L" if gray else {"black": "RGB", "zero": "YCbCr"}[fill]
        image = image.convert(mode)
        image.paste(0 if gray else (0, 0, 0), (0, height, *image.size))
        image.paste(0 if gray else (0, 0, 0), (width, 0, *image.size))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", **{"quality": 75, **options})
    return with_size(buffer.getvalue(), height, width)
