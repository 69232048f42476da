"""What a file carries besides its image, as Pillow reads it."""

import re
import struct
from dataclasses import dataclass

from PIL import Image

_ORIENTATION = 0x0112
_EXIF_PREFIX = b"Exif\0\0"
# Tags with the place and the length of a thumbnail: a JPEG, or an uncompressed one.
_THUMBNAIL_TAGS = ((0x0201, 0x0202), (0x0111, 0x0117))
# XMP that does not fit into one segment goes on in others (XMP specification, part 3, 1.1.3.1).
_XMP_EXTENSION = b"http://ns.adobe.com/xmp/extension/\0"
_EXTENSION_NOTE = re.compile(
    rb"""\s*xmpNote:HasExtendedXMP\s*=\s*(["']).*?\1"""
    rb"|\s*<xmpNote:HasExtendedXMP>.*?</xmpNote:HasExtendedXMP>",
    re.DOTALL,
)
# What the XMP of Ultra HDR, ISO 21496-1 and Apple's files says of a second image, the gain map.
_GAIN_MAP = re.compile(rb"hdr-gain-map|HDRGainMap|Item:Semantic\s*=\s*[\"']GainMap")
# Photoshop's image resources in APP13, of which one is the caption data of the press (IPTC).
_PHOTOSHOP, _IPTC = b"Photoshop 3.0\0", 0x0404
_LOST = "not carried over"


@dataclass(frozen=True)
class Metadata:
    """Metadata to be carried over; none of it is applied to the pixels.

    Attributes:
        exif: raw EXIF with its "Exif" prefix, or empty. The thumbnail, which would still show the
            damaged picture, is removed.
        icc_profile, xmp: raw, or empty.
        comments: COM segments as text.
        orientation: 1 to 8 as in EXIF; 1 if it says nothing.
        dpi: pixels per inch across and down, or None.
        aspect: pixels per unknown unit across and down, where these differ and `dpi` is None.
        iptc: the IPTC record, raw, or empty.
        lost: what else the file has that is not carried over, a line each.
    """

    exif: bytes = b""
    icc_profile: bytes = b""
    xmp: bytes = b""
    comments: tuple[str, ...] = ()
    orientation: int = 1
    dpi: tuple[float, float] | None = None
    aspect: tuple[int, int] | None = None
    iptc: bytes = b""
    lost: tuple[str, ...] = ()


def read_metadata(image: Image.Image, comments: tuple[bytes, ...] = ()) -> Metadata:
    """The metadata of an opened image; what cannot be parsed is carried raw or left out."""
    dpi = image.info.get("dpi")
    xmp, lost = _self_contained(image.info.get("xmp", b""))
    segments = [content for _, content in getattr(image, "applist", [])]
    if any(content.startswith(_XMP_EXTENSION) for content in segments):
        lost.append(f"its XMP goes on in further segments: {_LOST}")
    iptc = image.info.get("photoshop", {}).get(_IPTC, b"")
    if not iptc and any(content.startswith(_PHOTOSHOP) for content in segments):
        lost.append(f"its Photoshop data: {_LOST}")
    across, down = image.info.get("jfif_density", (1, 1))
    oblong = not image.info.get("jfif_unit") and across > 0 and down > 0 and across != down
    return Metadata(
        exif=without_thumbnail(image.info.get("exif", b"")),
        icc_profile=image.info.get("icc_profile") or b"",
        xmp=xmp,
        comments=tuple(_text(comment) for comment in comments),
        orientation=_orientation(image),
        dpi=(float(dpi[0]), float(dpi[1])) if dpi and min(dpi) > 0 else None,
        aspect=(across, down) if oblong else None,
        iptc=iptc,
        lost=tuple(lost),
    )


def _self_contained(xmp: bytes) -> tuple[bytes, list[str]]:
    """XMP that names nothing that is not carried over, and what was left out for it."""
    if _GAIN_MAP.search(xmp):
        return b"", [f"its gain map (HDR), and the XMP that describes it: {_LOST}"]
    return _EXTENSION_NOTE.sub(b"", xmp), []


def without_thumbnail(exif: bytes) -> bytes:
    """EXIF without its second directory (IFD1) and the picture to which that points.

    Nothing else is moved, since maker notes contain offsets of their own. What cannot be parsed
    is returned unchanged.
    """
    base = len(_EXIF_PREFIX) if exif.startswith(_EXIF_PREFIX) else 0
    order = {b"II": "<", b"MM": ">"}.get(exif[base : base + 2])
    if order is None:
        return exif
    try:
        (first,) = struct.unpack_from(order + "I", exif, base + 4)
        (count,) = struct.unpack_from(order + "H", exif, base + first)
        link = base + first + 2 + 12 * count
        (second,) = struct.unpack_from(order + "I", exif, link)
        if second in (0, first):
            return exif
        values = _directory(exif, base + second, order)
    except struct.error:
        return exif
    changed = bytearray(exif)
    changed[link : link + 4] = bytes(4)
    for place, length in _THUMBNAIL_TAGS:
        start, size = base + values.get(place, 0), values.get(length, 0)
        if start < link + 4 or start >= len(changed):
            continue  # there is none, or it would overlap what is not a thumbnail
        stop = min(start + size, len(changed))
        if stop == len(changed):
            del changed[start:]
        else:
            changed[start:stop] = bytes(stop - start)
    return bytes(changed)


def _directory(exif: bytes, start: int, order: str) -> dict[int, int]:
    """The directory's entries that are one 16- or 32-bit number, by tag."""
    (count,) = struct.unpack_from(order + "H", exif, start)
    values = {}
    for entry in range(start + 2, start + 2 + 12 * count, 12):
        tag, kind, number = struct.unpack_from(order + "HHI", exif, entry)
        if number == 1 and kind in (3, 4):
            (values[tag],) = struct.unpack_from(order + "HI"[kind - 3], exif, entry + 8)
    return values


def _text(comment: bytes) -> str:
    try:
        text = comment.decode("utf-8")
    except UnicodeDecodeError:
        text = comment.decode("latin-1")
    return text.replace("\0", "")


def _orientation(image: Image.Image) -> int:
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # whatever a parser raises on hostile EXIF, the image can be restored
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1
