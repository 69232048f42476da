"""How much memory a restoration takes, and how much there is."""

import math
import os
import pathlib
from dataclasses import dataclass

from keras_jpeg_gan.errors import JpegFormatError
from keras_jpeg_gan.jpeg.limits import FileLimits

# Measured by benchmarks/memory.py and rounded up: the interpreter with its libraries, then bytes
# per pixel of the image (decode, result, levels and the certificate's; most at 4:4:4), of a band
# as wide as the image (one that the network makes, one that is projected), and of a window of
# the network. Four channels take 1.3 to 1.5 times as much per pixel of the image as three.
_BASE_MB = 270
_BYTES_PER_PIXEL = 20
_BYTES_PER_PIXEL_OF_INKS = 30
_BYTES_PER_BAND_PIXEL = 30
_BYTES_PER_WINDOW_PIXEL = 500
# Side of the part that a window contributes, and how much of its surroundings it also sees.
TILES = (768, 512, 256, 128)
_SURROUNDINGS = 96

# The share of free memory that is used by default.
_SHARE = 0.7


@dataclass(frozen=True)
class Limits(FileLimits):
    """What a file may ask for, in size and in memory.

    Attributes:
        max_memory_mb: of the whole process while it restores the file.
    """

    max_memory_mb: float = math.inf

    def check_image_size(self, width: int, height: int, channels: int = 3) -> None:
        """Refuse an image of too many pixels, or one that does not fit into the memory.

        Raises:
            JpegFormatError: there are more than the limit.
        """
        super().check_image_size(width, height, channels)
        floor = floor_mb(height, width, channels)
        if floor > self.max_memory_mb:
            raise JpegFormatError(
                f"{width}x{height} takes {floor:.0f} MB at least: more than "
                f"--max_memory_mb={self.max_memory_mb:.0f}"
            )

    def tile(self, height: int, width: int, channels: int = 3) -> int:
        """The largest of `TILES` with which such an image stays within the memory."""
        needed = ((tile, needed_mb(height, width, tile, channels)) for tile in TILES)
        fitting = (tile for tile, memory in needed if memory <= self.max_memory_mb)
        return next(fitting, TILES[-1])


def needed_mb(height: int, width: int, tile: int = TILES[0], channels: int = 3) -> float:
    """Memory of a process that restores an image of this size in tiles of this side, in MB."""
    band = min(height, tile) * width
    window = min(height, tile + _SURROUNDINGS) * min(width, tile + _SURROUNDINGS)
    image = (_BYTES_PER_PIXEL_OF_INKS if channels == 4 else _BYTES_PER_PIXEL) * height * width
    parts = image + _BYTES_PER_BAND_PIXEL * band + _BYTES_PER_WINDOW_PIXEL * window
    return _BASE_MB + parts / 1e6


def floor_mb(height: int, width: int, channels: int = 3) -> float:
    """Memory that an image of this size takes with the smallest tiles, in MB."""
    return needed_mb(height, width, TILES[-1], channels)


def together_mb(height: int, width: int, limits: Limits, channels: int = 3) -> float:
    """What such an image adds to the memory of a process that restores others too, in MB."""
    tile = limits.tile(height, width, channels)
    return needed_mb(height, width, tile, channels) - _BASE_MB


def room_mb(limits: Limits) -> float:
    """What all images that are restored at the same time may add, in MB."""
    return max(limits.max_memory_mb - _BASE_MB, 0.0)


def free_memory_mb() -> float:
    """The default limit in MB: a share of the memory that this process may still take.

    This is the lesser of the machine's free memory and the control group's; there is no limit
    if neither is known.
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
