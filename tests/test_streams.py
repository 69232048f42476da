"""C's messages are caught; nobody else's standard error is touched."""

import contextlib
import ctypes
import re
import subprocess
import sys

import pytest

from keras_jpeg_gan import streams
from keras_jpeg_gan.streams import caught_messages

C = ctypes.CDLL(None)
OURS = re.compile("ours")

# A thread logs while files are read, whole ones and one that makes libjpeg talk.
LOGGING = """
import logging, threading
from keras_jpeg_gan.errors import JpegFormatError
from keras_jpeg_gan.jpeg.file import JpegFile
from tests.files import jpeg

logging.basicConfig(format="%(message)s")
whole, cut = jpeg(200, 300), jpeg(200, 300)[:-2]
ended, lines = threading.Event(), 0

def log():
    global lines
    while not ended.is_set():
        logging.warning("Corrupt JPEG data: line %d", lines)
        lines += 1

thread = threading.Thread(target=log)
thread.start()
for _ in range(60):
    assert JpegFile.read(whole).warnings == ()
    assert JpegFile.read(cut).warnings == ("no end-of-image marker",)
ended.set()
thread.join()
print(lines)
"""


def say(text: bytes) -> None:
    """Print to C's standard error, as C code does."""
    name = "__stderrp" if sys.platform == "darwin" else "stderr"
    C.fputs(text, ctypes.c_void_p.in_dll(C, name))


def test_expected_lines_are_caught_and_others_passed_on(capfd: pytest.CaptureFixture[str]) -> None:
    with caught_messages(OURS) as lines:
        say(b"ours \xff\nforeign\nours \xff\n")
        print("Python's", file=sys.stderr)
    assert lines == ["ours �"]
    assert capfd.readouterr().err == "Python's\nforeign\n"
    say(b"afterwards\n")
    assert capfd.readouterr().err == "afterwards\n"


def test_an_error_ends_the_catching(capfd: pytest.CaptureFixture[str]) -> None:
    with contextlib.suppress(KeyError), caught_messages(OURS) as lines:
        say(b"ours")
        raise KeyError
    assert lines == ["ours"]
    with caught_messages(OURS) as lines:
        pass
    assert lines == []
    assert capfd.readouterr().err == ""


def test_where_the_variable_cannot_be_set_messages_are_printed(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(streams.platform, "libc_ver", lambda: ("", ""))
    monkeypatch.setattr(streams, "_stream", streams._stream.__wrapped__)
    with caught_messages(OURS) as lines:
        say(b"ours\n")
    assert lines == []
    assert capfd.readouterr().err == "ours\n"


def test_a_logging_thread_loses_no_line_and_changes_no_outcome() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOGGING], capture_output=True, text=True, check=True
    )
    expected = [f"Corrupt JPEG data: line {k}" for k in range(int(done.stdout))]
    assert len(expected) > 100
    assert done.stderr.splitlines() == expected
