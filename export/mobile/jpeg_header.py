"""What a restoration needs from a JPEG file's header: size, sampling, tables.

JpegHeader.kt and JpegHeader.swift have the same constants and functions in the same order, and
behave the same.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np

# Natural index of each zigzag position (ITU-T T.81, figure A.6).
ZIGZAG = (
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5,
    12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
    35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51,
    58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
)  # fmt: skip

# Codes of JPEG's markers (T.81, table B.1).
SOF0, SOF2, DHT, JPG, DAC, SOF15 = 0xC0, 0xC2, 0xC4, 0xC8, 0xCC, 0xCF
RST0, SOI, EOI, SOS, DQT = 0xD0, 0xD8, 0xD9, 0xDA, 0xDB
APP0, APP14, APP15, COM = 0xE0, 0xEE, 0xEF, 0xFE


class RestoreError(Exception):
    """The reason why a file is not restored, on one line."""


@dataclasses.dataclass(frozen=True)
class Segment:
    """A marker segment: its code, and where its content starts and stops."""

    code: int
    start: int
    stop: int


@dataclasses.dataclass(frozen=True)
class Component:
    """A component of the frame: its id, its sampling factors and the number of its table."""

    identifier: int
    across: int
    down: int
    table: int


@dataclasses.dataclass(frozen=True)
class Header:
    """The contents of a JPEG file's header; tables has 64 steps in natural order per component."""

    width: int
    height: int
    components: Sequence[Component]
    tables: Sequence[Sequence[int]]


def word_at(data: bytes, position: int) -> int:
    """A big-endian 16-bit number."""
    return data[position] << 8 | data[position + 1]


def begins(data: bytes, segment: Segment, text: str) -> bool:
    """Whether a segment's content begins with a text, followed by at least one byte."""
    return segment.stop - segment.start > len(text) and data[
        segment.start : segment.start + len(text)
    ] == text.encode("ascii")


def segments(data: bytes) -> list[Segment]:
    """The marker segments, up to the end of the image or as far as the file goes.

    Stuffing, restart markers and fill bytes are skipped, like entropy-coded data.

    Raises:
        RestoreError: this is no JPEG file.
    """
    if len(data) < 4 or word_at(data, 0) != (0xFF00 | SOI):
        raise RestoreError("not a JPEG file")
    found = []
    position = 2
    while position + 4 <= len(data):
        code = data[position + 1]
        if data[position] != 0xFF or code < SOF0 or code == 0xFF or RST0 <= code <= SOI:
            # The next byte that may begin a marker.
            position = data.find(0xFF, position + 1)
            if position < 0:
                break
            continue
        start, stop = position + 4, position + 2 + word_at(data, position + 2)
        if code == EOI or stop < start or stop > len(data):
            break
        found.append(Segment(code, start, stop))
        position = stop
    return found


def read_header(data: bytes) -> Header:
    """Size, sampling and tables of a file: for each component, the table defined at its first scan.

    Raises:
        RestoreError: the file cannot be restored.
    """
    defined: dict[int, list[int]] = {}
    tables: dict[int, list[int]] = {}
    width, height, components = 0, 0, []
    jfif, adobe = False, -1
    for segment in segments(data):
        code, start, stop = segment.code, segment.start, segment.stop
        if code == APP0 and begins(data, segment, "JFIF"):
            jfif = True
        elif code == APP14 and begins(data, segment, "Adobe") and stop - start >= 12:
            adobe = data[start + 11]
        elif code == DQT:
            read_tables(data, segment, defined)
        elif SOF0 <= code <= SOF2 and not components:
            components = read_components(data, segment)
            height, width = word_at(data, start + 1), word_at(data, start + 3)
        elif SOF0 <= code <= SOF15 and code not in (DHT, JPG, DAC):
            raise RestoreError("neither a baseline nor a progressive JPEG")
        elif code == SOS:
            scanned = read_scan(data, segment)
            for i in range(len(components)):
                steps = defined.get(components[i].table)
                if components[i].identifier in scanned and steps is not None and i not in tables:
                    tables[i] = steps
            if components and len(tables) == len(components):
                break
    if width == 0 or height == 0 or len(tables) < len(components):
        raise RestoreError("a broken JPEG: its header is not complete")
    if any(0 in steps for steps in tables.values()):
        raise RestoreError("a broken JPEG: a quantization table has a step of 0")
    named = [component.identifier for component in components] == list(b"RGB")
    if len(components) == 3 and not jfif and (adobe == 0 or (adobe < 0 and named)):
        raise RestoreError("an RGB-coded JPEG: only grayscale and YCbCr are restored")
    return Header(width, height, components, [tables[i] for i in range(len(components))])


