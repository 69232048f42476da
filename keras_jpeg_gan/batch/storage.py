"""Where files are: folders of this machine, S3 and GCS, through pyarrow's filesystems."""

import collections
import dataclasses
import os
import pathlib
import re
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pyarrow as pa
from pyarrow import fs

from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.system import unusable_name, write_atomically

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_MAGIC = re.compile(r"[*?\[]")

_LONGEST_KEY = 1024  # bytes, of S3 and of GCS

# The name that `write_atomically` gives to a file that is not yet complete.
_UNFINISHED = re.compile(r"\.[0-9a-f]{16}\.part")


@dataclasses.dataclass(frozen=True)
class Place:
    """A file or folder in a filesystem; it can be pickled and used on other machines.

    Attributes:
        filesystem: pyarrow's.
        path: in the form that the filesystem expects, with slashes.
    """

    filesystem: fs.FileSystem
    path: str

    def __str__(self) -> str:
        return self.path if self.is_local else f"{self.filesystem.type_name}://{self.path}"

    @property
    def is_local(self) -> bool:
        """Whether it is on this machine, or mounted there."""
        return isinstance(self.filesystem, fs.LocalFileSystem)

    def below(self, name: str) -> "Place":
        """The file or folder with this relative name."""
        return Place(self.filesystem, f"{self.path.rstrip('/')}/{name}" if name else self.path)

    def info(self) -> fs.FileInfo:
        """Its type and size."""
        return self.filesystem.get_file_info(self.path)

    def files(self) -> list[fs.FileInfo]:
        """All files below the folder, at any depth; none if the folder does not exist."""
        selector = fs.FileSelector(self.path, allow_not_found=True, recursive=True)
        return [info for info in self.filesystem.get_file_info(selector) if info.is_file]

    def read(self) -> bytes:
        """Read the file.

        Raises:
            OSError: it cannot be read.
        """
        with self.filesystem.open_input_stream(self.path, compression=None) as stream:
            return stream.read()

    def write(self, content: bytes) -> None:
        """Write the file, whole or not at all: it is renamed into place, or uploaded at once.

        Raises:
            OSError: it cannot be written.
        """
        if self.is_local:
            path = pathlib.Path(self.path)
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, content)
        else:
            with self.filesystem.open_output_stream(self.path, compression=None) as stream:
                stream.write(content)

    def unusable_name(self) -> str | None:
        """Why no file can have this name, in words, or None: it may be too long."""
        if self.is_local:
            return unusable_name(pathlib.Path(self.path))
        _, _, key = self.path.partition("/")
        return "name too long" if len(key.encode()) > _LONGEST_KEY else None

    def remove(self) -> None:
        """Delete the file."""
        self.filesystem.delete_file(self.path)


def open_place(uri: str) -> Place:
    """The place that a local path, or a file, s3 or gs URI names.

    Raises:
        ConfigError: it is not such a URI.
    """
    if not _SCHEME.match(uri):
        return Place(fs.LocalFileSystem(), os.path.abspath(uri))
    try:
        filesystem, path = fs.FileSystem.from_uri(uri)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise ConfigError(f"{uri}: {' '.join(str(error).split())}") from error
    return Place(filesystem, path)


def split_glob(uri: str) -> tuple[str, str]:
    """The part of a URI before any wildcard, and the pattern below it ("" if there is none).

    In a URI with a scheme, a question mark introduces options of the filesystem.
    """
    query = ""
    if _SCHEME.match(uri):
        uri, mark, options = uri.partition("?")
        query = mark + options
    elif os.path.lexists(uri):
        return uri, ""
    found = _MAGIC.search(uri)
    if not found:
        return uri + query, ""
    base, slash, _ = uri[: found.start()].rpartition("/")
    return (base or slash or ".") + query, uri[len(base + slash) :]


def is_unfinished(path: str) -> bool:
    """Whether a file is one that a killed process left unfinished."""
    return _UNFINISHED.fullmatch(path.rpartition("/")[2]) is not None


def read_ahead(
    read: Callable[[Any], Any],
    items: Iterable[Any],
    sizes: Iterable[int],
    most: int,
    most_bytes: int,
) -> Iterator[Future]:
    """Read items in the background; yield the results as futures, in order.

    Args:
        read: reads one item.
        items, sizes: the items, and how many bytes each has.
        most, most_bytes: how many items, and how many bytes, may be read ahead; the next item
            always is.
    """
    waiting: collections.deque[tuple[Future, int]] = collections.deque()
    held = 0
    with ThreadPoolExecutor(most) as pool:
        try:
            for item, size in zip(items, sizes, strict=True):
                while waiting and (len(waiting) >= most or held + size > most_bytes):
                    future, released = waiting.popleft()
                    yield future
                    held -= released
                waiting.append((pool.submit(read, item), size))
                held += size
            while waiting:
                yield waiting.popleft()[0]
        finally:
            pool.shutdown(cancel_futures=True)
