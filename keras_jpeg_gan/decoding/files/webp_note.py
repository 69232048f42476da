"""A note in a WebP file, in a chunk of its own, which other programs skip.

RFC 9649, section 2.7: the extended format, whose readers ignore the chunks that they do not know.
"""

import struct
from collections.abc import Iterator
from typing import BinaryIO

_NOTE = b"NOTE"
_HEADER = 12  # bytes: RIFF, size, WEBP
_EXTENDED = b"VP8X"


def with_note(webp: bytes, height: int, width: int, note: str) -> bytes:
    """Append a note to a WebP file of one image without transparency."""
    body = webp[_HEADER:]
    if not body.startswith(_EXTENDED):
        # No flag is set; three bytes are reserved; width and height less one have 24 bits each.
        sizes = struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
        body = _chunk(_EXTENDED, bytes(4) + sizes) + body
    body += _chunk(_NOTE, note.encode())
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def read_note(file: BinaryIO) -> str | None:
    """The note of a WebP file, which must begin where `file` stands; None if it has none."""
    if not file.read(_HEADER).endswith(b"WEBP"):
        return None
    for kind, size in _chunks(file):
        if kind == _NOTE:
            return file.read(size).decode("utf-8", "replace")
        file.seek(size + size % 2, 1)
    return None


def _chunk(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)


def _chunks(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    while len(head := file.read(8)) == 8:
        kind, size = struct.unpack("<4sI", head)
        yield kind, size