def read_tables(data: bytes, segment: Segment, defined: dict[int, list[int]]) -> None:
    """Take the quantization tables of a segment, of 8 or 16 bits, into `defined`."""
    position = segment.start
    while position < segment.stop:
        size = 1 + (data[position] >> 4)
        if size > 2 or position + 1 + 64 * size > segment.stop:
            raise RestoreError("a broken JPEG: malformed quantization tables")
        steps = [0] * 64
        for i in range(64):
            place = position + 1 + size * i
            steps[ZIGZAG[i]] = data[place] if size == 1 else word_at(data, place)
        defined[data[position] & 15] = steps
        position += 1 + 64 * size


def read_components(data: bytes, segment: Segment) -> list[Component]:
    """The components of a frame header."""
    length = segment.stop - segment.start
    count = data[segment.start + 5] if length > 5 else 0
    if count not in (1, 3) or length != 6 + 3 * count or data[segment.start] != 8:
        raise RestoreError("only 8-bit grayscale and YCbCr are restored")
    found = []
    for i in range(count):
        place = segment.start + 6 + 3 * i
        factors = data[place + 1]
        found.append(Component(data[place], factors >> 4, factors & 15, data[place + 2]))
    return found


def read_scan(data: bytes, segment: Segment) -> list[int]:
    """The component ids of a scan."""
    count = data[segment.start] if segment.stop > segment.start else 0
    if count == 0 or segment.stop - segment.start < 1 + 2 * count:
        raise RestoreError("a broken JPEG: a malformed scan")
    return [data[segment.start + 1 + 2 * i] for i in range(count)]


def without_metadata(data: bytes) -> bytes:
    """The file without EXIF, profiles and comments, but with JFIF's and Adobe's segments.

    A decoder then neither rotates the picture nor converts its colours.
    """
    kept, position = [], 0
    for segment in segments(data):
        code = segment.code
        if code == COM or (APP0 < code <= APP15 and code != APP14):
            kept.append(data[position : segment.start - 4])
            position = segment.stop
    kept.append(data[position:])
    return b"".join(kept)


def projection_tables(header: Header) -> np.ndarray:
    """The steps of Y, Cb and Cr [3, 8, 8] float32; a grayscale file's are used for all."""
    luma = header.tables[0]
    blue = header.tables[1] if len(header.tables) == 3 else luma
    red = header.tables[2] if len(header.tables) == 3 else luma
    return np.array([luma, blue, red], np.float32).reshape(3, 8, 8)


def network_tables(header: Header) -> np.ndarray:
    """The steps of luma, and the geometric mean of Cb's and Cr's, [2, 8, 8] float32."""
    luma, blue, red = projection_tables(header)
    chroma = np.sqrt(blue.astype(np.float64) * red)
    return np.stack([luma, chroma.astype(np.float32)])


def projection_name(header: Header) -> str:
    """The signature of the float projection for the file's sampling.

    Raises:
        RestoreError: there is none.
    """
    luma, chroma = header.components[0], header.components[1:]
    for name, across, down in (("project_444", 1, 1), ("project_422", 2, 1), ("project_420", 2, 2)):
        if all(
            luma.across == across * component.across and luma.down == down * component.down
            for component in chroma
        ):
            return name  # grayscale takes the first
    raise RestoreError("no projection for the file's sampling: restore it without")
