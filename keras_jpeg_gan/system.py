"""What is about the process and its files, not about images.

Standard error of C code, warnings, processors, BLAS threads, importing TensorFlow, temporary files,
atomic writes, hashes.
"""

import contextlib
import functools
import hashlib
import os
import pathlib
import secrets
import tempfile
import threading
import warnings
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
import threadpoolctl

# Held while standard error is captured. A thread that writes to it must hold this lock too, or
# its words are captured with the rest.
STANDARD_ERROR_LOCK = threading.RLock()

# Folders of thumbnails and of macOS' resource forks.
SIDECAR_FOLDERS = frozenset({".AppleDouble", ".thumbnails", ".@__thumb", "@eaDir", "__MACOSX"})

_WARNINGS_LOCK = threading.Lock()


class _Captured:
    """What was printed."""

    text = ""


@contextlib.contextmanager
def captured_standard_error() -> Iterator[_Captured]:
    """Capture what C code prints on standard error (file descriptor 2) of this process.

    This also captures what other threads print, unless they hold `STANDARD_ERROR_LOCK`, so
    keep the block short. Only one thread at a time gets in. Standard error may be closed, as it
    is in a daemon.
    """
    captured = _Captured()
    with STANDARD_ERROR_LOCK, tempfile.TemporaryFile() as file:
        try:
            kept: int | None = os.dup(2)
        except OSError:
            kept = None
        os.dup2(file.fileno(), 2)
        try:
            yield captured
        finally:
            if kept is None:
                os.close(2)
            else:
                os.dup2(kept, 2)
                os.close(kept)
            file.seek(0)
            captured.text = file.read().decode("utf-8", "replace")


@contextlib.contextmanager
def without_warnings() -> Iterator[None]:
    """Silence Pillow's warnings about odd EXIF; one thread at a time, since filters are global."""
    with _WARNINGS_LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def processors() -> int:
    """How many processors this process may use, as far as the system tells; at least 1."""
    if hasattr(os, "process_cpu_count"):  # from Python 3.13 on
        return os.process_cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):  # not on macOS and Windows
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def one_blas_thread() -> contextlib.AbstractContextManager:
    """Limit NumPy's matrix products to one thread: on small matrices, threads only wait."""
    return _threadpools().limit(limits=1, user_api="blas")


@functools.cache
def _threadpools() -> threadpoolctl.ThreadpoolController:
    return threadpoolctl.ThreadpoolController()


def import_tensorflow() -> None:
    """Import TensorFlow, and Keras on top of it, without the messages they print on import."""
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # No logging level silences what CUDA and oneDNN print.
    with captured_standard_error():
        import keras  # noqa: F401
        import tensorflow  # noqa: F401


@contextlib.contextmanager
def as_file(content: bytes, suffix: str) -> Iterator[pathlib.Path]:
    """Put bytes into a temporary file, for libraries that take nothing but a path.

    The file is closed: Windows does not let an open `NamedTemporaryFile` be opened again.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, f"content{suffix}")
        path.write_bytes(content)
        yield path


def write_atomically(path: pathlib.Path, content: bytes) -> None:
    """Write a file through a temporary one in the same folder, which no failure leaves behind.

    Raises:
        OSError: the file cannot be written; an existing file is left as it was.
    """
    with written_atomically(path) as file:
        file.write(content)


@contextlib.contextmanager
def written_atomically(path: pathlib.Path) -> Iterator[BinaryIO]:
    """As `write_atomically`, part by part: the file is there once the block is left.

    Raises:
        OSError: the file cannot be written; an existing file is left as it was.
    """
    temporary = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with temporary.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError):
            # Name the file that the user asked for, not the temporary one.
            error.filename, error.filename2 = str(path), None
        raise


def read_npz(source: pathlib.Path | BinaryIO) -> dict[str, np.ndarray]:
    """All arrays of an .npz file, by name.

    Raises:
        OSError: it cannot be opened.
        ValueError: it is none, or a damaged one: empty, cut or overwritten in places.
    """
    # Opened here, since NumPy leaves a damaged file open.
    opened = source.open("rb") if isinstance(source, pathlib.Path) else source
    try:
        with opened as file, np.load(file, allow_pickle=False) as arrays:
            return dict(arrays)
    except Exception as error:  # NumPy, zipfile and zlib have a dozen of classes for it
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(f"damaged: {reason}") from error


def unusable_name(path: pathlib.Path) -> str | None:
    """Why the file system can have no file of this name, in words, or None: it may be too long.

    The folder of the file need not exist.
    """
    path = path.absolute()
    existing = next(folder for folder in path.parents if folder.exists())
    for name in (path, *(existing / part for part in path.relative_to(existing).parts)):
        try:
            os.lstat(name)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            return error.strerror or str(error)
    return None


def is_sidecar(path: pathlib.PurePath) -> bool:
    """Whether a path below a folder is an AppleDouble file of macOS, or a thumbnail.

    Operating systems, file managers and NAS systems put these beside photographs, with the names
    of image files.
    """
    return path.name.startswith("._") or not SIDECAR_FOLDERS.isdisjoint(path.parts)


def file_sha256(path: pathlib.Path) -> str:
    """SHA-256 of a file's bytes, as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
