"""The command on Ray: each test starts it in a process of its own, most on one small cluster."""

import collections
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.batch.stand_in import DEADLY, SLOW
from tests.files import jpeg

pytestmark = pytest.mark.slow

# Workers for small images, so that the test machine has room for several.
SMALL = "--worker_megapixels=1"


class Nodes:
    """A cluster of one node, or of two."""

    def __init__(self, environment: dict[str, str]) -> None:
        script = pathlib.Path(__file__).with_name("nodes.py")
        self._process = subprocess.Popen(
            [sys.executable, script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )
        self.address = self._process.stdout.readline().strip()

    def order(self, what: str) -> None:
        """Add or remove the second node."""
        self._process.stdin.write(f"{what}\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == "done\n"

    def close(self) -> None:
        """Stop the cluster."""
        self._process.communicate()


@pytest.fixture(scope="module")
def nodes():
    folder = pathlib.Path(__file__).parent
    folders = [folder.parents[1], folder / "in_workers"]
    path = os.pathsep.join(map(str, folders))
    ray = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_worker_niceness": "0"}
    found = Nodes({**os.environ, **ray, "PYTHONPATH": path})
    yield found
    found.close()


@pytest.fixture
def two_nodes(nodes):
    nodes.order("add")
    yield nodes
    nodes.order("remove")


def tree(folder: pathlib.Path) -> dict[str, bytes]:
    """The contents of the images below a folder, by relative name."""
    paths = [path for path in folder.rglob("*") if path.suffix in (".png", ".tiff")]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def fill(folder: pathlib.Path, count: int, height: int = 24) -> None:
    folder.mkdir(exist_ok=True)
    for i in range(count):
        (folder / f"{i:03}.jpg").write_bytes(jpeg(height, 32, i))


def wait_for_parts(output: pathlib.Path, count: int, run: subprocess.Popen[str]) -> None:
    while len(list((output / "_manifest").glob("[0-9]*"))) < count:
        assert run.poll() is None, run.communicate()
        time.sleep(0.1)


def test_on_this_machine_bad_and_deadly_files_are_set_aside(command, photos, tmp_path, records):
    (photos / "deadly.jpg").write_bytes(jpeg(DEADLY, 32))
    arguments = (f"--input={photos}", f"--output={tmp_path / 'out'}", SMALL)
    out, err = (run := command(*arguments)).communicate()
    assert run.returncode == 1, err
    assert "Traceback" not in err
    assert out.startswith("12 restored, 0 skipped, 2 failed, 0 not exact, 1 passed over")
    found = {record["name"]: record for record in records(tmp_path / "out")}
    assert len(found) == 14
    failed = {name: record["error"] for name, record in found.items() if record["error"]}
    assert set(failed) == {"bad.jpg", "deadly.jpg"}
    assert "its worker died" in failed["deadly.jpg"]
    assert len(tree(tmp_path / "out")) == 12
    assert not [p for p in (tmp_path / "out").rglob("*") if p.name.startswith((".", "_begun"))]


def test_one_worker_and_four_give_the_same_bytes(command, photos, tmp_path, two_nodes):
    for workers in (1, 4):
        run = command(
            *(f"--input={photos}", f"--output={tmp_path / str(workers)}", SMALL),
            *(f"--workers={workers}", f"--ray_address={two_nodes.address}", "--seed_from=path"),
        )
        assert run.communicate()[0].startswith("12 restored")
    assert tree(tmp_path / "1") == tree(tmp_path / "4")
    assert len(tree(tmp_path / "1")) == 12


def test_a_node_removed_midway_loses_nothing(command, tmp_path, nodes, records):
    fill(tmp_path / "in", 60, SLOW)
    nodes.order("add")
    run = command(
        *(f"--input={tmp_path / 'in'}", f"--output={tmp_path / 'out'}", SMALL, "--workers=4"),
        f"--ray_address={nodes.address}",
    )
    wait_for_parts(tmp_path / "out", 4, run)
    nodes.order("remove")
    out, err = run.communicate()
    assert run.returncode == 0, err
    assert out.startswith("60 restored, 0 skipped, 0 failed")
    counts = collections.Counter(record["name"] for record in records(tmp_path / "out"))
    assert counts == dict.fromkeys((f"{i:03}.jpg" for i in range(60)), 1)
    assert len(tree(tmp_path / "out")) == 60


def test_a_killed_driver_is_resumed_by_the_same_command(command, tmp_path, nodes, records):
    fill(tmp_path / "in", 60, SLOW)
    arguments = (f"--input={tmp_path / 'in'}", f"--output={tmp_path / 'out'}", SMALL)
    arguments = (*arguments, f"--ray_address={nodes.address}")
    run = command(*arguments)
    wait_for_parts(tmp_path / "out", 4, run)
    run.kill()
    run.communicate()
    time.sleep(10)  # until Ray has ended the driver's workers
    before = {record["name"]: record["time"] for record in records(tmp_path / "out")}
    assert 4 <= len(before) < 60
    made = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.png")}
    run = command(*arguments)
    out, _ = run.communicate()
    assert run.returncode == 0
    assert out.startswith(f"{60 - len(before)} restored, {len(before)} skipped, 0 failed")
    counts = collections.Counter(record["name"] for record in records(tmp_path / "out"))
    assert counts == dict.fromkeys((f"{i:03}.jpg" for i in range(60)), 1)
    for name in before:  # not done twice
        path = (tmp_path / "out" / name).with_suffix(".restored.png")
        assert path.stat().st_mtime_ns == made[path]
    assert len(tree(tmp_path / "out")) == 60
    assert not [p for p in (tmp_path / "out").rglob("*") if p.name.startswith((".", "_begun"))]
    run = command(*arguments)
    assert run.communicate()[0].startswith("0 restored, 60 skipped, 0 failed")


def test_ctrl_c_ends_in_seconds_with_the_manifest_whole(command, tmp_path, nodes, records):
    fill(tmp_path / "in", 200, SLOW)
    run = command(
        *(f"--input={tmp_path / 'in'}", f"--output={tmp_path / 'out'}", SMALL),
        f"--ray_address={nodes.address}",
    )
    wait_for_parts(tmp_path / "out", 1, run)
    run.send_signal(signal.SIGINT)
    started = time.monotonic()
    _, err = run.communicate()
    assert time.monotonic() - started < 30
    assert run.returncode == 130
    assert err.endswith("interrupted\n")
    found = records(tmp_path / "out")
    assert 0 < len(found) < 200
    there = tree(tmp_path / "out")
    assert {record["output"] for record in found} <= set(there)


def test_large_files_come_last_with_more_memory(command, tmp_path, nodes, records):
    fill(tmp_path / "in", 4)
    (tmp_path / "in" / "0large.jpg").write_bytes(jpeg(400, 600))
    run = command(
        *(f"--input={tmp_path / 'in'}", f"--output={tmp_path / 'out'}"),
        *("--worker_megapixels=0.1", f"--ray_address={nodes.address}"),
    )
    assert run.communicate()[0].startswith("5 restored")
    assert max(records(tmp_path / "out"), key=lambda r: r["time"])["name"] == "0large.jpg"


def test_too_few_processors_are_reported_at_once(command, photos, tmp_path, nodes):
    run = command(
        *(f"--input={photos}", f"--output={tmp_path / 'out'}", SMALL),
        *("--worker_cpus=64", f"--ray_address={nodes.address}"),
    )
    _, err = run.communicate()
    assert run.returncode == 2
    assert re.fullmatch(r"batch.py: 1 workers need 64 CPUs .*; there is room for 0 .*\n", err)


def test_rows_of_parquet_survive_a_killed_driver(command, tmp_path, nodes):
    (tmp_path / "in").mkdir()
    images = [jpeg(SLOW, 32, i) for i in range(60)]
    table = pa.table({"image": images, "label": list(range(60))})
    pq.write_table(table, tmp_path / "in" / "a.parquet", row_group_size=16)
    arguments = [f"--input={tmp_path / 'in'}", f"--output={tmp_path / 'out'}", SMALL]
    arguments += ["--bytes_column=image", f"--ray_address={nodes.address}"]
    run = command(*arguments)
    wait_for_parts(tmp_path / "out", 3, run)
    run.kill()
    run.communicate()
    time.sleep(10)
    run = command(*arguments)
    out, _ = run.communicate()
    assert run.returncode == 0, out
    parts = [pq.read_table(path) for path in (tmp_path / "out").glob("*.parquet")]
    assert sorted(pa.concat_tables(parts)["label"].to_pylist()) == list(range(60))


def test_odd_and_broken_files_give_the_same_as_with_jpeg_gan_decode(
    command, shared_data, sampler, tmp_path, nodes, records
):
    folder = shared_data / "robustness"
    run = command(
        *(f"--input={folder}", f"--output={tmp_path / 'out'}", "--projection=none"),
        f"--ray_address={nodes.address}",
    )
    script = (
        "from tests.batch.stand_in import install; install(); "
        "from keras_jpeg_gan.decoding import decode"
    )
    here = pathlib.Path(__file__).parent
    subprocess.run(
        [
            *(sys.executable, "-c", f"{script}; decode.run()", folder, f"--model={sampler}"),
            *(f"--output={tmp_path / 'other'}", "--projection=none"),
        ],
        env={**os.environ, "PYTHONPATH": str(here.parents[1])},
        capture_output=True,
        check=False,
    )
    run.communicate()
    assert run.returncode == 1
    assert tree(tmp_path / "out") == tree(tmp_path / "other")
    found = records(tmp_path / "out")
    restored = {record["output"] for record in found if record["status"] == "restored"}
    assert restored == set(tree(tmp_path / "out"))
    listed = [
        p for p in folder.rglob("*") if p.suffix.lower() in (".jpg", ".jpeg", ".jpe", ".jfif")
    ]
    assert len(found) == len({record["name"] for record in found}) == len(listed)
