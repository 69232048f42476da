"""Places where files are: folders of this machine, S3 and GCS, through pyarrow's filesystems."""

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
from keras_jpeg_gan.system import write_atomically

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_MAGIC = re.compile(r"[*?\[]")

# What `write_atomically` calls a file that is not yet whole.
_UNFINISHED = re.compile(r"\.[0-9a-f]{16}\.part")


@dataclasses.dataclass(frozen=True)
class Place:
    """A file or folder of a filesystem; it can be sent to other machines.

    Attributes:
        filesystem: pyarrow's.
        path: as the filesystem wants it, parts separated by slashes.
    """

    filesystem: fs.FileSystem
    path: str

    def __str__(self) -> str:
        return self.path if self.is_local else f"{self.filesystem.type_name}://{self.path}"

    @property
    def is_local(self) -> bool:
        """Whether it is a folder of this machine (or one that is mounted)."""
        return isinstance(self.filesystem, fs.LocalFileSystem)

    def below(self, name: str) -> "Place":
        """The file or folder of that relative name."""
        return Place(self.filesystem, f"{self.path.rstrip('/')}/{name}" if name else self.path)

    def info(self) -> fs.FileInfo:
        """Type and size of what is there."""
        return self.filesystem.get_file_info(self.path)

    def files(self) -> list[fs.FileInfo]:
        """All files at any depth below a folder; none if there is no such folder."""
        selector = fs.FileSelector(self.path, allow_not_found=True, recursive=True)
        return [info for info in self.filesystem.get_file_info(selector) if info.is_file]

    def read(self) -> bytes:
        """A file's bytes.

        Raises:
            OSError: it cannot be read.
        """
        with self.filesystem.open_input_stream(self.path, compression=None) as stream:
            return stream.read()

    def write(self, content: bytes) -> None:
        """Write a file whole or not at all: renamed into place, or put at once.

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

    def remove(self) -> None:
        """Delete a file."""
        self.filesystem.delete_file(self.path)


def open_place(uri: str) -> Place:
    """The place that a path of this machine or a file, s3 or gs URI names.

    Raises:
        ConfigError: it is no such URI.
    """
    if not _SCHEME.match(uri):
        return Place(fs.LocalFileSystem(), os.path.abspath(uri))
    try:
        filesystem, path = fs.FileSystem.from_uri(uri)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise ConfigError(f"{uri}: {' '.join(str(error).split())}") from error
    return Place(filesystem, path)


def split_glob(uri: str) -> tuple[str, str]:
    """A URI's part without wildcards, and the pattern below it ("" if there is none).

    In a URI with a scheme, what follows a question mark are options of the filesystem.
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
    """Whether a file is what a process that was killed left of its writing."""
    return _UNFINISHED.fullmatch(path.rpartition("/")[2]) is not None


def read_ahead(
    read: Callable[[Any], Any],
    items: Iterable[Any],
    sizes: Iterable[int],
    most: int,
    most_bytes: int,
) -> Iterator[Future]:
    """Read items in the background, in order; the results as futures.

    Args:
        read: of one item; items, sizes: what, and how many bytes each.
        most, most_bytes: how many items, and of how many bytes, may be read before their turn;
            the next one always is.
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
