"""JAX in processes of its own, and trainings that several tests look at."""

import json
import pathlib
import subprocess
from typing import Any

import pytest

from keras_jpeg_gan.training import checkpoints
from tests.programs import Python, with_jax
from tests.training.tiny import write_images

ROOT = pathlib.Path(__file__).parents[3]
METHODS = ("regression", "sampler")

TRAIN = """
import sys
sys.modules["tensorflow"] = None  # importing it fails
from tests.training.jax import training
training.main(*sys.argv[1:])
"""


class Jax:
    """Runs Python with a backend in a process of its own, since a process has one backend.

    Compiling a step takes longer than these tests run it: so it is compiled with little
    optimization, and once for all of them. There is one thread, so that sums have one order: if
    one differs in a bit, a unit near LeakyReLU's kink may change sides, and gradients then change
    by more than rounding.
    """

    def __init__(self, cache: pathlib.Path) -> None:
        environment = {
            "JAX_PLATFORMS": "cpu",
            "XLA_FLAGS": "--xla_backend_optimization_level=0 --xla_cpu_multi_thread_eigen=false",
            "OMP_NUM_THREADS": "1",
            "TF_NUM_INTRAOP_THREADS": "1",
            "JAX_COMPILATION_CACHE_DIR": str(cache),
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
            "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
        }
        self._python = with_jax(**environment)
        self._environment = environment

    def __call__(
        self, *arguments: object, backend: str = "jax", status: int = 0
    ) -> subprocess.CompletedProcess[str]:
        environment = {**self._environment, "KERAS_BACKEND": backend}
        python = self._python if backend == "jax" else Python("", **environment)
        done = python(*arguments, **environment)
        assert done.returncode == status, done.stderr
        return done

    def train(self, images: pathlib.Path, *trainings: dict[str, Any]) -> list[Any]:
        """What training.py does, without TensorFlow; returns the outcomes."""
        self("-c", TRAIN, images, json.dumps(trainings))
        paths = (pathlib.Path(training["workdir"]) / "outcome.json" for training in trainings)
        return [json.loads(path.read_text()) for path in paths]


@pytest.fixture(scope="session")
def jax(tmp_path_factory: pytest.TempPathFactory) -> Jax:
    return Jax(tmp_path_factory.mktemp("compiled"))


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    return write_images(tmp_path_factory.mktemp("images"))


@pytest.fixture(scope="module")
def steps(jax: Jax, images: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A folder with what three_steps.py writes on both backends."""
    folder = tmp_path_factory.mktemp("steps")
    for backend in ("tensorflow", "jax"):
        jax("-m", "tests.training.three_steps", images, folder, folder / backend, backend=backend)
    return folder


@pytest.fixture(scope="module")
def trained(
    jax: Jax, images: pathlib.Path, tmp_path_factory: pytest.TempPathFactory
) -> pathlib.Path:
    """A folder of trainings: METHOD, uninterrupted, and METHOD_parts, interrupted and resumed.

    Two others fail: one diverges, one asks for a precision that JAX does not have here.
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
        "mixed_precision float16: JAX trains in bfloat16",
    ]
    return folder
