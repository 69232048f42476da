"""Training on JAX: exact resumption, checkpoints for both backends, and no TensorFlow."""

import json
import pathlib
from typing import Any

import numpy as np
import pytest

from keras_jpeg_gan.models import critic
from keras_jpeg_gan.models.presets import PRESETS
from keras_jpeg_gan.models.saving import load_model
from keras_jpeg_gan.training import checkpoints
from keras_jpeg_gan.training.tensorflow.run import strategy_for
from keras_jpeg_gan.training.tensorflow.steps import STEPS
from tests.training.tiny import CONFIGS, TINY, probe

METHODS = ("regression", "sampler")


def read(path: pathlib.Path) -> dict[str, np.ndarray]:
    with np.load(path) as values:
        return dict(values)


@pytest.mark.parametrize("method", METHODS)
def test_a_resumed_run_equals_an_uninterrupted_one(trained: pathlib.Path, method: str) -> None:
    """Bit for bit, though Ctrl-C came when the last step's variables were already gone."""
    half, end = (f"checkpoints/step_0000000{step}.npz" for step in (2, 4))
    whole, parts = read(trained / method / end), read(trained / f"{method}_parts" / end)
    before = read(trained / method / half)
    assert set(whole) == set(parts) == set(before)
    for name in whole:
        np.testing.assert_array_equal(whole[name], parts[name], err_msg=name)
    assert all((whole[name] != before[name]).any() for name in whole if "momentum" in name)
    lines = [json.loads(x) for x in (trained / method / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2, 3, 4, 4]
    assert (trained / method / "pictures" / "step_00000004.png").is_file()


@pytest.mark.parametrize("method", METHODS)
def test_tensorflow_loads_weights_and_checkpoints(
    trained: pathlib.Path, images: pathlib.Path, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PRESETS, "tiny", TINY)
    monkeypatch.setattr(critic, "STAGES", (1, 1, 1, 1))
    expected = np.load(trained / method / "restored.npy")
    generator, card = load_model(trained / method / "generator.weights.h5")
    assert card.kind == method
    restored = generator(*probe(generator)).numpy()
    np.testing.assert_allclose(restored, expected, atol=1e-5, rtol=0)
    step = STEPS[method](strategy_for(["CPU:0"]), CONFIGS[method](images))
    current = step.generator(*probe(generator)).numpy()
    assert np.abs(current - expected).max() > 1e-3
    assert checkpoints.restore_latest(trained / method / "checkpoints", step.variables) == 4
    assert int(step.optimizer.iterations.numpy()) == 4
    with step.averaged_weights():
        restored = step.restore(*probe(generator)).numpy()
    np.testing.assert_allclose(restored, expected, atol=1e-5, rtol=0)


def test_the_command_goes_by_keras_backend(
    jax: Any, images: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    command = (
        "-m", "keras_jpeg_gan.training.train", "--config=configs/smoke.py", "--config.steps=3",
        f"--config.images={images}", f"--workdir={tmp_path}", "--config.validation_share=0.3",
        "--config.validation_size=32",
    )  # fmt: skip
    jax(*command)
    assert checkpoints.all_steps(tmp_path / "checkpoints") == [3]
    assert (tmp_path / "generator.weights.h5").is_file()
    assert not (tmp_path / "tensorboard").exists()
    refused = jax(*command, "--dry_run", backend="torch", status=2)
    assert refused.stderr.splitlines() == ["train.py: KERAS_BACKEND=torch: tensorflow or jax"]
