"""JPEG files as phones see them, and the Python references that restore them there."""

import importlib
import sys

from PIL import Image

from tests.files import ROOT

MOBILE = ROOT / "export" / "mobile"
# restorer.py imports its neighbour, as a program does: apps copy the files, not this package.
sys.path.append(str(MOBILE))
jpeg_header, restorer = (importlib.import_module(name) for name in ("jpeg_header", "restorer"))

# Its upper half and its highest bit matter too.
SEED = 0xFEDCBA9876543210


def exif() -> Image.Exif:
    """EXIF that rotates the picture."""
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
    "rotated, with a comment": {"exif": exif(), "comment": b"\xff\xdb not tables"},
    "16-bit tables": {"wide": True},
    "three tables": {"qtables": [[3] * 64, [5] * 64, [7] * 64], "quality": 50},
}
