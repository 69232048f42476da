"""Models as files: bundled ones are whole, damaged ones are refused."""

import json
import pathlib

import numpy as np
import pytest

from keras_jpeg_gan.errors import ModelError
from keras_jpeg_gan.models import cards
from keras_jpeg_gan.models.generator import Generator
from keras_jpeg_gan.models.presets import load_model, save_model


@pytest.fixture
def saved(tmp_path: pathlib.Path) -> pathlib.Path:
    path = tmp_path / "small.weights.h5"
    save_model(Generator.from_preset("mobile"), path, "regression", {"steps": 3}, {"gain": 1.5})
    return path


def test_every_bundled_model_loads_and_is_small() -> None:
    assert "regression" in cards.bundled_models()
    total = 0
    for name in cards.bundled_models():
        path, card = cards.find_model(name)
        assert card.name == name
        assert card.validation
        total += path.stat().st_size
        generator, _ = load_model(name)
        assert generator.name == card.preset
        assert all(np.isfinite(weight.numpy()).all() for weight in generator.weights)
    assert total < 16e6


def test_a_saved_model_comes_back(saved: pathlib.Path) -> None:
    generator, card = load_model(saved)
    assert (card.name, card.preset, card.kind) == ("small", "mobile", "regression")
    assert card.trained == {"steps": 3}
    assert not card.draws_samples
    assert sorted(path.name for path in saved.parent.iterdir()) == [
        "small.json",
        "small.weights.h5",
    ]
    half = saved.with_name("half.weights.h5")
    save_model(generator, half, "sampler", {}, {}, "float16")
    assert half.stat().st_size < saved.stat().st_size
    other, card = load_model(half)
    assert card.draws_samples
    for a, b in zip(generator.weights, other.weights, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-3, atol=1e-4)


def test_damage_is_found_before_anything_is_loaded(saved: pathlib.Path) -> None:
    data = bytearray(saved.read_bytes())
    data[len(data) // 2] ^= 1
    saved.write_bytes(data)
    with pytest.raises(ModelError, match="damaged"):
        load_model(saved)


def test_other_trouble_is_named(saved: pathlib.Path, tmp_path: pathlib.Path) -> None:
    with pytest.raises(ModelError, match="regression"):
        cards.find_model("nobody")
    with pytest.raises(ModelError, match="no file"):
        cards.find_model(tmp_path / "missing.weights.h5")
    card_path = saved.with_name("small.json")
    card = json.loads(card_path.read_text())
    card_path.write_text(json.dumps({**card, "preset": "huge"}))
    with pytest.raises(ModelError, match="unknown preset 'huge'"):
        load_model(saved)
    card_path.write_text(json.dumps({**card, "preset": "compact"}))
    with pytest.raises(ModelError, match="do not load"):
        load_model(saved)
    card_path.write_text("{}")
    with pytest.raises(ModelError, match="not a model card"):
        load_model(saved)
