"""A walk over a JPEG file's markers, with limits, before any decoder sees the bytes.

ITU-T T.81, annex B. What cannot be restored is refused here; the message says what it is and
what to do.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from keras_jpeg_gan.errors import ConfigError, JpegFormatError
from keras_jpeg_gan.jpeg.colour_model import ColourModel, is_xyb
from keras_jpeg_gan.jpeg.formats import BEGINNING, what_else
from keras_jpeg_gan.jpeg.limits import FileLimits
from keras_jpeg_gan.jpeg.sampling import GRAY, Sampling

_SOI, _EOI, _SOS, _DQT, _DRI, _COM = 0xD8, 0xD9, 0xDA, 0xDB, 0xDD, 0xFE
_APP0, _APP2, _APP14, _APP15 = 0xE0, 0xE2, 0xEE, 0xEF
_FRAMES = {
    0xC0: "baseline",
    0xC1: "extended",
    0xC2: "progressive",
    0xC9: "extended arithmetic",
    0xCA: "progressive arithmetic",
}
_REFUSED_FRAMES = {0xC3: "lossless", 0xCB: "lossless arithmetic"} | {
    code: "hierarchical" for code in (0xC5, 0xC6, 0xC7, 0xCD, 0xCE, 0xCF)
}
_RESTARTS = range(0xD0, 0xD8)  # no length follows
# After a scan, these end libjpeg's reading with an error.
_IMPOSSIBLE = {_SOI, *_FRAMES, *_REFUSED_FRAMES, 0xC8, *range(0xF0, 0xFE)}
_LARGEST_SIDE = 65500  # libjpeg's JPEG_MAX_DIMENSION

# The end of entropy-coded data: a marker that is neither stuffing, restart nor fill. At codes below
# C0 libjpeg waits for the next restart, and reads on behind it; without restarts it reads no more.
_SCAN_END = re.compile(rb"\xff[\xc0-\xcf\xd8-\xfe]")
_MARKER_IN_SCAN = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
_MARKER = re.compile(rb"\xff[^\xff]")
_LOWEST_CODE = 0xC0
_MOST_STRAYS = 1 << 16  # Pillow reads such bytes one by one

# Pillow appends EXIF segments one by one, in quadratic time.
_MOST_EXTRAS = 500

# How messages end: with what to do.
BROKEN = "a broken JPEG; get another copy"
_CONVERT = "convert it with another program"


@dataclass(frozen=True)
class Component:
    """A component of the frame: its identifier, sampling factors and table number."""

    identifier: int
    across: int
    down: int
    table: int


@dataclass
class Header:
    """What the markers of a file say.

    Attributes:
        width, height: in pixels; frame: "baseline", "progressive", ...
        components: in the frame's order; sampling, model: of these; tables: [8, 8] int32 steps,
            natural order, for each, as they stood when its first scan began.
        scans: how many scans begin; scanned: the indices of the components in these.
        comments: COM segments.
        extras: where APPn and COM segments start and stop, markers included.
        complete: whether there is an end-of-image marker; end: behind it, or behind the last
            scan's data, so that an incomplete file can be cut there.
        last_scan: where the last scan's data begin; restarts: whether markers divide scans.
        coarse: components and coefficients, by index in the frame and in zigzag order, whose
            last bits no scan has brought so far.
    """

    width: int = 0
    height: int = 0
    frame: str = ""
    components: tuple[Component, ...] = ()
    sampling: Sampling = GRAY
    model: ColourModel = ColourModel.GRAY
    tables: list[np.ndarray] = field(default_factory=list)
    scans: int = 0
    scanned: set[int] = field(default_factory=set)
    comments: tuple[bytes, ...] = ()
    extras: list[tuple[int, int]] = field(default_factory=list)
    complete: bool = False
    end: int = 0
    last_scan: int = 0
    restarts: bool = False
    coarse: set[tuple[int, int]] = field(default_factory=set)

    @property
    def progressive(self) -> bool:
        """Whether the file has progressive scans."""
        return self.frame.startswith("progressive")

    @property
    def has_all_scans(self) -> bool:
        """Whether all scans are there that an image of Huffman codes needs.

        Of arithmetic codes nothing is said: they need not be there to their end.
        """
        return "arithmetic" not in self.frame and not self.coarse


def read_header(data: bytes, limits: FileLimits | None = None) -> Header:
    """Walk the markers of a file up to the end-of-image marker, or as far as they go.

    Raises:
        JpegFormatError: the file is not a JPEG, cannot be restored or is beyond the limits; its
            message, one line, says which, and what to do.
    """
    limits = limits or FileLimits()
    limits.check_file_size(len(data))
    data = from_image(data)
    if not data.startswith(BEGINNING):
        raise JpegFormatError(what_else(data))
    header = Header(end=2)
    walk = _Walk(header, limits, len(data))
    for code, start, stop in _segments(data, header):
        walk.segment(code, data[start:stop])
    if not header.frame:
        raise JpegFormatError(f"no frame header: {BROKEN}")
    marker = _MARKER_IN_SCAN.search(data, header.last_scan)
    if not header.complete and not header.restarts and marker:
        header.end = marker.start()  # what follows is not read, and may be a trailer
    if not header.scans:
        raise JpegFormatError(f"it ends before its first scan, without image data: {BROKEN}")
    header.tables = walk.tables_of_components()
    return header


def from_image(data: bytes) -> bytes:
    """A file without the empty image (FFD8 FFD9) that old SWF exports put before theirs."""
    return data[4:] if data.startswith(b"\xff\xd8\xff\xd9" + BEGINNING) else data


def peek_size(beginning: bytes) -> tuple[int, int]:
    """Height and width of a JPEG file if its first bytes tell, else 0, 0."""
    frame = _peek_frame(beginning)
    return int.from_bytes(frame[1:3], "big"), int.from_bytes(frame[3:5], "big")


def peek_components(beginning: bytes) -> int:
    """The number of components of a JPEG file if its first bytes tell, else 0."""
    return int.from_bytes(_peek_frame(beginning)[5:6], "big")


def _peek_frame(beginning: bytes) -> bytes:
    """The content of the frame header, or nothing."""
    beginning = from_image(beginning)
    if not beginning.startswith(BEGINNING):
        return b""
    try:
        for code, start, stop in _segments(beginning, Header()):
            if code in _FRAMES:
                return beginning[start:stop]
    except JpegFormatError:
        pass  # reported when the file is read
    return b""


def without_extras(data: bytes, header: Header) -> bytes:
    """The file without its APPn and COM segments: only the image data."""
    kept, position = [], 0
    for start, stop in header.extras:
        kept.append(data[position:start])
        position = stop
    return b"".join([*kept, data[position:]])


def _segments(data: bytes, header: Header) -> Iterator[tuple[int, int, int]]:
    """Yield each marker segment's code, and where its content starts and stops."""
    position, strays = 2, 0
    while True:
        marker = _MARKER.search(data, position)
        if marker is None:
            return
        strays += marker.start() - position
        if strays > _MOST_STRAYS:
            raise JpegFormatError(f"thousands of stray bytes between its segments: {BROKEN}")
        position = marker.end()
        code = data[position - 1]
        if code == _EOI:
            header.complete, header.end = True, position
            return
        if code < _LOWEST_CODE or code in _RESTARTS:
            continue
        if header.scans and code in _IMPOSSIBLE:
            return  # libjpeg does not read on either: a trailer without an end marker before it
        if code == _SOI:
            raise JpegFormatError(f"a second start-of-image marker inside: {BROKEN}")
        length = int.from_bytes(data[position : position + 2], "big")
        stop = position + length
        if length < 2 or stop > len(data):
            if length < 2 and position + 2 <= len(data) and not header.scans:
                raise JpegFormatError(f"segment FF{code:02X} has length {length}: {BROKEN}")
            return
        if code == _COM or _APP0 <= code <= _APP15:
            header.extras.append((position - 2, stop))
            if len(header.extras) > _MOST_EXTRAS:
                raise JpegFormatError(
                    f"more than {_MOST_EXTRAS} metadata segments; strip them first"
                )
        yield code, position + 2, stop
        position = stop
        if not header.scans:
            header.end = stop
        if code == _SOS:
            header.last_scan = stop
            found = _SCAN_END.search(data, position)
            position = found.start() if found else len(data)
            header.end = position


