"""The JAX loop: the TensorFlow loop's steps, exact resumption, and no TensorFlow."""

import json
import os
import pathlib
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from keras_jpeg_gan.models import critic
from keras_jpeg_gan.models.generator import PRESETS
from keras_jpeg_gan.models.presets import load_model
from keras_jpeg_gan.training import checkpoints, tensorflow_loop
from tests.training.tiny import CONFIGS, TINY, probe, write_images

ROOT = pathlib.Path(__file__).parents[2]
HERE = pathlib.Path(__file__).parent
METHODS = ("regression", "sampler")

TRAIN = """
import sys
sys.modules["tensorflow"] = None  # an import of it fails
from tests.training import jax_training
jax_training.main(*sys.argv[1:])
"""

NOISE = """
import numpy as np
from keras_jpeg_gan.training.jax_loop import _normals
whole = np.asarray(_normals(0, range(2), np.array([5, 6, 7]), 50))
part = np.asarray(_normals(0, range(1, 2), np.array([7]), 50))
np.testing.assert_array_equal(whole[5:], part)
other_seed = np.asarray(_normals(1, range(2), np.array([5, 6, 7]), 50))
all_of_them = np.concatenate([whole, other_seed])
assert np.abs(np.corrcoef(all_of_them) - np.eye(12)).max() < 0.6
assert len(np.unique(all_of_them)) == all_of_them.size
"""


class Jax:
    """Runs Python with a backend in a process of its own, since a process has one backend.

    A step is compiled for longer than these tests run it: with little optimization, and once
    for all of them. One thread, so that sums have one order: where one turns out a bit otherwise, a
    unit near LeakyReLU's kink goes to its other side, and gradients change by more than rounding.
    """

    def __init__(self, cache: pathlib.Path) -> None:
        self._environment = {
            "JAX_PLATFORMS": "cpu",
            "XLA_FLAGS": "--xla_backend_optimization_level=0 --xla_cpu_multi_thread_eigen=false",
            "OMP_NUM_THREADS": "1",
            "TF_NUM_INTRAOP_THREADS": "1",
            "JAX_COMPILATION_CACHE_DIR": str(cache),
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
            "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
            "PYTHONPATH": str(ROOT),
        }

    def __call__(
        self, *arguments: object, backend: str = "jax", status: int = 0
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, *map(str, arguments)],
            env={**os.environ, **self._environment, "KERAS_BACKEND": backend},
            capture_output=True, text=True, check=False, timeout=600, cwd=ROOT,
        )  # fmt: skip
        assert done.returncode == status, done.stderr
        return done

    def train(self, images: pathlib.Path, *trainings: dict[str, Any]) -> list[Any]:
        """What jax_training.py does, without TensorFlow; the outcomes."""
        self("-c", TRAIN, images, json.dumps(trainings))
        paths = (pathlib.Path(training["workdir"]) / "outcome.json" for training in trainings)
        return [json.loads(path.read_text()) for path in paths]


@pytest.fixture(scope="module")
def jax(tmp_path_factory: pytest.TempPathFactory) -> Jax:
    return Jax(tmp_path_factory.mktemp("compiled"))


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    return write_images(tmp_path_factory.mktemp("images"))


