"""What concerns the process: standard error, warnings, atomic writes, hashes."""

import contextlib
import errno
import hashlib
import os
import threading
import warnings

import numpy as np
import pytest

from keras_jpeg_gan import system
from keras_jpeg_gan.system import (
    captured_standard_error,
    file_sha256,
    read_npz,
    without_warnings,
    write_atomically,
)


def test_what_c_code_prints_is_captured(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with captured_standard_error() as caught:
        os.write(2, b"one\ntwo\xff\n")
    assert caught.text == "one\ntwo�\n"
    with contextlib.suppress(KeyError), captured_standard_error() as caught:
        os.write(2, b"three")
        raise KeyError
    assert caught.text == "three"
    os.write(2, b"four")
    assert capfd.readouterr().err == "four"


def test_a_thread_that_holds_the_lock_is_not_captured(capfd: pytest.CaptureFixture[str]) -> None:
    def write() -> None:
        with system.STANDARD_ERROR_LOCK:
            os.write(2, b"said")

    thread = threading.Thread(target=write)
    with captured_standard_error() as caught:
        thread.start()
        thread.join(0.05)
        assert thread.is_alive()
    thread.join()
    assert caught.text == ""
    assert capfd.readouterr().err == "said"


def test_warnings_are_silent_for_a_while_only() -> None:
    before = list(warnings.filters)
    with without_warnings():
        warnings.warn("silent", stacklevel=1)  # pytest turns warnings into errors
    assert warnings.filters == before
    with pytest.warns(UserWarning, match="loud"):
        warnings.warn("loud", stacklevel=1)


def test_a_files_hash_is_its_contents(tmp_path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"content" * 100_000)
    assert file_sha256(path) == hashlib.sha256(b"content" * 100_000).hexdigest()


def test_writing_replaces_and_leaves_nothing_else(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"old")
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()]
)
def test_what_fails_midway_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, error):
    path = tmp_path / "a.png"
    path.write_bytes(b"old")

    def fail(descriptor: int) -> None:
        raise error

    monkeypatch.setattr(system.os, "fsync", fail)
    with pytest.raises(type(error)):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_no_array_of_a_damaged_file_comes_back_changed(tmp_path):
    """A file that is empty, cut, or has one byte changed, at many places."""
    path, arrays = tmp_path / "a.npz", {"one": np.arange(3.0), "two": np.eye(2)}
    np.savez(path, **arrays)
    content = path.read_bytes()
    broken = [content[:length] for length in range(0, len(content), 31)]
    for place in range(0, len(content), 3):
        broken.append(content[:place] + bytes([content[place] ^ 0x55]) + content[place + 1 :])
    refusals = []
    for changed in broken:
        path.write_bytes(changed)
        try:
            found = read_npz(path)
        except ValueError as error:
            refusals.append(str(error))
            continue
        # The byte does not matter, or one of the directory, from which a name is missing now.
        assert found.keys() <= arrays.keys()
        for name, array in found.items():
            np.testing.assert_array_equal(array, arrays[name])
    assert len(refusals) > len(broken) / 2
    assert all(said.startswith("damaged: ") and "\n" not in said for said in refusals)
    with pytest.raises(FileNotFoundError):
        read_npz(tmp_path / "none.npz")
    np.savez(path, pickled=np.array([{}]))
    with pytest.raises(ValueError, match="damaged: "):
        read_npz(path)


def test_processors_are_counted_by_the_best_that_the_system_has(monkeypatch):
    """Those that this process may use where the system can tell, else all; never none."""
    monkeypatch.setattr(os, "process_cpu_count", lambda: 3, raising=False)
    assert system.processors() == 3
    monkeypatch.delattr(os, "process_cpu_count")
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 5}, raising=False)
    assert system.processors() == 2
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 7)
    assert system.processors() == 7
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert system.processors() == 1


def test_a_file_of_bytes_is_closed_and_goes_with_the_block():
    with system.as_file(b"content", ".jpg") as path:
        assert path.suffix == ".jpg"
        path.rename(path.with_name("free"))  # on Windows this fails for an open file
        path.with_name("free").rename(path)
        assert path.read_bytes() == b"content"
    assert not path.exists()
    assert not path.parent.exists()
