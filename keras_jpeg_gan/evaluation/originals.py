"""The photographs that are measured, each read when it is needed."""

import collections
import concurrent.futures
import hashlib
import pathlib
from collections.abc import Iterator, Sequence

import numpy as np

from keras_jpeg_gan.data.catalog import TFDS, open_source, split_name
from keras_jpeg_gan.data.datasets import dataset_identity, file_names
from keras_jpeg_gan.data.sources import (
    CachedSource,
    NamedSource,
    Selection,
    find_images,
    read_image,
)
from keras_jpeg_gan.errors import ConfigError, JpegGanError
from keras_jpeg_gan.system import file_sha256

_READERS = 2


def open_originals(place: str) -> NamedSource:
    """Open the images of a folder, named by their paths in it, or of a dataset.

    Args:
        place: a folder, searched recursively, or "tfds:NAME:SPLIT".

    Raises:
        ConfigError: there are none, or they cannot be read.
    """
    if place.startswith(TFDS):
        return open_source(place, 0)
    paths = find_images(place)
    names = [path.relative_to(place).as_posix() for path in paths]
    return CachedSource(names, lambda index: read_image(paths[index], names[index]), 0)


def identity(place: str) -> str:
    """What the images of a place are, wherever they are kept: equal for equal images alone.

    For a folder, a hash of its image files; for a dataset, its version and its split's sizes.

    Args:
        place: as `open_originals`.

    Raises:
        ConfigError: there are no images.
    """
    if place.startswith(TFDS):
        return dataset_identity(*split_name(place))
    digest = hashlib.sha256()
    for path in find_images(place):
        digest.update(bytes.fromhex(file_sha256(path)))
    return digest.hexdigest()


def select(source: NamedSource, place: str, listed: Sequence[str], flag: str) -> Selection:
    """The images of a list, in its order.

    Args:
        source: all images of `place`.
        place: as `open_originals`.
        listed: names: paths within the folder, or for a dataset the names of the files that it
            was made of, as ImageNet has them. A name without its folder will do where only one
            image has it, and folders that the place does not have are ignored.
        flag: where the list comes from, for errors.

    Raises:
        ConfigError: the list is empty, or an image is missing or ambiguous.
    """
    names = source.names
    if place.startswith(TFDS):
        names = file_names(*split_name(place)) or names
    exact = {name: index for index, name in enumerate(names)}
    by_last = collections.defaultdict(list)
    for index, name in enumerate(names):
        by_last[pathlib.PurePosixPath(name).name].append(index)

    def index_of(name: str) -> int:
        found = by_last[pathlib.PurePosixPath(name).name]
        if name in exact:
            return exact[name]
        if len(found) == 1:
            return found[0]
        problem = f"{len(found)} images are called so" if found else "no such image"
        raise ConfigError(f"{flag}: {name}: {problem} in {place}")

    if not listed:
        raise ConfigError(f"{flag}: lists nothing")
    return Selection(source, [index_of(name) for name in listed])


def read_ahead(
    source: NamedSource, first: int = 0
) -> Iterator[tuple[str, np.ndarray | None, JpegGanError | None]]:
    """Names and images from index `first` on, read ahead in threads.

    Yields:
        The name, and either the image or the reason why it cannot be read.
    """

    def read(index: int) -> tuple[str, np.ndarray | None, JpegGanError | None]:
        name = source.names[index]
        try:
            return name, source[index], None
        except JpegGanError as error:
            return name, None, error

    with concurrent.futures.ThreadPoolExecutor(_READERS) as pool:
        waiting: collections.deque[concurrent.futures.Future] = collections.deque()
        for index in range(first, len(source)):
            waiting.append(pool.submit(read, index))
            if len(waiting) > _READERS:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
