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
# Where ImageNet, as TFDS has it, keeps the names by which lists of its images go.
_FILE_NAME = "file_name"


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
    examples = _examples(builder, name, split, {feature: tfds.decode.SkipDecoding()})
    names = [f"{name}:{index}" for index in range(len(examples))]

    def read(index: int) -> np.ndarray:
        return read_image(io.BytesIO(examples[index][feature]), names[index])

    return CachedSource(names, read, cache_mb)


def file_names(name: str, split: str) -> list[str] | None:
    """The names of the files that a split was made of, in its order.

    Args:
        name, split: as `tfds_source`.

    Returns:
        The feature "file_name" of each example, as ImageNet has it, or None if there is none.

    Raises:
        ConfigError: as `tfds_source`.
    """
    tfds = _tfds(name)
    builder = _builder(tfds, name)
    if _FILE_NAME not in builder.info.features:
        return None
    image = _image_feature(tfds, name, builder.info.features)
    examples = _examples(builder, name, split, {image: tfds.decode.SkipDecoding()})
    return [examples[index][_FILE_NAME].decode() for index in range(len(examples))]


def dataset_identity(name: str, split: str) -> str:
    """What a split is: the dataset's version, and how many examples and bytes it has.

    Args:
        name, split: as `tfds_source`.

    Raises:
        ConfigError: there is no such dataset or split.
    """
    builder = _builder(_tfds(name), name)
    try:
        info = builder.info.splits[split]
    except (KeyError, ValueError) as error:
        raise _missing(name, split, error) from error
    sizes = getattr(info, "shard_lengths", None) or info.num_examples, builder.info.dataset_size
    return f"{builder.info.full_name} {split} {info.num_examples} {sizes}"


def _examples(builder: Any, name: str, split: str, decoders: dict[str, Any]) -> Any:
    """Random access to the examples of a split."""
    try:
        return builder.as_data_source(split=split, decoders=decoders)
    # TFDS asserts that a dataset is there, and raises NotImplementedError if its files have a
    # format without random access.
    except (OSError, ValueError, AssertionError, NotImplementedError) as error:
        raise _missing(name, split, error) from error


def _missing(name: str, split: str, error: Exception) -> ConfigError:
    return ConfigError(
        f"tfds:{name}, split {split}: not there, or not prepared for random access: run "
        f"'python -m keras_jpeg_gan.data.prepare --name={name}' "
        f"({' '.join(str(error).split())[:160]})"
    )


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
        how = f"{program.install('train')} or {program.install('evaluation')}"
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
