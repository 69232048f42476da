"""Where photographs come from: images by index and name, some held back for validation."""

import contextlib
import hashlib
import pathlib
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import BinaryIO, Protocol

import numpy as np
from absl import logging
from PIL import Image

from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.system import is_sidecar

SUFFIXES = frozenset({".avif", ".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})


class UnreadableImageError(ConfigError):
    """A file cannot be read as an image."""


class Source(Protocol):
    """Images by index."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> np.ndarray:
        """An image [H, W, 3] uint8; several threads may call this.

        Raises:
            UnreadableImageError: it cannot be read.
        """


class NamedSource(Source, Protocol):
    """Images with names, which decide which are held back."""

    @property
    def names(self) -> Sequence[str]:
        """The name of each image, the same in any folder."""


def find_images(folder: str | pathlib.Path) -> list[pathlib.Path]:
    """All image files below a folder, in order of their paths relative to it, without sidecars.

    Raises:
        ConfigError: the folder does not exist or holds no image.
    """
    root = pathlib.Path(folder)
    if not root.is_dir():
        raise ConfigError(f"{folder}: no such folder of images")
    paths = [
        path
        for path in root.rglob("*")
        if path.suffix.lower() in SUFFIXES and not is_sidecar(path.relative_to(root))
    ]
    if not paths:
        raise ConfigError(f"{folder}: no image in it ({', '.join(sorted(SUFFIXES))})")
    return sorted(paths, key=lambda path: path.relative_to(root).as_posix())


def held_back(path: pathlib.Path | str, share: float) -> bool:
    """Whether an image is held back for validation: the lowest `share` of all hashes of names.

    The answer does not depend on the folder or on other images, so a folder may grow.
    """
    digest = hashlib.sha256(pathlib.PurePath(path).name.encode()).digest()
    return int.from_bytes(digest[:8], "big") < share * 2**64


@contextlib.contextmanager
def _opened(file: pathlib.Path | BinaryIO, name: str) -> Iterator[Image.Image]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's, about a file's metadata
            with Image.open(file) as image:
                yield image
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise UnreadableImageError(f"{name}: cannot be read as an image ({error})") from error


def read_image(file: pathlib.Path | BinaryIO, name: str = "") -> np.ndarray:
    """Read an image file as RGB: [H, W, 3] uint8.

    Gray of 16 bits is scaled to 8, which Pillow would cut off at 255.

    Args:
        file: a path, or an open file.
        name: what an error calls it; by default its path.

    Raises:
        UnreadableImageError: the file cannot be read as an image, or has numbers whose range
            nothing states: floats, or integers of 32 bits.
    """
    name = name or str(file)
    with _opened(file, name) as image:
        if image.mode in ("I", "F"):
            kind = "floats" if image.mode == "F" else "32-bit integers"
            raise UnreadableImageError(f"{name}: {kind}, of unknown range: convert it to 8 bits")
        if image.mode.startswith("I;16"):
            gray = np.asarray(image).astype(np.float32) / 257
            return np.rint(gray).astype(np.uint8)[..., None].repeat(3, axis=2)
        return np.asarray(image.convert("RGB"))


def image_size(path: pathlib.Path) -> tuple[int, int]:
    """Width and height of an image file, from its header.

    Raises:
        UnreadableImageError: the file is not an image.
    """
    with _opened(path, str(path)) as image:
        return image.size


class CachedSource:
    """Images that are read when needed, and kept in memory as uint8 up to a budget.

    One warning names each image that cannot be read.

    Args:
        names: names of the images.
        read: returns the image [H, W, 3] uint8 at an index, or raises UnreadableImageError.
        cache_mb: how many megabytes of decoded images are kept; the others are read each time.
    """

    def __init__(
        self, names: Sequence[str], read: Callable[[int], np.ndarray], cache_mb: float
    ) -> None:
        self.names = names
        self._read = read
        self._left = cache_mb * 1e6
        self._cache: dict[int, np.ndarray] = {}
        self._unreadable: dict[int, UnreadableImageError] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> np.ndarray:
        """As `Source`."""
        cached = self._cache.get(index)
        if cached is not None:
            return cached
        if index in self._unreadable:
            raise self._unreadable[index]
        try:
            image = self._read(index)
        except UnreadableImageError as error:
            with self._lock:
                if index not in self._unreadable:
                    logging.warning("skipped: %s", error)
                    self._unreadable[index] = error
            raise
        with self._lock:
            if index not in self._cache and image.nbytes <= self._left:
                self._cache[index] = image
                self._left -= image.nbytes
        return image

    def __iter__(self) -> Iterator[np.ndarray]:
        return readable(self)


class FolderSource(CachedSource):
    """Images from a list of files.

    Args:
        paths: image files.
        cache_mb: see `CachedSource`.
    """

    def __init__(self, paths: list[pathlib.Path], cache_mb: float = 2000) -> None:
        super().__init__(
            [path.name for path in paths], lambda index: read_image(paths[index]), cache_mb
        )
        self.paths = paths


class Selection:
    """Some of a source's images.

    Args:
        source: all images.
        indices: which of them are selected.
    """

    def __init__(self, source: NamedSource, indices: Sequence[int]) -> None:
        self.source = source
        self.indices = np.array(indices, np.int64)

    @property
    def names(self) -> Sequence[str]:
        """The name of each image."""
        return [self.source.names[index] for index in self.indices]

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int) -> np.ndarray:
        """As `Source`."""
        return self.source[int(self.indices[index])]

    def __iter__(self) -> Iterator[np.ndarray]:
        return readable(self)


def readable(source: Source) -> Iterator[np.ndarray]:
    """All readable images of a source, in order."""
    for index in range(len(source)):
        try:
            image = source[index]
        except UnreadableImageError:
            continue
        yield image


def split(source: NamedSource, validation_share: float) -> tuple[Selection, Selection]:
    """The images to train on, and those held back.

    Raises:
        ConfigError: one of the two would be empty.
    """
    held = np.array([held_back(name, validation_share) for name in source.names], bool)
    training, validating = np.flatnonzero(~held).tolist(), np.flatnonzero(held).tolist()
    if not training or not validating:
        raise ConfigError(
            f"{len(training)} images to train on, {len(validating)} held back: both are needed "
            "(see validation_share)"
        )
    return Selection(source, training), Selection(source, validating)
