"""Cards: bundled models are whole, and what is wrong is named."""

import json
import pathlib

import pytest

from keras_jpeg_gan.errors import ModelError
from keras_jpeg_gan.models import cards
from keras_jpeg_gan.system import file_sha256


@pytest.fixture
def weights(tmp_path: pathlib.Path) -> pathlib.Path:
    """Weights that nobody loads, with their card."""
    path = tmp_path / "small.weights.h5"
    path.write_bytes(b"weights")
    card = cards.ModelCard("small", "mobile", "sampler", file_sha256(path), {}, {}, "none")
    card.write(tmp_path / "small.json")
    return path


def test_every_bundled_model_is_whole_and_small() -> None:
    assert "regression" in cards.bundled_models()
    total = 0
    for name in cards.bundled_models():
        path, card = cards.find_model(name)
        assert card.name == name
        assert card.validation
        total += path.stat().st_size
    assert total < 16e6


def test_a_model_is_found_by_its_path(weights: pathlib.Path) -> None:
    path, card = cards.find_model(weights)
    assert (path, card.name, card.draws_samples) == (weights, "small", True)


def test_what_is_wrong_is_named(weights: pathlib.Path, tmp_path: pathlib.Path) -> None:
    with pytest.raises(ModelError, match="regression"):
        cards.find_model("nobody")
    with pytest.raises(ModelError, match="no file"):
        cards.find_model(tmp_path / "missing.weights.h5")
    card = weights.with_name("small.json")
    right = card.read_text()
    card.write_text("{}")
    with pytest.raises(ModelError, match="not a model card"):
        cards.find_model(weights)
    card.write_text(right)
    weights.write_bytes(b"other weights")
    with pytest.raises(ModelError, match="damaged"):
        cards.find_model(weights)


def test_a_tflite_model_is_found_by_its_weights_hash(weights: pathlib.Path) -> None:
    assert cards.find_tflite(weights) is None
    path = cards.tflite_path(weights)
    path.write_bytes(b"network")
    card = cards.TFLiteCard(
        "small", file_sha256(weights), file_sha256(path), "float16", tile=None, inputs={},
        outputs={}, halo=16, noise_strides=(2, 4), macs_per_pixel=1.0, checks={},
    )  # fmt: skip
    card_path = path.with_name("small.tflite.json")
    card.write(card_path)
    assert cards.find_tflite(weights) == (path, card)
    path.write_bytes(b"another network")
    with pytest.raises(ModelError, match="damaged"):
        cards.find_tflite(weights)
    card_path.write_text(json.dumps({**json.loads(card_path.read_text()), "halo_": 1}))
    with pytest.raises(ModelError, match="not the card"):
        cards.find_tflite(weights)
    card.write(card_path)
    weights.write_bytes(b"new weights")
    assert cards.find_tflite(weights) is None  # made from others
