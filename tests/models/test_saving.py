"""Models as files: they come back, and what is wrong is named."""

import json
import pathlib

import numpy as np
import pytest

from keras_jpeg_gan.errors import ModelError
from keras_jpeg_gan.models import cards
from keras_jpeg_gan.models.networks import from_preset
from keras_jpeg_gan.models.saving import load_model, load_weights, save_model


@pytest.fixture
def saved(tmp_path: pathlib.Path) -> pathlib.Path:
    path = tmp_path / "small.weights.h5"
    save_model(from_preset("mobile"), path, "regression", {"steps": 3}, {"gain": 1.5})
    return path


def test_every_bundled_model_loads() -> None:
    for name in cards.bundled_models():
        generator, card = load_model(name)
        assert generator.name == card.preset
        assert all(np.isfinite(weight.numpy()).all() for weight in generator.weights)


@pytest.mark.parametrize("preset", ["compact", "mobile", "plain"])
def test_a_saved_model_comes_back(preset: str, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "small.weights.h5"
    saved = from_preset(preset)
    save_model(saved, path, "regression", {"steps": 3}, {"gain": 1.5})
    generator, card = load_model(path)
    assert (card.name, card.preset, card.kind) == ("small", preset, "regression")
    assert card.trained == {"steps": 3}
    assert not card.draws_samples
    assert sorted(p.name for p in tmp_path.iterdir()) == ["small.json", "small.weights.h5"]
    for a, b in zip(saved.weights, generator.weights, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    half = tmp_path / "half.weights.h5"
    save_model(generator, half, "sampler", {}, {}, "float16")
    assert half.stat().st_size < 0.6 * path.stat().st_size
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


def test_weights_of_another_preset_are_refused(saved: pathlib.Path) -> None:
    card_path = saved.with_name("small.json")
    card = json.loads(card_path.read_text())
    card_path.write_text(json.dumps({**card, "preset": "huge"}))
    with pytest.raises(ModelError, match="unknown preset 'huge'"):
        load_model(saved)
    for other in ("compact", "plain"):
        card_path.write_text(json.dumps({**card, "preset": other}))
        with pytest.raises(ModelError, match="do not load"):
            load_model(saved)


def test_missing_weights_are_named(tmp_path: pathlib.Path) -> None:
    with pytest.raises(ModelError, match="missing"):
        load_weights(from_preset("mobile"), tmp_path / "missing.weights.h5")
