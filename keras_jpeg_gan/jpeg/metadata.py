"""What a file carries beside its image, as Pillow reads it."""

from dataclasses import dataclass

from PIL import Image

_ORIENTATION = 0x0112


@dataclass(frozen=True)
class Metadata:
    """Metadata to be carried over; nothing of it is applied to the pixels.

    Attributes:
        exif: raw EXIF with its "Exif" prefix, or empty; icc_profile, xmp: raw, or empty.
        comments: COM segments as text.
        orientation: 1 to 8 as EXIF has it; 1 where it says nothing.
        dpi: pixels an inch across and down, or None.
    """

    exif: bytes = b""
    icc_profile: bytes = b""
    xmp: bytes = b""
    comments: tuple[str, ...] = ()
    orientation: int = 1
    dpi: tuple[float, float] | None = None


def read_metadata(image: Image.Image, comments: tuple[bytes, ...] = ()) -> Metadata:
    """The metadata of an opened JPEG; what cannot be parsed is carried raw or left out."""
    dpi = image.info.get("dpi")
    return Metadata(
        exif=image.info.get("exif", b""),
        icc_profile=image.info.get("icc_profile") or b"",
        xmp=image.info.get("xmp", b""),
        comments=tuple(_text(comment) for comment in comments),
        orientation=_orientation(image),
        dpi=(float(dpi[0]), float(dpi[1])) if dpi and min(dpi) > 0 else None,
    )


def _text(comment: bytes) -> str:
    try:
        text = comment.decode("utf-8")
    except UnicodeDecodeError:
        text = comment.decode("latin-1")
    return text.replace("\0", "")


def _orientation(image: Image.Image) -> int:
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # a parser's failure on hostile EXIF, of whatever class, is no failure here
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1
