"""Feature networks by their weights, and what their distances may be called."""

import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_jpeg_gan.errors import ModelError
from keras_jpeg_gan.metrics.extractors import KerasInception, open_features
from keras_jpeg_gan.metrics.features import patch_features

PIXELS = np.random.default_rng(0).integers(0, 256, (130, 80, 3), np.uint8)


@pytest.fixture
def graph(tmp_path: pathlib.Path) -> pathlib.Path:
    """A frozen graph with the names of TTUR's: the image's mean, 2048 times."""
    graph = tf.Graph()
    with graph.as_default():
        image = tf.compat.v1.placeholder(tf.float32, [1, None, None, 3], name="ExpandDims")
        mean = tf.reduce_mean(image)
        tf.fill([1, 1, 1, 2048], mean, name="pool_3")
    path = tmp_path / "classify_image_graph_def.pb"
    path.write_bytes(graph.as_graph_def().SerializeToString())
    return path


def test_ttur_alone_may_be_called_fid(graph: pathlib.Path) -> None:
    extractor = open_features(str(graph))
    np.testing.assert_allclose(
        extractor.features(PIXELS), np.full((1, 2048), PIXELS.mean()), rtol=1e-5
    )
    assert extractor.distance_name(2049) == "FID"
    assert extractor.distance_name(2048) == "FD Inception (TTUR)"
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
    expected = (PIXELS / 127.5 - 1).mean((0, 1))
    np.testing.assert_allclose(extractor.features(PIXELS)[0, :3], expected, atol=2e-2)
    assert extractor.distance_name(50_000) == "FID-Keras"


def test_keras_weights_that_cannot_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    def inception(**options: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr(keras.applications, "InceptionV3", inception)
    with pytest.raises(ModelError, match="no network"):
        open_features("keras-inception")


def test_alexnet_sees_patches(shared_data: pathlib.Path) -> None:
    extractor = open_features(str(shared_data / "weights" / "lpips_alexnet_f16.npz"))
    found = extractor.features(PIXELS)
    assert found.shape == (2, extractor.size) == (2, 256)
    np.testing.assert_array_equal(found, patch_features(extractor.network, PIXELS))
    assert extractor.distance_name(50_000) == "FD AlexNet-64"
