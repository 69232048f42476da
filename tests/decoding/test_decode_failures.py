"""The command on a failing machine: nothing is lost, no half file, a line that says why."""

import contextlib
import ctypes
import json
import os
import pathlib
import resource

import numpy as np
import pytest
from PIL import Image

from keras_jpeg_gan.decoding import decoder as decoding
from keras_jpeg_gan.decoding import runtimes
from tests.decoding.made_up import ShiftedBlur
from tests.decoding.processes import start
from tests.files import jpeg

_DROP_CAPABILITY, _OVERRIDE_PERMISSIONS, _IGNORE_READ_PERMISSIONS = 24, 1, 2  # linux/prctl.h


def photo(folder: pathlib.Path, name: str = "a.jpg", height: int = 24) -> pathlib.Path:
    path = folder / name
    path.write_bytes(jpeg(height, 40))
    return path


def ran(model: pathlib.Path, *arguments: object, **options: object) -> tuple[int, str, str]:
    """The exit status and the output of the command, in a process of its own."""
    with start(f"--model={model}", *arguments, **options) as run:
        out, err = run.communicate()
    return run.returncode, (out or b"").decode(), (err or b"").decode()


def like_any_user() -> None:
    """Drop the capabilities by which root may write where nobody else may."""
    for capability in (_OVERRIDE_PERMISSIONS, _IGNORE_READ_PERMISSIONS):
        ctypes.CDLL(None).prctl(_DROP_CAPABILITY, capability, 0, 0, 0)


def test_a_disk_that_fills_up_midway_leaves_nothing_behind(model, tmp_path):
    path = photo(tmp_path, height=320)

    def small_disk() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (12_000, 12_000))

    status, out, err = ran(model, path, before=small_disk)
    assert (status, out) == (1, "")
    assert err == f"{path}: File too large ({tmp_path / 'a.restored.png'})\n"
    assert list(tmp_path.iterdir()) == [path]
    assert ran(model, path)[0] == 0


def test_a_full_disk_behind_standard_output_ends_the_run(model, tmp_path):
    paths = [photo(tmp_path, f"{name}.jpg") for name in "abcde"]
    for arguments in (paths, ("--output=-", paths[0])):
        with open("/dev/full", "wb") as full:
            status, _, err = ran(model, *arguments, stdout=full)
        assert status == 1
        assert err == "-c: standard output: No space left on device\n"
    # The next files were already in progress, the others were not.
    assert not (tmp_path / "e.restored.png").exists()
    assert not list(tmp_path.glob(".*"))


def test_a_full_disk_behind_the_report_ends_the_run(model, tmp_path):
    paths = [photo(tmp_path, f"{name}.jpg") for name in "abcde"]
    for named in (paths, [tmp_path / "gone.jpg"]):
        status, _, err = ran(model, "--report=/dev/full", "--overwrite", *named)
        assert status == 1
        assert err.splitlines()[-1] == "-c: report /dev/full: No space left on device"
        assert "Traceback" not in err
    # The next files were already in progress, the others were not.
    assert not (tmp_path / "e.restored.png").exists()
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize(
    ("closed", "arguments", "said"),
    [
        (0, ("--output=x.png", "-"), "-c: standard input is closed\n"),
        (1, ("a.jpg",), "-c: standard output is closed\n"),
        (1, ("--output=-", "a.jpg"), "-c: standard output is closed\n"),
        (2, ("--output=-", "a.jpg", "--seed=1"), ""),
    ],
)
def test_closed_streams_are_reported_on_no_other_stream(model, tmp_path, closed, arguments, said):
    photo(tmp_path)
    done = start(f"--model={model}", *arguments, before=lambda: os.close(closed), cwd=tmp_path)
    with done:
        out, err = done.communicate()
    assert done.returncode == (0 if closed == 2 else 1)
    assert err.decode() == said
    assert out == b"" or (closed == 2 and out.startswith(b"\x89PNG") and b"effect" not in out)


