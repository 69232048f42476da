"""TensorFlow Datasets as sources of images by index."""

import importlib
import io
import pathlib
from typing import Any

import numpy as np

from keras_jpeg_gan import program
from keras_jpeg_gan.data.sources import CachedSource, read_image
from keras_jpeg_gan.errors import ConfigError

# The modules of the dataset builders that this project adds.
_OWN = {"ffhq": "keras_jpeg_gan.data.ffhq.ffhq_dataset_builder"}
# A format with random access: the images of a batch are drawn from all over a dataset, and
# must be the same wherever a training resumes.
_FORMAT = "array_record"


def tfds_source(name: str, cache_mb: float = 2000, split: str = "train") -> CachedSource:
    """The images of a prepared dataset.

    Args:
        name: TFDS' name, such as "imagenet2012" or "div2k/bicubic_x2", or "ffhq"; the image is
            the feature "image", or the only feature that is an image.
        cache_mb: see `CachedSource`.
        split: in TFDS' words, such as "train" or "train[:10%]".

    Raises:
        ConfigError: tensorflow-datasets is not installed; there is no such dataset or split, it
            is not prepared, or it has no image.
    """
    tfds = _tfds(name)
    builder = _builder(tfds, name)
    feature = _image_feature(tfds, name, builder.info.features)
    try:
        examples = builder.as_data_source(
            split=split, decoders={feature: tfds.decode.SkipDecoding()}
        )
    # TFDS asserts that a dataset is there, and raises NotImplementedError if its files have a
    # format without random access.
    except (OSError, ValueError, AssertionError, NotImplementedError) as error:
        raise ConfigError(
            f"tfds:{name}, split {split}: not there, or not prepared for random access: run "
            f"'python -m keras_jpeg_gan.data.prepare --name={name}' "
            f"({' '.join(str(error).split())[:160]})"
        ) from error
    names = [f"{name}:{index}" for index in range(len(examples))]

    def read(index: int) -> np.ndarray:
        return read_image(io.BytesIO(examples[index][feature]), names[index])

    return CachedSource(names, read, cache_mb)


def prepare(name: str, manual_dir: pathlib.Path | None = None) -> None:
    """Download and prepare a dataset, if that has not been done.

    Args:
        name: see `tfds_source`.
        manual_dir: where the files are that cannot be downloaded; by default, where TFDS looks.

    Raises:
        ConfigError: that fails.
    """
    tfds = _tfds(name)
    builder = _builder(tfds, name, file_format=_FORMAT)
    download = tfds.download.DownloadConfig(manual_dir=manual_dir)
    try:
        builder.download_and_prepare(download_config=download)
    except Exception as error:  # a builder is other people's program and may fail in any way
        raise ConfigError(f"tfds:{name}: {program.reason(error)}") from error


def _tfds(name: str) -> Any:
    try:
        return importlib.import_module("tensorflow_datasets")
    except ImportError as error:
        how = program.install("train")
        raise ConfigError(f"tfds:{name} needs tensorflow-datasets: {how}") from error


def _builder(tfds: Any, name: str, **options: Any) -> Any:
    if name in _OWN:
        importlib.import_module(_OWN[name])  # registers it
    try:
        return tfds.builder(name, **options)
    except tfds.core.registered.DatasetNotFoundError as error:
        raise ConfigError(f"tfds:{name}: TFDS knows no such dataset") from error


def _image_feature(tfds: Any, name: str, features: Any) -> str:
    images = [key for key, kind in features.items() if isinstance(kind, tfds.features.Image)]
    if "image" in images:
        return "image"
    if len(images) != 1:
        raise ConfigError(f"tfds:{name}: {len(images)} images per example, none named 'image'")
    return images[0]
