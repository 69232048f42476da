"""What JPEG files phones meet, and the path of what restores them there."""

import sys

from PIL import Image

from tests.files import ROOT

MOBILE = ROOT / "export" / "mobile"
# restorer.py imports its neighbour, as a program does.
sys.path.append(str(MOBILE))

# Its upper half counts too, and its highest bit.
SEED = 0xFEDCBA9876543210


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
