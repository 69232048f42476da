"""JPEG files such as phones meet, and the way to what restores them there."""

import importlib
import io
import pathlib
import re
import sys

from PIL import Image

ROOT = pathlib.Path(__file__).parents[3]
MOBILE = ROOT / "export" / "mobile"
# restorer.py imports its neighbour, as a program does: apps copy the files, not this package.
sys.path.append(str(MOBILE))
jpeg_header, restorer = (importlib.import_module(name) for name in ("jpeg_header", "restorer"))

# Its upper half counts too, and its highest bit.
SEED = 0xFEDCBA9876543210


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


def exif() -> Image.Exif:
    """EXIF that turns the picture."""
    found = Image.Exif()
    found[0x0112] = 6
    return found


FILES = {
    "baseline": {},
    "progressive": {"progressive": True},
    "gray": {"mode": "L"},
    "progressive gray": {"mode": "L", "progressive": True},
    "4:4:4": {"subsampling": 0},
    "4:2:2": {"subsampling": 1},
    "restart markers": {"restart_marker_blocks": 1},
    "turned, with a comment": {"exif": exif(), "comment": b"\xff\xdb not tables"},
    "16-bit tables": {"wide": True},
    "three tables": {"qtables": [[3] * 64, [5] * 64, [7] * 64], "quality": 50},
}
