"""FFHQ, the Flickr-Faces-HQ portraits, from a local folder of its PNG files.

The project's pages (NVlabs/ffhq-dataset) offer thumbnails of 128 x 128 and images of
1024 x 1024; either is a folder of NNNNN.png, flat or in folders of a thousand. The dataset is
FFHQ-128 in both cases: larger images are reduced by area averaging.
"""

import pathlib
from collections.abc import Iterator
from typing import ClassVar

import numpy as np
import tensorflow_datasets as tfds
from PIL import Image

from keras_jpeg_gan.data.sources import find_images, read_image
from keras_jpeg_gan.errors import ConfigError

# The paper does not name its test images; other published code of its authors tests on these.
TEST_IDS = range(3000, 5000)
SIDE = 128  # pixels of a thumbnail


class Builder(tfds.core.GeneratorBasedBuilder):
    """Portraits of 128 x 128 by their number; those of `TEST_IDS` are the split "test"."""

    VERSION = tfds.core.Version("1.1.0")
    RELEASE_NOTES: ClassVar[dict[str, str]] = {
        "1.0.0": "The images as they are.",
        "1.1.0": "Images larger than thumbnails are reduced to 128 x 128.",
    }
    MANUAL_DOWNLOAD_INSTRUCTIONS = """manual_dir is the folder of FFHQ's PNG files, thumbnails or
    full size; https://github.com/NVlabs/ffhq-dataset says where to get them."""

    def _info(self) -> tfds.core.DatasetInfo:
        return self.dataset_info_from_configs(
            description="Flickr-Faces-HQ: 70,000 aligned portraits.",
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=(None, None, 3)),
                    "id": tfds.features.Scalar(np.int64),
                }
            ),
            homepage="https://github.com/NVlabs/ffhq-dataset",
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Iterator]:
        paths = [path for path in find_images(dl_manager.manual_dir) if path.stem.isdecimal()]
        if not paths:
            raise ConfigError(f"{dl_manager.manual_dir}: no image is named NNNNN.png as FFHQ's are")
        test = [path for path in paths if int(path.stem) in TEST_IDS]
        train = [path for path in paths if int(path.stem) not in TEST_IDS]
        return {"train": self._generate_examples(train), "test": self._generate_examples(test)}

    def _generate_examples(self, paths: list[pathlib.Path]) -> Iterator[tuple[int, dict]]:
        for path in paths:
            yield int(path.stem), {"image": _thumbnail(path), "id": int(path.stem)}


def _thumbnail(path: pathlib.Path) -> np.ndarray:
    """A portrait [SIDE, SIDE, 3] uint8, or smaller if the file is."""
    portrait = Image.fromarray(read_image(path))
    if max(portrait.size) > SIDE:
        portrait = portrait.resize((SIDE, SIDE), Image.Resampling.BOX)
    return np.asarray(portrait)
