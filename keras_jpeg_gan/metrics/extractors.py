"""Networks whose features' distributions are compared, each under a name of its own."""

import hashlib
import pathlib
from typing import Any, Protocol

import numpy as np

from keras_jpeg_gan.errors import ModelError
from keras_jpeg_gan.metrics.features import feature_name, patch_features
from keras_jpeg_gan.system import file_sha256

KERAS_INCEPTION = "keras-inception"

# Inception's graph of TTUR (Heusel et al. 2017): an image in, 2048 features out.
_TTUR_INPUT, _TTUR_FEATURES, _TTUR_SIZE = "ExpandDims:0", "pool_3:0", 2048
_KERAS_SIDE = 299
# FID of fewer images than features is of no full rank, and is not called so.
_FID_IMAGES = 2048


class FeatureExtractor(Protocol):
    """Features of images.

    Attributes:
        name: the network's; size: components of a vector.
        network: the `FeatureNetwork`, where it is one: with linear weights it does LPIPS too.
        sha256: of the weights.
    """

    name: str
    size: int
    network: Any
    sha256: str

    def features(self, pixels: np.ndarray) -> np.ndarray:
        """[H, W, 3] in [0, 255] -> [N, size] float64, one or several vectors."""

    def distance_name(self, images: int) -> str:
        """What the Fréchet distance of so many images may be called."""


def open_features(path: str) -> FeatureExtractor:
    """A network by its weights.

    Args:
        path: weights of AlexNet or VGG16 as .npz, the frozen Inception graph of TTUR as .pb, or
            `KERAS_INCEPTION` for Keras' own InceptionV3 (which downloads its weights).

    Raises:
        ModelError: it cannot be loaded.
    """
    if path == KERAS_INCEPTION:
        return KerasInception()
    if pathlib.Path(path).suffix == ".pb":
        return TturInception(path)
    return Patches(path)


class Patches:
    """The deepest features of 64x64 patches, by AlexNet or VGG16.

    Raises:
        ModelError: the weights cannot be read.
    """

    def __init__(self, path: str) -> None:
        from keras_jpeg_gan.models.features import FeatureNetwork

        self.network = FeatureNetwork.load(path)
        self.name = self.network.name
        self.size = self.network.tap_channels[-1]
        self.sha256 = self.network.sha256

    def features(self, pixels: np.ndarray) -> np.ndarray:
        """As `FeatureExtractor`."""
        return patch_features(self.network, pixels)

    def distance_name(self, images: int) -> str:
        """As `FeatureExtractor`."""
        return f"FD {feature_name(self.network)}"


class TturInception:
    """The Inception network that FID is defined by, as its authors' frozen graph.

    Args:
        path: of classify_image_graph_def.pb.

    Raises:
        ModelError: it is no such graph.
    """

    name, size, network = "Inception (TTUR)", _TTUR_SIZE, None

    def __init__(self, path: str) -> None:
        import tensorflow as tf

        try:
            data = pathlib.Path(path).read_bytes()
            graph = tf.compat.v1.GraphDef.FromString(data)
            imported = tf.compat.v1.wrap_function(lambda: tf.import_graph_def(graph, name=""), [])
            self._function = imported.prune(_TTUR_INPUT, _TTUR_FEATURES)
        except Exception as error:  # protobuf's and the importer's own
            said = " ".join(str(error).split())
            raise ModelError(f"{path}: not TTUR's Inception graph ({said[:160]})") from error
        self.sha256 = file_sha256(pathlib.Path(path))

    def features(self, pixels: np.ndarray) -> np.ndarray:
        """As `FeatureExtractor`; the graph scales the image to its own size itself."""
        import tensorflow as tf

        found = self._function(tf.constant(pixels[None], tf.float32))
        return np.asarray(found, np.float64).reshape(1, _TTUR_SIZE)

    def distance_name(self, images: int) -> str:
        """As `FeatureExtractor`."""
        return "FID" if images > _FID_IMAGES else "FD Inception (TTUR)"


class KerasInception:
    """Keras' InceptionV3, whose weights are others than FID's, and its distances too.

    Args:
        weights: as keras.applications has it.

    Raises:
        ModelError: the weights cannot be had.
    """

    name, size, network = "Inception (Keras)", 2048, None

    def __init__(self, weights: str | None = "imagenet") -> None:
        import keras

        try:
            self._model = keras.applications.InceptionV3(
                include_top=False, weights=weights, pooling="avg"
            )
        except Exception as error:  # of the download
            raise ModelError(f"{KERAS_INCEPTION}: its weights cannot be had ({error})") from error
        arrays = b"".join(array.tobytes() for array in self._model.get_weights())
        self.sha256 = hashlib.sha256(arrays).hexdigest()

    def features(self, pixels: np.ndarray) -> np.ndarray:
        """As `FeatureExtractor`; the image is scaled to 299x299, bilinearly."""
        from keras import ops

        image = ops.convert_to_tensor(pixels[None], "float32") / 127.5 - 1
        scaled = ops.image.resize(image, (_KERAS_SIDE, _KERAS_SIDE), antialias=True)
        return ops.convert_to_numpy(self._model(scaled, training=False)).astype(np.float64)

    def distance_name(self, images: int) -> str:
        """As `FeatureExtractor`."""
        return "FID-Keras"
