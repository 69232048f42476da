"""What concerns the process: standard error, warnings, atomic writes, hashes."""

import contextlib
import errno
import hashlib
import os
import threading
import warnings

import pytest

from keras_jpeg_gan import system
from keras_jpeg_gan.system import (
    captured_standard_error,
    file_sha256,
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