class _Walk:
    """Reads one segment after another into a header."""

    def __init__(self, header: Header, limits: FileLimits, file_size: int) -> None:
        self._header = header
        self._limits = limits
        self._file_size = file_size
        self._defined: dict[int, np.ndarray] = {}
        self._latched: dict[int, np.ndarray] = {}
        self._jfif = False
        self._adobe: int | None = None
        self._icc_profile = b""

    def segment(self, code: int, content: bytes) -> None:
        """Read one segment's content, without marker and length."""
        if code in _REFUSED_FRAMES:
            kind = _REFUSED_FRAMES[code]
            raise JpegFormatError(
                f"a {kind} JPEG: only baseline and progressive ones are restored; {_CONVERT}"
            )
        if code in _FRAMES:
            self._frame(code, content)
        elif code == _DQT:
            self._quantization_tables(content)
        elif code == _SOS:
            self._scan(content)
        elif code == _DRI:
            self._header.restarts = any(content)
        elif code == _COM:
            self._header.comments += (content,)
        elif code == _APP0 and content.startswith(b"JFIF\0") and len(content) >= 14:
            self._jfif = True
        elif code == _APP2 and content.startswith(b"ICC_PROFILE\0"):
            self._icc_profile += content[14:]
        elif code == _APP14 and content.startswith(b"Adobe") and len(content) >= 12:
            self._adobe = content[11]

    def _frame(self, code: int, content: bytes) -> None:
        header = self._header
        if header.frame:
            raise JpegFormatError(f"two frame headers: {BROKEN}")
        if len(content) < 6 or len(content) != 6 + 3 * content[5]:
            raise JpegFormatError(f"a frame header of the wrong length: {BROKEN}")
        precision, count = content[0], content[5]
        header.height = int.from_bytes(content[1:3], "big")
        header.width = int.from_bytes(content[3:5], "big")
        if precision != 8:
            raise JpegFormatError(
                f"a {precision}-bit JPEG: only 8-bit ones are restored; {_CONVERT}"
            )
        if count not in (1, 3, 4):
            raise JpegFormatError(
                f"{count} components: only files of one, three or four are restored; {_CONVERT}"
            )
        if not header.height:
            raise JpegFormatError(
                "height 0 in the header (it follows in a DNL marker): not restored; save it again"
            )
        if not header.width:
            raise JpegFormatError(f"width 0 in the header: {BROKEN}")
        self._check_size(count)
        parts = [content[6 + 3 * i : 9 + 3 * i] for i in range(count)]
        header.components = tuple(Component(p[0], p[1] >> 4, p[1] & 15, p[2]) for p in parts)
        header.coarse = {(i, k) for i in range(count) for k in range(64)}
        self._read_sampling()
        header.frame = _FRAMES[code]

    def _read_sampling(self) -> None:
        factors = tuple((part.across, part.down) for part in self._header.components)
        if not all(1 <= n <= 4 for pair in factors for n in pair):
            text = ",".join(f"{across}x{down}" for across, down in factors)
            raise JpegFormatError(f"sampling factors {text} (1 to 4 exist): {BROKEN}")
        try:
            self._header.sampling = Sampling(factors)
        except ConfigError as error:
            raise JpegFormatError(f"{error}, as by libjpeg's decoder; {_CONVERT}") from error

    def _check_size(self, channels: int) -> None:
        header = self._header
        if max(header.width, header.height) > _LARGEST_SIDE:
            raise JpegFormatError(
                f"{header.width}x{header.height}: sides above {_LARGEST_SIDE} are refused by "
                "libjpeg"
            )
        self._limits.check_image_size(header.width, header.height, channels)

    def _check_density(self) -> None:
        header, limits = self._header, self._limits
        density = header.width * header.height / self._file_size
        if density > limits.max_pixels_per_byte:
            raise JpegFormatError(
                f"{header.width}x{header.height} in {self._file_size} bytes: the header promises "
                f"more than the file can hold: {BROKEN}"
            )

    def _quantization_tables(self, content: bytes) -> None:
        while content:
            wide, number = content[0] >> 4, content[0] & 15
            size = 128 if wide else 64
            if wide > 1 or number > 3 or len(content) < 1 + size:
                raise JpegFormatError(f"a malformed segment of quantization tables: {BROKEN}")
            steps = np.frombuffer(content[1 : 1 + size], ">u2" if wide else "u1")
            table = np.zeros(64, np.int32)
            table[ZIGZAG] = steps
            self._defined[number] = table.reshape(8, 8)
            content = content[1 + size :]

    def _scan(self, content: bytes) -> None:
        header = self._header
        if not header.frame:
            raise JpegFormatError(f"a scan before the frame header: {BROKEN}")
        header.scans += 1
        if header.scans > self._limits.max_scans:
            raise JpegFormatError(f"more scans than --max_scans={self._limits.max_scans}")
        if header.scans * header.width * header.height > self._limits.max_scanned_megapixels * 1e6:
            raise JpegFormatError(
                f"{header.scans} or more scans of {header.width}x{header.height} are more work "
                f"than an image needs; {_CONVERT}"
            )
        if header.scans == 1:
            self._decide_model()
            self._check_density()
        selected = content[1 : 1 + 2 * content[0] : 2] if content else b""
        for i, part in enumerate(header.components):
            if part.identifier in selected:
                header.scanned.add(i)
                if part.table in self._defined:
                    self._latched.setdefault(i, self._defined[part.table])
                header.coarse -= {(i, k) for k in self._finished(content)}

    def _finished(self, content: bytes) -> range:
        """The coefficients, in zigzag order, that a scan with this header brings to its end."""
        if not self._header.progressive:
            return range(64)
        first, last, bits = content[-3:]
        return range(first, last + 1) if bits & 15 == 0 else range(0)

    def _decide_model(self) -> None:
        identifiers = bytes(part.identifier for part in self._header.components)
        self._header.model = ColourModel.decide(identifiers, self._jfif, self._adobe)
        if is_xyb(self._header.model, self._icc_profile):
            raise JpegFormatError(
                f"an XYB JPEG of jpegli: its colours are not those of photographs; {_CONVERT}"
            )

    def tables_of_components(self) -> list[np.ndarray]:
        """The table of each component, checked."""
        tables = []
        for i, part in enumerate(self._header.components):
            table = self._latched.get(i, self._defined.get(part.table))
            if table is None:
                raise JpegFormatError(f"quantization table {part.table} is missing: {BROKEN}")
            if not table.all():
                raise JpegFormatError(
                    f"a quantization table with a step of 0, which says nothing: {BROKEN}"
                )
            tables.append(table)
        return tables


def _zigzag() -> np.ndarray:
    """The natural-order index of each zigzag position (T.81, figure A.6)."""
    order = sorted(
        range(64), key=lambda k: (k // 8 + k % 8, k // 8 if (k // 8 + k % 8) % 2 else k % 8)
    )
    return np.array(order)


ZIGZAG = _zigzag()