@pytest.fixture(scope="module")
def steps(jax: Jax, images: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A folder of what three_steps.py makes on both backends."""
    folder = tmp_path_factory.mktemp("steps")
    for backend in ("tensorflow", "jax"):
        jax(HERE / "three_steps.py", images, folder, folder / backend, backend=backend)
    return folder


@pytest.fixture(scope="module")
def trained(
    jax: Jax, images: pathlib.Path, tmp_path_factory: pytest.TempPathFactory
) -> pathlib.Path:
    """A folder of trainings: METHOD, uninterrupted, and METHOD_parts, taken up once.

    Two others fail: one diverges, one asks for what there is not.
    """
    folder = tmp_path_factory.mktemp("trained")
    whole = [{"method": name, "workdir": str(folder / name)} for name in METHODS]
    parts = [{"method": name, "workdir": str(folder / f"{name}_parts")} for name in METHODS]
    interrupted = [{**training, "interrupt": 2} for training in parts]
    assert jax.train(images, *whole, *interrupted) == [None] * 2 + ["interrupted"] * 2
    for training in parts:
        assert checkpoints.all_steps(pathlib.Path(training["workdir"], "checkpoints")) == [2, 3]
    diverging = {"learning_rate": 1e30, "checkpoint_every": 1}
    failing = [
        {"method": "regression", "workdir": str(folder / "diverging"), "changes": diverging},
        {"method": "regression", "workdir": str(folder / "float16"),
         "changes": {"mixed_precision": "float16"}},
    ]  # fmt: skip
    assert jax.train(images, *parts, *failing) == [
        None,
        None,
        "gradient is nan by step 2; last good checkpoint: step 1",
        "mixed_precision float16: the JAX loop has bfloat16",
    ]
    return folder


def read(path: pathlib.Path) -> dict[str, np.ndarray]:
    with np.load(path) as values:
        return dict(values)


@pytest.mark.parametrize("method", METHODS)
def test_both_loops_take_the_same_steps(steps: pathlib.Path, method: str) -> None:
    """With SGD, since Adam magnifies what rounding leaves of a gradient near zero."""
    ours, theirs, start = (
        read(steps / f"{name}{method}.npz") for name in ("jax_", "tensorflow_", "")
    )
    assert set(ours) == set(theirs)
    means = [name for name in ours if name.startswith("mean")]
    gradients = [name for name in ours if name.startswith("gradient")]
    assert len(means) == 3 * (3 if method == "regression" else 14)
    assert len(gradients) == 3 * (14 if method == "regression" else 41)
    for name in means:
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-4, err_msg=name)
    for name in gradients:
        norms = [np.linalg.norm(values[name]) for values in (ours, theirs)]
        assert norms[0] == pytest.approx(norms[1], rel=1e-4), name
        assert norms[0] > 0 or not name.startswith("gradient 2"), name
        error = np.abs(ours[name] - theirs[name]).max()
        assert error <= 1e-4 * np.abs(theirs[name]).max(), name
    # Of weights and their averages the change counts, as far as their last bit shows it.
    for name in set(ours) - {*means, *gradients}:
        change = np.abs(theirs[name] - start.get(name, 0)).max()
        rounding = np.spacing(np.abs(theirs[name]).max())
        assert np.abs(ours[name] - theirs[name]).max() <= 1e-4 * change + rounding, name


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
def test_tensorflow_takes_weights_and_checkpoints(
    trained: pathlib.Path, images: pathlib.Path, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PRESETS, "tiny", TINY)
    monkeypatch.setattr(critic, "_STAGES", (1, 1, 1, 1))
    expected = np.load(trained / method / "restored.npy")
    generator, card = load_model(trained / method / "generator.weights.h5")
    assert card.kind == method
    restored = generator(*probe(generator)).numpy()
    np.testing.assert_allclose(restored, expected, atol=1e-5, rtol=0)
    kind = getattr(tensorflow_loop, f"{method.capitalize()}Step")
    step = kind(tensorflow_loop.strategy_for(["CPU:0"]), CONFIGS[method](images))
    current = step.generator(*probe(generator)).numpy()
    assert np.abs(current - expected).max() > 1e-3
    assert checkpoints.restore_latest(trained / method / "checkpoints", step.variables) == 4
    assert int(step.optimizer.iterations.numpy()) == 4
    with step.averaged_weights():
        restored = step.restore(*probe(generator)).numpy()
    np.testing.assert_allclose(restored, expected, atol=1e-5, rtol=0)


def test_a_samples_noise_depends_on_seed_stream_and_position_alone(jax: Jax) -> None:
    jax("-c", NOISE)


@pytest.mark.slow
def test_bfloat16_stays_near_float32(
    jax: Jax, images: pathlib.Path, tmp_path: pathlib.Path
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


def test_the_command_goes_by_keras_backend(
    jax: Jax, images: pathlib.Path, tmp_path: pathlib.Path
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
