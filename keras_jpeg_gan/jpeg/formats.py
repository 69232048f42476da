"""How a JPEG file begins, and what a file is that begins otherwise."""

BEGINNING = b"\xff\xd8\xff"  # Pillow requires these three too

_OTHER_FORMATS = (
    (b"\x89PNG", 0, "a PNG image"),
    (b"GIF8", 0, "a GIF image"),
    (b"WEBP", 8, "a WebP image"),
    (b"BM", 0, "a BMP image"),
    (b"II*\0", 0, "a TIFF image"),
    (b"MM\0*", 0, "a TIFF image"),
    (b"ftypavif", 4, "an AVIF image"),
    (b"ftyphei", 4, "a HEIF image"),
    (b"ftypmif1", 4, "a HEIF image"),
    (b"jP  ", 4, "a JPEG 2000 image"),
    (b"\xff\x4f\xff\x51", 0, "a JPEG 2000 codestream"),
    (b"JXL ", 4, "a JPEG XL image"),
    (b"\xff\x0a", 0, "a JPEG XL codestream"),
    (b"%PDF", 0, "a PDF document"),
    (b"P5", 0, "a PGM image"),
    (b"P6", 0, "a PPM image"),
    (b"\0\5\x16\7", 0, "an AppleDouble file of macOS"),
)


def what_else(data: bytes) -> str:
    """What a file is that does not begin as a JPEG file does, and what to do: a message."""
    if not data:
        return "an empty file: get another copy"
    for magic, offset, name in _OTHER_FORMATS:
        if data[offset : offset + len(magic)] == magic:
            return f"not a JPEG but {name}: give the JPEG that it was made from, if any"
    if BEGINNING in data[:4096]:
        return "not a JPEG: other bytes stand before its first marker; remove them"
    return "not a JPEG: it does not begin with the bytes FF D8 FF"
