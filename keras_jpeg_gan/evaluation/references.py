"""Feature statistics of reference images, kept from one evaluation to the next."""

import hashlib
import io
import os
import pathlib

import numpy as np

from keras_jpeg_gan.data.sources import Source, readable
from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.evaluation.measures import SetStatistics
from keras_jpeg_gan.metrics.extractors import FeatureExtractor
from keras_jpeg_gan.system import write_atomically


def default_cache() -> pathlib.Path:
    """Where statistics are kept: below XDG_CACHE_HOME, or ~/.cache."""
    root = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(root) / "keras_jpeg_gan"


def reference(source: Source, extractor: FeatureExtractor, cache: pathlib.Path) -> SetStatistics:
    """Statistics of all images that can be read.

    They are found again by the content of the images and of the network's weights, wherever
    either lies and whatever it is called.

    Args:
        source: the images.
        extractor: the network.
        cache: folder, made if it is not there.

    Raises:
        ConfigError: the cache cannot be written.
    """
    digest = hashlib.sha256(f"{extractor.name} {extractor.sha256}".encode())
    for image in readable(source):
        digest.update(f"{image.shape}".encode())
        digest.update(image.tobytes())
    path = cache / f"{digest.hexdigest()}.npz"
    if path.exists():
        with np.load(path, allow_pickle=False) as state:
            return SetStatistics.restored(extractor, dict(state))
    statistics = SetStatistics(extractor)
    for image in readable(source):
        statistics.add(image)
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **statistics.state())
    try:
        cache.mkdir(parents=True, exist_ok=True)
        write_atomically(path, buffer.getvalue())
    except OSError as error:
        raise ConfigError(f"--cache={cache}: {error.strerror}") from error
    return statistics
