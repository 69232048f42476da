"""Where photographs come from: folders of image files, held back in part for validation."""

import hashlib
import pathlib
import threading
import warnings
from collections.abc import Iterator

import numpy as np
from PIL import Image, UnidentifiedImageError

from keras_jpeg_gan.errors import ConfigError

SUFFIXES = frozenset({".avif", ".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})


def find_images(folder: str | pathlib.Path) -> list[pathlib.Path]:
    """All image files below a folder, in order of their paths relative to it.

    Raises:
        ConfigError: the folder does not exist or holds no image.
    """
    root = pathlib.Path(folder)
    if not root.is_dir():
        raise ConfigError(f"{folder}: no such folder of images")
    paths = [path for path in root.rglob("*") if path.suffix.lower() in SUFFIXES]
    if not paths:
        raise ConfigError(f"{folder}: no image below it ({', '.join(sorted(SUFFIXES))})")
    return sorted(paths, key=lambda path: path.relative_to(root).as_posix())


def held_back(path: pathlib.Path, share: float) -> bool:
    """Whether an image is for validation: a hash of its name below `share` of all hashes.

    The answer does not depend on the other images, so a folder may grow.
    """
    digest = hashlib.sha256(path.name.encode()).digest()
    return int.from_bytes(digest[:8], "big") < share * 2**64


def read_image(path: pathlib.Path) -> np.ndarray:
    """An image file as RGB: [H, W, 3] uint8.

    Raises:
        ConfigError: the file cannot be read as an image.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what Pillow thinks of a file's metadata
            with Image.open(path) as image:
                return np.asarray(image.convert("RGB"))
    except (OSError, UnidentifiedImageError, ValueError) as error:
        raise ConfigError(f"{path}: cannot be read as an image ({error})") from error


class FolderSource:
    """Images of a list of files by index, kept in memory as uint8 up to a budget.

    Args:
        paths: image files.
        cache_mb: how many megabytes of decoded images are kept; the rest is read each time.
    """

    def __init__(self, paths: list[pathlib.Path], cache_mb: float = 2000) -> None:
        self.paths = paths
        self._left = cache_mb * 1e6
        self._cache: dict[int, np.ndarray] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self.paths)

    def __iter__(self) -> Iterator[np.ndarray]:
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int) -> np.ndarray:
        """The image [H, W, 3] uint8 of file `index`; several threads may ask."""
        cached = self._cache.get(index)
        if cached is not None:
            return cached
        image = read_image(self.paths[index])
        with self._lock:
            if index not in self._cache and image.nbytes <= self._left:
                self._cache[index] = image
                self._left -= image.nbytes
        return image
