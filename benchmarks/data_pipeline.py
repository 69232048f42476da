"""Batches of the data pipeline, from image files and from a packed cache."""

import pathlib
from collections.abc import Callable
from typing import Any

from benchmarks.inputs import PATCH, Settings
from benchmarks.jpeg_keras import facts
from benchmarks.processes import Tasks
from keras_jpeg_gan.data.catalog import open_source
from keras_jpeg_gan.data.degradation import SkewedQualities
from keras_jpeg_gan.data.examples import PatchDistribution
from keras_jpeg_gan.data.patch_cache import pack
from keras_jpeg_gan.data.sources import find_images
from keras_jpeg_gan.jpeg.sampling import Sampling
from keras_jpeg_gan.system import import_tensorflow

__all__ = ["facts", "prepare"]

# About four of a run's batches are made before it starts.
BATCH, BATCHES = 32, 40
_PACKED_SIDE, _MAX_SCALE, _PACKED_MB = 192, 2.5, 50


def prepare(settings: Settings) -> Tasks:
    """Both sources with tf.data; files are read and decoded again for each patch."""
    import_tensorflow()
    from keras_jpeg_gan.data.pipeline import batches

    packed = pathlib.Path(settings.scratch) / "packed"
    pack(find_images(settings.images), packed, _PACKED_SIDE, _MAX_SCALE, _PACKED_MB, 0)
    weights = {"4:2:0": 0.7, "4:2:2": 0.1, "4:4:4": 0.2}
    sampling = {Sampling.parse(name): weight for name, weight in weights.items()}
    patches = PatchDistribution(PATCH, _MAX_SCALE, SkewedQualities(5, 95), sampling)

    def task(images: str) -> Callable[[], Any]:
        endless = iter(batches(open_source(images, 0), patches, 0, BATCH))
        return lambda: [next(endless)["position"] for _ in range(BATCHES)]

    return {"packed cache": task(str(packed)), "files": task(settings.images)}
