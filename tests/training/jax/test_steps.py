"""The steps on JAX: those of TensorFlow, on the same noise."""

import json
import pathlib
from typing import Any

import numpy as np
import pytest

METHODS = ("regression", "sampler")

NOISE = """
import numpy as np
from keras_jpeg_gan.training.jax.steps import normals
whole = np.asarray(normals(0, range(2), np.array([5, 6, 7]), 50))
part = np.asarray(normals(0, range(1, 2), np.array([7]), 50))
np.testing.assert_array_equal(whole[5:], part)
other_seed = np.asarray(normals(1, range(2), np.array([5, 6, 7]), 50))
all_of_them = np.concatenate([whole, other_seed])
assert np.abs(np.corrcoef(all_of_them) - np.eye(12)).max() < 0.6
assert len(np.unique(all_of_them)) == all_of_them.size
"""


def read(path: pathlib.Path) -> dict[str, np.ndarray]:
    with np.load(path) as values:
        return dict(values)


@pytest.mark.parametrize("method", METHODS)
def test_both_backends_take_the_same_steps(steps: pathlib.Path, method: str) -> None:
    """With SGD, since Adam magnifies the rounding of gradients near zero."""
    ours, theirs, start = (
        read(steps / f"{name}{method}.npz") for name in ("jax_", "tensorflow_", "")
    )
    assert set(ours) == set(theirs)
    means = [name for name in ours if name.startswith("mean")]
    gradients = [name for name in ours if name.startswith("gradient")]
    assert len(means) == 3 * (3 if method == "regression" else 14)
    assert len(gradients) == 3 * (31 if method == "regression" else 60)
    for name in means:
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-4, err_msg=name)
    for name in gradients:
        norms = [np.linalg.norm(values[name]) for values in (ours, theirs)]
        assert norms[0] == pytest.approx(norms[1], rel=1e-4), name
        assert norms[0] > 0 or not name.startswith("gradient 2"), name
        error = np.abs(ours[name] - theirs[name]).max()
        assert error <= 1e-4 * np.abs(theirs[name]).max(), name
    # For weights and their averages the change counts, as far as their last bit shows it.
    for name in set(ours) - {*means, *gradients}:
        change = np.abs(theirs[name] - start.get(name, 0)).max()
        rounding = np.spacing(np.abs(theirs[name]).max())
        assert np.abs(ours[name] - theirs[name]).max() <= 1e-4 * change + rounding, name


def test_steps_in_two_micro_batches_are_the_same(steps: pathlib.Path) -> None:
    whole, parts = (read(steps / f"jax_sampler{name}.npz") for name in ("", "_in_parts"))
    assert set(whole) == set(parts)
    for name, value in whole.items():
        error = np.abs(parts[name] - value).max()
        assert error <= 1e-4 * np.abs(value).max() + 1e-7, name


def test_a_samples_noise_depends_on_seed_stream_and_position_alone(jax: Any) -> None:
    jax("-c", NOISE)


@pytest.mark.slow
def test_bfloat16_stays_near_float32(
    jax: Any, images: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    precisions = ("none", "bfloat16")
    trainings = [
        {"method": "sampler", "workdir": str(tmp_path / name), "changes": {"mixed_precision": name}}
        for name in precisions
    ]
    assert jax.train(images, *trainings) == [None, None]
    whole, half = (
        json.loads((tmp_path / name / "metrics.jsonl").read_text().splitlines()[0])
        for name in precisions
    )
    for name in ("generator", "critic", "r1"):
        assert half[name] != whole[name]
        assert half[name] == pytest.approx(whole[name], rel=0.05)
    weights = read(tmp_path / "bfloat16" / "checkpoints" / "step_00000004.npz")
    assert {str(v.dtype) for name, v in weights.items() if "iter" not in name} == {"float32"}
