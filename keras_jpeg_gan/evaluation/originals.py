"""The photographs that are measured, each read when it is wanted."""

from keras_jpeg_gan.data.catalog import open_source
from keras_jpeg_gan.data.sources import CachedSource, NamedSource, find_images, read_image


def open_originals(place: str) -> NamedSource:
    """The images of a folder, named by their paths in it, or of a dataset.

    Args:
        place: a folder, searched recursively, or "tfds:NAME:SPLIT".

    Raises:
        ConfigError: there is nothing, or it cannot be read.
    """
    if place.startswith("tfds:"):
        return open_source(place, 0)
    paths = find_images(place)
    names = [path.relative_to(place).as_posix() for path in paths]
    return CachedSource(names, lambda index: read_image(paths[index], names[index]), 0)
