"""Several replicas and several workers equal one with the whole batch."""

import contextlib
import json
import os
import pathlib
import random
import socket
import subprocess
import sys

import numpy as np
import pytest

from tests.training.tiny import write_images

ROOT = pathlib.Path(__file__).parents[3]


def start(script: str, *arguments: object, **environment: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", f"tests.training.tensorflow.{script}", *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finished(*processes: subprocess.Popen) -> str:
    """What the first one printed; if one failed, the end of what all printed."""
    said = [process.communicate(timeout=900) for process in processes]
    words = "\n".join(errors[-3000:] for _, errors in said)
    assert not any(process.returncode for process in processes), words
    return said[0][0]


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    return write_images(tmp_path_factory.mktemp("images"))


def test_two_replicas_equal_one(images: pathlib.Path) -> None:
    """Both networks, all optimizers' variables and the moving average among them."""
    found = json.loads(finished(start("two_replicas", images)))
    for case in ("regression sgd", "sampler sgd"):
        assert max(found[case]["elements"].values()) < 1e-3, case
        assert max(found[case]["means"].values()) < 1e-4, case
    assert any(name.startswith("critic:") for name in found["sampler sgd"]["elements"])
    assert any(name.endswith("_average") for name in found["sampler sgd"]["elements"])
    # Adam divides by the gradient's size: where that is nearly zero, rounding decides.
    assert max(found["sampler adam"]["norms"].values()) < 1e-3
    assert max(found["sampler adam"]["means"].values()) < 1e-4
    assert found["noise"] == {"same": True, "distinct": 8 * 64, "drawn": 8 * 64}


def test_two_workers_equal_one(images: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """Over loopback, two trainings one after the other: the second resumes the first."""
    addresses = [f"127.0.0.1:{port}" for port in free_ports(2)]
    workers = [
        start(
            "worker",
            images,
            tmp_path / "two",
            TF_CONFIG=json.dumps(
                {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
            ),
        )
        for index in range(2)
    ]
    finished(*workers)
    finished(start("worker", images, tmp_path / "one"))
    metrics = (tmp_path / "two" / "metrics.jsonl").read_text()
    assert metrics.count("critic_gradient") == 2  # the first worker alone has written
    for step in (1, 2):
        name = f"checkpoints/step_{step:08d}.npz"
        with np.load(tmp_path / "one" / name) as one, np.load(tmp_path / "two" / name) as two:
            assert set(one.files) == set(two.files)
            for key in one.files:
                np.testing.assert_allclose(two[key], one[key], rtol=1e-4, atol=1e-6, err_msg=key)


def free_ports(count: int) -> list[int]:
    """Free ports, below the range that other tests' connections are given."""
    found = []
    for port in random.SystemRandom().sample(range(20_000, 32_000), 1000):
        with socket.socket() as one, contextlib.suppress(OSError):
            one.bind(("127.0.0.1", port))
            found.append(port)
        if len(found) == count:
            return found
    raise AssertionError("no free ports")
