"""Statistics of reference images, kept from one evaluation to the next."""

import hashlib
import io
import os
import pathlib
import sys
import time

import numpy as np
import tqdm
from absl import logging

from keras_jpeg_gan.data.sources import NamedSource
from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.evaluation.originals import read_ahead
from keras_jpeg_gan.evaluation.sets import SetStatistics
from keras_jpeg_gan.metrics.extractors import FeatureExtractor
from keras_jpeg_gan.system import read_npz, write_atomically

_SAVE_EVERY = 60.0  # seconds


def default_cache() -> pathlib.Path:
    """Where statistics are kept: below XDG_CACHE_HOME, or ~/.cache."""
    root = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(root) / "keras_jpeg_gan"


def reference(
    source: NamedSource, identity: str, extractor: FeatureExtractor, cache: pathlib.Path
) -> SetStatistics:
    """Statistics of all images that can be read.

    They are kept in `cache` under the identity of the images and of the network's weights,
    unfinished ones too: an interrupted run resumes there.

    Args:
        source: the images.
        identity: what they are: equal for equal images alone.
        extractor: the network.
        cache: folder, created if needed.

    Raises:
        ConfigError: the cache cannot be written.
    """
    key = hashlib.sha256(f"{identity} {extractor.name} {extractor.sha256}".encode()).hexdigest()
    path = cache / f"{key}.npz"
    index, statistics = 0, SetStatistics(extractor)
    if path.exists():
        try:
            arrays = read_npz(path)
        except (OSError, ValueError) as error:
            logging.warning("%s: %s; measured again", path, error)
        else:
            index = int(arrays["index"])
            statistics = SetStatistics.from_state(extractor, arrays)
    if index == len(source):
        return statistics

    def save() -> None:
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, index=np.array(index), **statistics.state())
        try:
            cache.mkdir(parents=True, exist_ok=True)
            write_atomically(path, buffer.getvalue())
        except OSError as error:
            raise ConfigError(f"--cache={cache}: {error.strerror}") from error

    saved = time.monotonic()
    shown = {"total": len(source), "initial": index, "desc": "reference", "unit": "image"}
    try:
        with tqdm.tqdm(**shown, disable=not sys.stderr.isatty()) as bar:
            for _, image, _ in read_ahead(source, index):
                if image is not None:
                    statistics.add(image)
                index += 1
                bar.update()
                if time.monotonic() - saved > _SAVE_EVERY:
                    save()
                    saved = time.monotonic()
    finally:
        save()
    return statistics
