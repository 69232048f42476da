"""What is said of each image: a line for people, and a JSON record for programs."""

import contextlib
import json
import pathlib
from collections.abc import Mapping
from types import TracebackType
from typing import Any, TextIO

import keras_jpeg_gan
from keras_jpeg_gan import program
from keras_jpeg_gan.decoding.decoder import Restored
from keras_jpeg_gan.decoding.products import DeviationMap
from keras_jpeg_gan.errors import ConfigError, JpegGanError


def shown(name: str) -> str:
    """A file's name on one line, whatever it contains."""
    return name if name and name.isprintable() else ascii(name)


def reason_of(error: Exception) -> str:
    """Why a file failed; what no one foresaw bears its class."""
    if isinstance(error, JpegGanError):
        return str(error)
    if isinstance(error, OSError):
        where = f" ({error.filename})" if error.filename else ""
        return f"{error.strerror or error}{where}"
    return f"{type(error).__name__}: {error}"


def describe(made: Restored | DeviationMap) -> dict[str, Any]:
    """The part of a record that tells of an image."""
    drawn = {
        "model": made.model.name,
        "model_sha256": made.model.sha256,
        "seed": made.seed,
        "samples": made.count,
    }
    if isinstance(made, DeviationMap):
        return {"deviation": round(made.mean, 4), **drawn}
    file, certificate = made.file, made.certificate
    return {
        "width": file.width,
        "height": file.height,
        "sampling": file.quantized.sampling.name if file.quantized else "unknown",
        "progressive": file.progressive,
        "tables": [table.tolist() for table in file.tables],
        "quality": file.quality,
        "projection": made.projection,
        "bits": 8 * made.pixels.itemsize,
        "violation": made.violation and made.violation._asdict(),
        "certificate": certificate
        and {
            "exact": certificate.exact,
            "levels_equal": certificate.levels_equal,
            "levels_total": certificate.levels_total,
            "largest_violation": certificate.largest_violation,
        },
        "seconds": {stage: round(value, 4) for stage, value in made.seconds.items()},
        "warnings": list(made.warnings),
        **drawn,
    }


class Report:
    """JSON lines appended to a file, each written at once; without a path, nothing.

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
            with contextlib.suppress(OSError):  # `add` has said it
                self._file.close()

    def add(self, name: str, status: str, details: Mapping[str, Any]) -> None:
        """A record: status is restored, skipped or failed.

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
