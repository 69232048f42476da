"""Feature networks by their weights, in batches over images, and the names of distances."""

import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_jpeg_gan.errors import ModelError
from keras_jpeg_gan.metrics.extractors import KerasInception, open_features
from keras_jpeg_gan.metrics.features import patch_features, patches

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (130, 80, 3), np.uint8)


@pytest.fixture
def graph(tmp_path: pathlib.Path) -> pathlib.Path:
    """A frozen graph with TTUR's names, shapes and resizing: some of the pixels as features."""
    graph = tf.Graph()
    with graph.as_default():
        image = tf.compat.v1.placeholder(tf.float32, [None, None, 3])
        images = tf.raw_ops.ExpandDims(input=image, axis=0, name="ExpandDims")
        resized = tf.raw_ops.ResizeBilinear(images=images, size=(299, 299))
        pixels = tf.reshape(resized[:, ::9, ::9], (-1, 1, 1, 34 * 34 * 3))
        tf.identity(pixels[..., :2048], name="pool_3")
    path = tmp_path / "classify_image_graph_def.pb"
    path.write_bytes(graph.as_graph_def().SerializeToString())
    return path


def alone(graph: pathlib.Path, pixels: np.ndarray) -> np.ndarray:
    """One image through the graph as its authors run it."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        definition = tf.compat.v1.GraphDef.FromString(graph.read_bytes())
        tf.import_graph_def(definition, name="")
        return session.run("pool_3:0", {"ExpandDims:0": pixels[None].astype(np.float32)}).ravel()


def test_fid_of_images_of_several_sizes_in_one_batch(graph: pathlib.Path) -> None:
    extractor = open_features(str(graph))
    images = [PIXELS, PIXELS[:70, 10:], RNG.integers(0, 256, (299, 299, 3), np.uint8)]
    inputs = np.concatenate([extractor.prepare(image) for image in images])
    expected = [alone(graph, image) for image in images]
    np.testing.assert_array_equal(extractor.features(inputs), expected)
    assert extractor.distance_name == "FID"
    assert len(extractor.sha256) == 64


def test_what_is_no_graph(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "graph.pb"
    path.write_bytes(b"nothing")
    for name in (path, tmp_path / "none.pb"):
        with pytest.raises(ModelError, match="not TTUR's Inception graph") as error:
            open_features(str(name))
        assert "\n" not in str(error.value)


def test_keras_has_a_name_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    class Mean(keras.Model):
        def call(self, image: tf.Tensor) -> tf.Tensor:
            return tf.tile(tf.reduce_mean(image, (1, 2)), (1, 683))[:, :2048]

    def inception(include_top: bool, weights: str, pooling: str) -> keras.Model:
        return Mean()

    monkeypatch.setattr(keras.applications, "InceptionV3", inception)
    extractor = KerasInception()
    expected = [(image / 127.5 - 1).mean((0, 1)) for image in (PIXELS, 255 - PIXELS)]
    inputs = np.concatenate([extractor.prepare(image) for image in (PIXELS, 255 - PIXELS)])
    np.testing.assert_allclose(extractor.features(inputs)[:, :3], expected, atol=2e-2)
    assert extractor.distance_name == "FID-Keras"


def test_keras_weights_that_are_not_available(monkeypatch: pytest.MonkeyPatch) -> None:
    def inception(**options: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr(keras.applications, "InceptionV3", inception)
    with pytest.raises(ModelError, match="no network"):
        open_features("keras-inception")


def test_alexnet_sees_patches(shared_data: pathlib.Path) -> None:
    extractor = open_features(str(shared_data / "weights" / "lpips_alexnet_f16.npz"))
    found = extractor.features(extractor.prepare(PIXELS))
    assert found.shape == (2, extractor.size) == (2, 256)
    np.testing.assert_array_equal(found, patch_features(extractor.network, patches(PIXELS)))
    assert extractor.distance_name == "FD AlexNet-64"
