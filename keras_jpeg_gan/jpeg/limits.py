"""What a file may ask for, and the memory that its restoration takes."""

import math
import os
import pathlib
from dataclasses import dataclass

# Measured by benchmarks/memory.py, rounded up: the interpreter with its libraries, then bytes a
# pixel of the image (decode, result, levels and the certificate's at 4:4:4, where most), of a
# band as wide as the image (one that the network makes, one that is projected), and of a window
# of the network.
_BASE_MB = 270
_BYTES_A_PIXEL = 20
_BYTES_A_BAND_PIXEL = 30
_BYTES_A_WINDOW_PIXEL = 500
# Sides of what a window contributes, and around it what is seen beside that.
TILES = (768, 512, 256, 128)
_AROUND = 96

# By default so much of what is free.
_SHARE = 0.7


@dataclass(frozen=True)
class Limits:
    """What a file may ask for; more is refused before anything is allocated.

    Attributes:
        max_megapixels: width times height; max_scans: scans; max_file_mb: bytes of the file.
        max_memory_mb: of the whole process, while it restores the file.
        max_pixels_per_byte: pixels a byte; a block's DC level takes a bit at least, so that
            Huffman-coded files have at most 512.
        max_scanned_megapixels: megapixels times scans; an ordinary progressive file of 500
            megapixels has 5000, and these take libjpeg some ten seconds.
    """

    max_megapixels: float = 500
    max_scans: int = 500
    max_file_mb: float = 500
    max_memory_mb: float = math.inf
    max_pixels_per_byte: float = 1000
    max_scanned_megapixels: float = 20_000

    def floor_mb(self, height: int, width: int) -> float:
        """Memory that an image of so many pixels takes with the smallest tiles, in MB."""
        return needed_mb(height, width, TILES[-1])

    def tile(self, height: int, width: int) -> int:
        """The largest of `TILES` with which such an image stays within the memory."""
        fitting = (tile for tile in TILES if needed_mb(height, width, tile) <= self.max_memory_mb)
        return next(fitting, TILES[-1])


def needed_mb(height: int, width: int, tile: int = TILES[0]) -> float:
    """Memory of a process that restores so many pixels by tiles of that side, in MB."""
    band = min(height, tile) * width
    window = min(height, tile + _AROUND) * min(width, tile + _AROUND)
    image = _BYTES_A_PIXEL * height * width
    return _BASE_MB + (image + _BYTES_A_BAND_PIXEL * band + _BYTES_A_WINDOW_PIXEL * window) / 1e6


def together_mb(height: int, width: int, limits: Limits) -> float:
    """What such an image adds to the memory of a process that restores others."""
    return needed_mb(height, width, limits.tile(height, width)) - _BASE_MB


def room_mb(limits: Limits) -> float:
    """What all images at work together may add."""
    return max(limits.max_memory_mb - _BASE_MB, 0.0)


def free_memory_mb() -> float:
    """A share of what this process may still take, and what it has: the default limit, in MB.

    Of the machine's free memory and the control group's, the lesser; no limit where neither
    can be told.
    """
    found = [value for value in (_from_meminfo(), _from_control_group()) if value is not None]
    return _SHARE * min(found) / 1e6 if found else math.inf


def _from_meminfo() -> float | None:
    try:
        lines = pathlib.Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        names = getattr(os, "sysconf_names", {})  # none on Windows, others on macOS
        if not {"SC_AVPHYS_PAGES", "SC_PAGE_SIZE"} <= set(names):
            return None
        return float(os.sysconf("SC_AVPHYS_PAGES")) * os.sysconf("SC_PAGE_SIZE")
    values = dict(line.split(":", 1) for line in lines if ":" in line)
    return 1024.0 * int(values["MemAvailable"].split()[0]) if "MemAvailable" in values else None


def _from_control_group() -> float | None:
    folder = pathlib.Path("/sys/fs/cgroup")
    try:
        most = (folder / "memory.max").read_text().strip()
        used = int((folder / "memory.current").read_text())
    except (OSError, ValueError):
        return None
    return None if most == "max" else max(float(most) - used, 0.0)
