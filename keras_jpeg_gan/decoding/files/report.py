"""What is reported of each image: names and reasons for people, JSON records for programs."""

import contextlib
import json
import pathlib
from collections.abc import Mapping
from types import TracebackType
from typing import Any, TextIO

import keras_jpeg_gan
from keras_jpeg_gan import program
from keras_jpeg_gan.decoding.files.products import Product
from keras_jpeg_gan.errors import ConfigError, JpegGanError


def shown(name: str) -> str:
    """A file's name on one line, whatever characters it contains."""
    return name if name and name.isprintable() else ascii(name)


def reason_of(error: Exception) -> str:
    """Why a file failed, in words; unexpected errors are prefixed with their class."""
    if isinstance(error, JpegGanError):
        return str(error)
    if isinstance(error, OSError):
        where = f" ({error.filename})" if error.filename else ""
        return f"{error.strerror or error}{where}"
    return f"{type(error).__name__}: {error}"


def describe(made: Product, seconds: Mapping[str, float]) -> dict[str, Any]:
    """The part of a record that describes an image, ready for JSON.

    Args:
        made: the image.
        seconds: by stage, all that it took.
    """
    return {
        **made.details(seconds),
        "input_sha256": made.work.input_sha256,
        "model": made.model.name,
        "model_sha256": made.model.sha256,
        "seed": made.seed,
        "samples": made.count,
    }


class Report:
    """JSON lines appended to a file, each written at once. Without a path, it does nothing.

    Raises:
        ConfigError: the file cannot be opened.
    """

    def __init__(self, path: pathlib.Path | None) -> None:
        self._file: TextIO | None = None
        if path is not None:
            try:
                self._file = path.open("a", encoding="utf-8")
            except OSError as error:
                raise ConfigError(f"report {path}: {error.strerror}") from error

    def __enter__(self) -> "Report":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):  # `add` has reported it
                self._file.close()

    def add(self, name: str, status: str, details: Mapping[str, Any]) -> None:
        """Append a record; its status is restored, skipped or failed.

        Raises:
            RunError: it cannot be written.
        """
        if self._file is not None:
            record = {"input": name, "status": status, **details}
            record["version"] = keras_jpeg_gan.__version__
            try:
                self._file.write(json.dumps(record) + "\n")
                self._file.flush()
            except OSError as error:
                raise program.RunError(f"report {self._file.name}: {error.strerror}") from error
