"""Datasets of TensorFlow Datasets as sources of images by index."""

import io
from typing import Any

import numpy as np

from keras_jpeg_gan.data.sources import CachedSource, read_image
from keras_jpeg_gan.errors import ConfigError

# Where the dataset builders are that this project adds.
_OWN = {"ffhq": "keras_jpeg_gan.data.ffhq.ffhq_dataset_builder"}


def tfds_source(name: str, cache_mb: float = 2000, split: str = "train") -> CachedSource:
    """The images of a prepared dataset.

    It must have been prepared in a format of random access (array_record): the images of a
    batch are drawn from all over it, and must be the same wherever a training is taken up.
    TFDS_DATA_DIR says where it lies.

    Args:
        name: as TFDS names it, "imagenet2012" or "ffhq" or "div2k/bicubic_x2"; the image is
            its feature "image", or its only one that is an image.
        cache_mb: as `CachedSource`.
        split: as TFDS names it, "train" or "train[:10%]".

    Raises:
        ConfigError: tensorflow-datasets is not installed; there is no such dataset or split, it
            is not prepared, or it has no image.
    """
    try:
        import tensorflow_datasets as tfds
    except ImportError as error:
        raise ConfigError(
            f"tfds:{name} needs tensorflow-datasets: pip install 'keras-jpeg-gan[train]'"
        ) from error
    try:
        builder = _builder(tfds, name)
        feature = _image_feature(tfds, name, builder.info.features)
        examples = builder.as_data_source(
            split=split, decoders={feature: tfds.decode.SkipDecoding()}
        )
        count = len(examples)
    except tfds.core.registered.DatasetNotFoundError as error:
        raise ConfigError(f"tfds:{name}: TFDS knows no such dataset") from error
    except (OSError, ValueError, AssertionError, NotImplementedError, KeyError) as error:
        raise ConfigError(
            f"tfds:{name}, split {split}: cannot be read; prepare it by 'tfds build "
            f"{_command(name)} --file_format=array_record', and set TFDS_DATA_DIR where it lies "
            f"elsewhere ({' '.join(str(error).split())[:200]})"
        ) from error

    def read(index: int) -> np.ndarray:
        return read_image(io.BytesIO(examples[index][feature]), names[index])

    names = [f"{name}:{index}" for index in range(count)]
    return CachedSource(names, read, cache_mb)


def _builder(tfds: Any, name: str) -> Any:
    if name in _OWN:
        __import__(_OWN[name])  # registers it
    return tfds.builder(name)


def _command(name: str) -> str:
    return f"--imports={_OWN[name]} {name}" if name in _OWN else name


def _image_feature(tfds: Any, name: str, features: Any) -> str:
    images = [key for key, kind in features.items() if isinstance(kind, tfds.features.Image)]
    if "image" in images:
        return "image"
    if len(images) != 1:
        raise ConfigError(f"tfds:{name}: {len(images)} images an example, none named 'image'")
    return images[0]
