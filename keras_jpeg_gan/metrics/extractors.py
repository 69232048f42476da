"""Networks whose features' distributions are compared, each distance under its own name."""

import hashlib
import pathlib
from typing import Any, Protocol

import numpy as np

from keras_jpeg_gan.errors import ModelError
from keras_jpeg_gan.metrics.features import PATCH, patch_features, patches
from keras_jpeg_gan.system import file_sha256

KERAS_INCEPTION = "keras-inception"
FID = "FID"
# The authors of FID ask for more images than the features have components: with fewer, the
# covariance does not have full rank, and the distance is biased upwards.
FID_IMAGES = 2049

# The Inception graph of TTUR (Heusel et al. 2017): images in, 2048 features out.
_TTUR_INPUT, _TTUR_FEATURES, _SIZE = "ExpandDims:0", "pool_3:0", 2048
_SIDE = 299  # pixels that Inception sees


class FeatureExtractor(Protocol):
    """Features of images, computed in batches that may hold parts of several images.

    Attributes:
        name: the network's.
        size: components of a feature vector.
        batch: inputs that should go through the network at once.
        distance_name: what the Fréchet distance of its features is called.
        network: the `FeatureNetwork`, if it is one: with linear weights it does LPIPS too.
        sha256: of the weights.
    """

    name: str
    size: int
    batch: int
    distance_name: str
    network: Any
    sha256: str

    def prepare(self, pixels: np.ndarray) -> np.ndarray:
        """Turn an image [H, W, 3] in [0, 255] into the network's inputs, [N, h, w, 3]."""

    def features(self, inputs: np.ndarray) -> np.ndarray:
        """Compute the features [N, size] float64 of inputs [N, h, w, 3], N at least 1."""


def open_features(path: str) -> FeatureExtractor:
    """Load a network.

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

    Its distance is never called FID, which is that of another network.

    Raises:
        ModelError: the weights cannot be read.
    """

    batch = 64

    def __init__(self, path: str) -> None:
        from keras_jpeg_gan.models.features import FeatureNetwork

        self.network = FeatureNetwork.load(path)
        self.name = self.network.name
        self.size = self.network.tap_channels[-1]
        self.sha256 = self.network.sha256
        self.distance_name = f"FD {self.name}-{PATCH}"

    def prepare(self, pixels: np.ndarray) -> np.ndarray:
        """As `FeatureExtractor`."""
        return patches(pixels)

    def features(self, inputs: np.ndarray) -> np.ndarray:
        """As `FeatureExtractor`."""
        return patch_features(self.network, inputs)


class TturInception:
    """The Inception network that defines FID, as its authors' frozen graph.

    Args:
        path: of classify_image_graph_def.pb.

    Raises:
        ModelError: it is no such graph.
    """

    name, size, batch, distance_name, network = "Inception (TTUR)", _SIZE, 32, FID, None

    def __init__(self, path: str) -> None:
        import tensorflow as tf

        try:
            data = pathlib.Path(path).read_bytes()
            graph = tf.compat.v1.GraphDef.FromString(data)

            def pooled(images: Any) -> Any:
                found = tf.import_graph_def(
                    graph, {_TTUR_INPUT: images}, return_elements=[_TTUR_FEATURES], name=""
                )
                return tf.reshape(found[0], (-1, _SIZE))

            images = tf.TensorSpec((None, None, None, 3), tf.float32)
            self._function = tf.compat.v1.wrap_function(pooled, [images])
        except Exception as error:  # protobuf's and the importer's own
            said = " ".join(str(error).split())
            raise ModelError(f"{path}: not TTUR's Inception graph ({said[:160]})") from error
        self.sha256 = file_sha256(pathlib.Path(path))

    def prepare(self, pixels: np.ndarray) -> np.ndarray:
        """As `FeatureExtractor`.

        The graph would resize the image itself, by the same operation; images of several sizes
        fit into one batch only after that, and resizing to their own size leaves them alone.
        """
        import tensorflow as tf

        image = tf.constant(pixels[None], tf.float32)
        return tf.raw_ops.ResizeBilinear(images=image, size=(_SIDE, _SIDE)).numpy()

    def features(self, inputs: np.ndarray) -> np.ndarray:
        """As `FeatureExtractor`."""
        import tensorflow as tf

        return np.asarray(self._function(tf.constant(inputs)), np.float64)


class KerasInception:
    """Keras' InceptionV3, whose weights, and so whose distances, are not those of FID.

    Args:
        weights: as in keras.applications.

    Raises:
        ModelError: the weights are not available.
    """

    name, size, batch, distance_name = "Inception (Keras)", _SIZE, 32, "FID-Keras"
    network = None

    def __init__(self, weights: str | None = "imagenet") -> None:
        import keras

        try:
            self._model = keras.applications.InceptionV3(
                include_top=False, weights=weights, pooling="avg"
            )
        except Exception as error:  # of the download
            raise ModelError(
                f"{KERAS_INCEPTION}: its weights are not available ({error})"
            ) from error
        arrays = b"".join(array.tobytes() for array in self._model.get_weights())
        self.sha256 = hashlib.sha256(arrays).hexdigest()

    def prepare(self, pixels: np.ndarray) -> np.ndarray:
        """As `FeatureExtractor`; the image is resized bilinearly, with antialiasing."""
        from keras import ops

        image = ops.convert_to_tensor(pixels[None], "float32") / 127.5 - 1
        return ops.convert_to_numpy(ops.image.resize(image, (_SIDE, _SIDE), antialias=True))

    def features(self, inputs: np.ndarray) -> np.ndarray:
        """As `FeatureExtractor`."""
        from keras import ops

        return ops.convert_to_numpy(self._model(inputs, training=False)).astype(np.float64)
