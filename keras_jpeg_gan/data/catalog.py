"""What a config's `images` names: a folder, a packed cache, or a TFDS dataset."""

import pathlib

from keras_jpeg_gan.data.datasets import tfds_source
from keras_jpeg_gan.data.patch_cache import INDEX, PackedSource
from keras_jpeg_gan.data.sources import FolderSource, NamedSource, find_images
from keras_jpeg_gan.errors import ConfigError

TFDS = "tfds:"


def open_source(images: str, cache_mb: float) -> NamedSource:
    """Open all images of a place.

    Args:
        images: "tfds:NAME" for the split "train" of a dataset, or "tfds:NAME:SPLIT"; a folder
            written by `patch_cache.pack`; or a folder of image files, searched recursively.
        cache_mb: how many megabytes of decoded images are kept in memory.

    Raises:
        ConfigError: nothing has that name, or it cannot be read.
    """
    if not images:
        raise ConfigError("no training images: give --config.images=FOLDER")
    if images.startswith(TFDS):
        name, split = split_name(images)
        return tfds_source(name, cache_mb, split)
    if (pathlib.Path(images) / INDEX).is_file():
        return PackedSource(images)
    return FolderSource(find_images(images), cache_mb)


def split_name(images: str) -> tuple[str, str]:
    """The dataset and the split of "tfds:NAME:SPLIT"; without a split, "train"."""
    name, _, split = images.removeprefix(TFDS).partition(":")
    return name, split or "train"
