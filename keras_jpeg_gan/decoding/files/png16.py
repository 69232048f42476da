"""What Pillow cannot write into a PNG: RGB with 16 bits per channel, and chunks of other kinds.

Of 16-bit images, Pillow still writes the metadata, around a single pixel that is then replaced.
"""

import struct
import zlib
from collections.abc import Iterator

import numpy as np

_SIGNATURE_SIZE = 8
_HEADER_SIZE = 33  # signature and IHDR
_STRIP = 256  # rows to compress at a time
_SUB = 1  # the filter: subtract the pixel to the left, byte by byte
_PIXEL_SIZE = 6


def with_pixels(shell: bytes, pixels: np.ndarray, level: int) -> bytes:
    """Replace the image in a PNG file.

    Args:
        shell: an RGB PNG file with the metadata to keep.
        pixels: [H, W, 3] uint16.
        level: compression level of zlib.
    """
    height, width = pixels.shape[:2]
    parts = [shell[:_SIGNATURE_SIZE]]
    for kind, content in _chunks(shell):
        if kind == b"IHDR":  # width, height, bits per channel; colour type and the rest stay
            content = struct.pack(">IIB", width, height, 16) + content[9:]
        elif kind == b"IDAT":
            content = b"".join(_compressed(pixels, level))
        parts.append(_chunk(kind, content))
    return b"".join(parts)


def with_chunk(png: bytes, kind: bytes, content: bytes) -> bytes:
    """A PNG file with one more chunk, right behind the header."""
    return png[:_HEADER_SIZE] + _chunk(kind, content) + png[_HEADER_SIZE:]


def _chunk(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(content, zlib.crc32(kind))
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    position = _SIGNATURE_SIZE
    while position < len(png):
        (length,) = struct.unpack_from(">I", png, position)
        yield png[position + 4 : position + 8], png[position + 8 : position + 8 + length]
        position += 12 + length


def _compressed(pixels: np.ndarray, level: int) -> Iterator[bytes]:
    compressor = zlib.compressobj(level)
    for start in range(0, len(pixels), _STRIP):
        strip = pixels[start : start + _STRIP].astype(">u2")
        rows = strip.reshape(len(strip), -1).view(np.uint8)
        filtered = np.empty((len(rows), 1 + rows.shape[1]), np.uint8)
        filtered[:, 0] = _SUB
        filtered[:, 1:] = rows
        filtered[:, 1 + _PIXEL_SIZE :] -= rows[:, :-_PIXEL_SIZE]
        yield compressor.compress(filtered.tobytes())
    yield compressor.flush()
