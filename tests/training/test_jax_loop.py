"""The JAX loop: the TensorFlow loop's steps, exact resumption, and no TensorFlow."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

import h5py
import numpy as np
import pytest
from tiny import TINY, write_images

from keras_jpeg_gan.models.generator import PRESETS
from keras_jpeg_gan.models.presets import load_model

ROOT = pathlib.Path(__file__).parents[2]
HERE = pathlib.Path(__file__).parent
# A step is compiled for longer than the tests run it.
FAST = {"JAX_PLATFORMS": "cpu", "XLA_FLAGS": "--xla_backend_optimization_level=0"}


def run(backend: str, *arguments: object, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Python in a process of its own, since a process has one backend."""
    paths = os.pathsep.join((str(ROOT), str(HERE)))
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        env={**os.environ, **FAST, "KERAS_BACKEND": backend, "PYTHONPATH": paths},
        capture_output=True, text=True, check=False, timeout=600, cwd=ROOT,
    )  # fmt: skip
    assert not check or done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    return write_images(tmp_path_factory.mktemp("images"))


@pytest.mark.parametrize("method", ["regression", "sampler"])
def test_both_loops_take_the_same_steps(
    images: pathlib.Path, tmp_path: pathlib.Path, method: str
) -> None:
    """With SGD, since Adam magnifies what rounding leaves of a gradient near zero."""
    found = {}
    for backend in ("tensorflow", "jax"):
        output = tmp_path / f"{backend}.npz"
        run(backend, HERE / "three_steps.py", images, tmp_path, output, method)
        with np.load(output) as values:
            found[backend] = dict(values)
    ours, theirs = found["jax"], found["tensorflow"]
    assert set(ours) == set(theirs)
    means = [name for name in ours if name.startswith("mean")]
    assert len(means) >= 3 * (3 if method == "regression" else 13)
    for name in means:
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-4, atol=1e-6, err_msg=name)
    with np.load(tmp_path / f"{method}.npz") as start:
        for name in start.files:
            change = [values[name] - start[name] for values in (ours, theirs)]
            scale = np.abs(change[1]).max()
            assert scale > 0 or name.endswith("noise_scale"), name
            assert np.abs(change[0] - change[1]).max() <= 1e-3 * scale + 1e-8, name
            norms = [np.linalg.norm(part) for part in change]
            assert norms[0] == pytest.approx(norms[1], rel=2e-4, abs=1e-8), name


TRAIN = """
import pathlib, sys
sys.modules["tensorflow"] = None  # an import of it fails
import tiny
from keras_jpeg_gan.training import jax_loop
tiny.make_small()
method, images, workdir, precision = sys.argv[1:]
config = tiny.CONFIGS[method](
    images, steps=4, checkpoint_every=2, log_every=1, validate_every=2, pictures_every=4,
    pictures=1, moment_every=1, mixed_precision=precision,
)
jax_loop.train(config, pathlib.Path(workdir))
"""


@pytest.mark.parametrize("method", ["regression", "sampler"])
def test_without_tensorflow_it_trains_and_resumes_exactly(
    images: pathlib.Path, tmp_path: pathlib.Path, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, part = tmp_path / "whole", tmp_path / "part"
    run("jax", "-c", TRAIN, method, images, whole, "none")
    (part / "checkpoints").mkdir(parents=True)
    half, end = (f"checkpoints/step_0000000{step}.npz" for step in (2, 4))
    shutil.copy(whole / half, part / half)
    run("jax", "-c", TRAIN, method, images, part, "none")
    with np.load(whole / end) as one, np.load(part / end) as other, np.load(whole / half) as before:
        assert set(one.files) == set(other.files)
        assert any((one[name] != before[name]).any() for name in one.files)
        for name in one.files:
            np.testing.assert_array_equal(one[name], other[name], err_msg=name)
    assert (whole / "pictures" / "step_00000004.png").is_file()
    monkeypatch.setitem(PRESETS, "tiny", TINY)
    generator, _ = load_model(whole / "generator.weights.h5")
    with h5py.File(whole / "generator.weights.h5") as file:
        saved: list[np.ndarray] = []
        file.visititems(lambda _, x: saved.append(x[()]) if isinstance(x, h5py.Dataset) else None)
    assert sum(v.numpy().sum(dtype=float) for v in generator.variables) == pytest.approx(
        sum(array.sum(dtype=float) for array in saved), rel=1e-5
    )


@pytest.mark.slow
def test_bfloat16_stays_near_float32(images: pathlib.Path, tmp_path: pathlib.Path) -> None:
    found = []
    for precision in ("none", "bfloat16"):
        run("jax", "-c", TRAIN, "sampler", images, tmp_path / precision, precision)
        lines = (tmp_path / precision / "metrics.jsonl").read_text().splitlines()
        found.append(json.loads(lines[0]))
    for name in ("generator", "critic", "r1"):
        assert found[1][name] != found[0][name]
        assert found[1][name] == pytest.approx(found[0][name], rel=0.05)
    refused = run("jax", "-c", TRAIN, "sampler", images, tmp_path / "x", "float16", check=False)
    assert "the JAX loop has bfloat16" in refused.stderr


def test_the_command_goes_by_keras_backend(images: pathlib.Path, tmp_path: pathlib.Path) -> None:
    command = (
        "-m", "keras_jpeg_gan.training.train", "--config=configs/smoke.py", "--config.steps=1",
        f"--config.images={images}", f"--workdir={tmp_path}", "--config.validation_share=0.3",
        "--config.patch=32", "--config.validation_size=32",
    )  # fmt: skip
    run("jax", *command)
    assert (tmp_path / "generator.weights.h5").is_file()
    assert not (tmp_path / "tensorboard").exists()
    refused = run("torch", *command, check=False)
    assert refused.returncode == 2
    assert refused.stderr.splitlines() == ["train.py: KERAS_BACKEND=torch: tensorflow or jax"]
