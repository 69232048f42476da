"""What C code prints on its standard error, caught without touching anybody else's.

C's stdio prints to the variable `stderr`. While it is caught, that variable points to a stream of
ours. Python, its logging and whoever else writes to file descriptor 2 do not notice. C code of
another thread that prints meanwhile is caught too: lines that nobody waits for are passed on.
"""

import contextlib
import ctypes
import functools
import os
import platform
import re
import sys
import tempfile
import threading
from collections.abc import Iterator

_LOCK = threading.RLock()
_UNBUFFERED = 2  # setvbuf's _IONBF


class _Stream:
    """C's variable, and a stream to put there; it is never closed, since others may hold it."""

    def __init__(self, variable: ctypes.c_void_p) -> None:
        import fcntl  # not on Windows, which has no such variable either

        library = ctypes.CDLL(None)
        library.fdopen.restype = ctypes.c_void_p
        self.variable = variable
        with tempfile.TemporaryFile() as file:
            # Not 0 to 2, which may be closed, and will be taken for something else.
            self.descriptor = fcntl.fcntl(file.fileno(), fcntl.F_DUPFD_CLOEXEC, 3)
        self.address = library.fdopen(self.descriptor, b"a")
        if not self.address:
            raise OSError("no stream for C's messages")
        library.setvbuf(ctypes.c_void_p(self.address), None, _UNBUFFERED, ctypes.c_size_t(0))

    def taken(self) -> bytes:
        """What was printed, which is then gone."""
        content = os.pread(self.descriptor, os.fstat(self.descriptor).st_size, 0)
        os.ftruncate(self.descriptor, 0)
        return content


@contextlib.contextmanager
def caught_messages(expected: re.Pattern[str]) -> Iterator[list[str]]:
    """Catch the lines that C code prints; one thread at a time.

    Where C's variable cannot be set (Windows, musl), nothing is caught: it is printed.

    Args:
        expected: what the lines begin with that are waited for. Others are passed on to standard
            error at the end.

    Yields:
        A list, which has the lines at the end, without repetition.
    """
    found: list[str] = []
    with _LOCK:
        stream = _stream()
        if stream is None:
            yield found
            return
        before, stream.variable.value = stream.variable.value, stream.address
        try:
            yield found
        finally:
            stream.variable.value = before
            for line in stream.taken().splitlines(keepends=True):
                text = line.decode("utf-8", "replace").rstrip("\r\n")
                if not expected.match(text):
                    with contextlib.suppress(OSError):  # it may be closed
                        os.write(2, line)
                elif text not in found:
                    found.append(text)


@functools.cache
def _stream() -> _Stream | None:
    if sys.platform == "darwin":
        name = "__stderrp"
    elif platform.libc_ver()[0] == "glibc":
        name = "stderr"
    else:
        return None
    return _Stream(ctypes.c_void_p.in_dll(ctypes.CDLL(None), name))


if hasattr(os, "register_at_fork"):  # a child would share the file with its parent
    os.register_at_fork(after_in_child=_stream.cache_clear)
