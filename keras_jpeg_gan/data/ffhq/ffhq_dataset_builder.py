"""FFHQ, the Flickr-Faces-HQ portraits, from a local folder of its PNG files.

The project's pages (NVlabs/ffhq-dataset) offer thumbnails of 128 x 128 and images of
1024 x 1024; either is a folder of NNNNN.png, flat or in folders of a thousand.
"""

import pathlib
from collections.abc import Iterator

import numpy as np
import tensorflow_datasets as tfds

from keras_jpeg_gan.data.sources import find_images
from keras_jpeg_gan.errors import ConfigError

# The paper's group tests on these.
TEST_IDS = range(3000, 5000)


class Builder(tfds.core.GeneratorBasedBuilder):
    """Portraits by their number: those of `TEST_IDS` are the split "test"."""

    VERSION = tfds.core.Version("1.0.0")
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
            yield int(path.stem), {"image": str(path), "id": int(path.stem)}