def test_a_folder_without_permission_is_reported_before_the_work(model, tmp_path):
    locked, output = tmp_path / "locked", tmp_path / "out"
    locked.mkdir()
    output.mkdir()
    path = photo(locked)
    locked.chmod(0o500)
    try:
        status, out, err = ran(model, path, before=like_any_user)
        assert (status, out) == (1, "")
        assert err == f"{path}: no permission to write in {locked}\n"
        assert list(locked.iterdir()) == [path]
        assert ran(model, f"--output={output}", path, before=like_any_user)[0] == 0
        path.chmod(0)
        status, _, err = ran(model, f"--output={output}", "--overwrite", path, before=like_any_user)
        assert (status, err) == (1, f"{path}: Permission denied ({path})\n")
    finally:
        locked.chmod(0o700)
    output.chmod(0o500)
    arguments = (f"--output={output}", "--overwrite", path)
    status, _, err = ran(model, *arguments, before=like_any_user)
    output.chmod(0o700)
    assert (status, err) == (2, f"-c: no permission to write in {output}\n")


def test_an_output_that_is_a_folder_is_left_alone(command, tmp_path):
    path = photo(tmp_path)
    (tmp_path / "a.restored.png").mkdir()
    status, out, err = command(path, "--overwrite")
    assert (status, out) == (1, "")
    assert err == f"{path}: its output {tmp_path / 'a.restored.png'} is a folder\n"
    assert list((tmp_path / "a.restored.png").iterdir()) == []


def test_a_file_that_vanishes_midway_is_named_and_the_rest_restored(command, tmp_path, monkeypatch):
    folder, output = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        photo(folder, name)
    restore = decoding.Decoder.restore

    def vanish(self, file, *arguments, **options):
        (folder / "b.jpg").unlink(missing_ok=True)
        restored = restore(self, file, *arguments, **options)
        with contextlib.suppress(OSError):
            output.rmdir()
        return restored

    monkeypatch.setattr(decoding.Decoder, "restore", vanish)
    # In one thread, so that b is not read before it vanishes.
    status, out, err = command(folder, f"--output={output}", "--threads=1")
    assert status == 1
    assert len(out.splitlines()) == 2
    assert f"{folder / 'b.jpg'}: No such file or directory" in err
    assert sorted(path.name for path in output.iterdir()) == ["a.restored.png", "c.restored.png"]


def test_two_runs_into_one_folder_do_not_harm_each_other(model, tmp_path):
    folder, output = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    for k in range(12):
        photo(folder, f"{k}.jpg", 64 + k)
    runs = [start(f"--model={model}", folder, f"--output={output}") for _ in range(2)]
    for run in runs:
        with run:
            _, err = run.communicate()
        assert run.returncode == 0, err
    assert len(list(output.iterdir())) == 12
    for k in range(12):
        with Image.open(output / f"{k}.restored.png") as image:
            image.load()
            assert image.size == (40, 64 + k)


def test_images_keep_the_names_of_their_files_whatever_these_are(command, tmp_path):
    names = ["new\nline.jpg", "two  spaces .jpg", "Grüße 写真 👋.jpg", "-.jpg", "--help.jpg"]
    names += [os.fsdecode(b"no \xff unicode.jpg"), "*[a]?.jpg", "'\"$(id)`.jpg", ".jpg.jpg"]
    folder, output, report = tmp_path / "in", tmp_path / "out", tmp_path / "report"
    folder.mkdir()
    for name in names:
        photo(folder, name)
    status, out, _ = command(folder, f"--output={output}", f"--report={report}")
    assert status == 0
    assert len(out.splitlines()) == len(names)
    made = {path.name.replace(".restored.png", ".jpg") for path in output.iterdir()}
    assert made == set(names)
    records = [json.loads(line) for line in report.read_text().splitlines()]
    assert {pathlib.Path(record["input"]).name for record in records} == set(names)


@pytest.mark.parametrize("projection", ["exact", "none"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -0.0, 1.0])
def test_a_network_that_fails_writes_no_image(command, tmp_path, monkeypatch, projection, value):
    class Broken(ShiftedBlur):
        def restore(self, image, tables, noise=None):
            return np.full(image.shape, value, np.float32)

    monkeypatch.setattr(runtimes, "open_runtime", lambda *arguments: Broken())
    path = photo(tmp_path)
    status, out, err = command(path, f"--projection={projection}")
    assert (status, out) == (1, "")
    assert ("not finite" if not np.isfinite(value) else "off the file's mean") in err
    assert list(tmp_path.iterdir()) == [path]
