"""The benchmarks' own contenders do what this library does."""

import json
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from benchmarks import inputs, jpeg_numpy
from benchmarks.processes import Worker, interleaved
from benchmarks.table import Row, markdown, target
from keras_jpeg_gan.jpeg.file import JpegFile

ROOT = pathlib.Path(__file__).parents[1]


@pytest.fixture
def settings(tmp_path: pathlib.Path) -> inputs.Settings:
    given = inputs.Settings(str(ROOT / "examples"), str(tmp_path), "default", 1)
    inputs.write_jpeg(inputs.photograph(given), inputs.jpeg_path(given))
    return given


def test_numpy_operations_undo_and_project(settings: inputs.Settings) -> None:
    file = JpegFile.read(inputs.jpeg_path(settings))
    pixels, levels, tables = inputs.jpeg_operands(file)
    projected = jpeg_numpy.project(pixels, levels, tables)
    again = jpeg_numpy.project(projected, levels, tables)
    np.testing.assert_allclose(again, projected, atol=1e-2)
    cost, _ = jpeg_numpy.penalty(projected, levels, tables)
    assert cost < 0.5 * jpeg_numpy.penalty(pixels, levels, tables)[0]
    assert cost <= 0.0251  # what half a step costs
    decoded = jpeg_numpy.decompress(levels, tables)
    assert np.abs(decoded - file.pixels).mean() < 1.5  # libjpeg rounds and clips


def test_numpy_gradient_is_the_slope(settings: inputs.Settings) -> None:
    file = JpegFile.read(inputs.jpeg_path(settings))
    pixels, levels, tables = inputs.jpeg_operands(file)
    pixels, levels = pixels.astype(np.float64), [part.astype(np.float64) for part in levels]
    direction = np.random.default_rng(0).normal(0, 1e-3, pixels.shape)
    costs = [jpeg_numpy.penalty(pixels + sign * direction, levels, tables)[0] for sign in (-1, 1)]
    slope = (jpeg_numpy.penalty(pixels, levels, tables)[1] * direction).sum()
    np.testing.assert_allclose((costs[1] - costs[0])[0] / 2, slope, rtol=1e-3)


def test_worker_times_its_tasks(settings: inputs.Settings) -> None:
    worker = Worker("jpeg_numpy", settings)
    try:
        assert worker.tasks == ["compress", "decompress", "penalty", "projection"]
        assert worker.seconds("compress") > 0
        levels = JpegFile.read(inputs.jpeg_path(settings)).quantized.levels
        assert worker.result("compress").size == sum(part.size for part in levels)
        assert worker.peak_mb() > 10
    finally:
        worker.end()


def test_interleaved_takes_turns_and_the_least() -> None:
    order: list[str] = []
    given = {"a": iter([3.0, 1.0, 2.0]), "b": iter([5.0, 6.0, 4.0])}

    def contender(name: str) -> float:
        order.append(name)
        return next(given[name])

    found = interleaved({name: lambda name=name: contender(name) for name in given}, 3)
    assert found == {"a": 1.0, "b": 4.0}
    assert order == ["a", "b"] * 3


def test_table_says_whether_a_target_is_met() -> None:
    assert target(3.1, 3) == "≥ 3: met"
    assert target(1.6, 1.5, most=True) == "≤ 1.5: missed"
    text = markdown([Row("A", "x", 0.5, 2.0, target="≥ 1: met"), Row("B", "y", 0.25)])
    assert "| x | 500.0 | 2.00 | ≥ 1: met |" in text
    assert text.count("| ms |") == 2


def test_torch_computes_the_same(settings: inputs.Settings) -> None:
    pytest.importorskip("torch")
    found = {}
    for module in ("light", "network_torch", "jpeg_torch", "jpeg_numpy"):
        worker = Worker(module, settings)
        try:
            tasks = ["network"] if "network" in worker.tasks else worker.tasks[:4]
            found[module] = {task: worker.result(task) for task in tasks}
        finally:
            worker.end()
    ours, theirs = found["light"]["network"], found["network_torch"]["network"]
    np.testing.assert_allclose(theirs, ours, atol=2e-2)
    for task, values in found["jpeg_numpy"].items():
        np.testing.assert_allclose(found["jpeg_torch"][task], values, atol=1e-3)


def test_command_leaves_out_what_is_missing(tmp_path: pathlib.Path) -> None:
    command = [sys.executable, "-m", "benchmarks.run", f"--output={tmp_path}", "--section=jpeg"]
    command += ["--repeats=1", f"--images={ROOT / 'examples'}", "--threads=1"]
    command += [f"--torch_python={tmp_path / 'none'}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    table = json.loads((tmp_path / "table.json").read_text())
    assert any("jpeg_torch skipped" in remark for remark in table["remarks"])
    differences = [row["difference"] for row in table["rows"] if row["name"] == "NumPy"]
    assert len(differences) == 4
    assert max(differences) < 1e-2
