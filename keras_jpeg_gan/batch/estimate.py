"""What a job would take, estimated from the headers of a sample and a few restored files."""

import dataclasses
import time

import numpy as np

from keras_jpeg_gan.batch.sources import Sources, read_rows
from keras_jpeg_gan.batch.worker import Job
from keras_jpeg_gan.errors import JpegGanError
from keras_jpeg_gan.jpeg.header import read_header

_HEADERS = 200
_SECONDS_OF_CALIBRATION = 20.0  # of processor time
_LARGEST_FOR_CALIBRATION = 4.0  # megapixels


@dataclasses.dataclass(frozen=True)
class Estimate:
    """What restoring all files would take.

    Attributes:
        sampled: how many headers were read.
        refused: how many of these files cannot be restored.
        megapixels: of all files together.
        largest: megapixels of the largest file of the sample.
        calibrated: how many files were restored.
        core_seconds: per megapixel; NaN if no file could be restored.
    """

    sampled: int
    refused: int
    megapixels: float
    largest: float
    calibrated: int
    core_seconds: float

    @property
    def core_hours(self) -> float:
        """For all files together."""
        return self.megapixels * self.core_seconds / 3600


def estimate(job: Job, sources: Sources, todo: np.ndarray) -> Estimate:
    """Estimate the work from a sample that is spread evenly over the files.

    Args:
        job: what would be done; a few files are restored here, with its threads.
        sources: the files.
        todo: [n] the rows of the sources' table that would be restored.

    Raises:
        ModelError, ConfigError: the model cannot be loaded.
    """
    chosen = todo[np.unique(np.linspace(0, len(todo) - 1, _HEADERS).astype(int))]
    sizes, contents = [], []
    for index in chosen:
        try:
            content = _content(job, sources, index)
            header = read_header(content, job.limits)
        except (JpegGanError, OSError):
            continue
        sizes.append(header.width * header.height / 1e6)
        if sizes[-1] <= _LARGEST_FOR_CALIBRATION:
            contents.append(content)
    calibrated, core_seconds = _calibrate(job, contents)
    return Estimate(
        sampled=len(chosen),
        refused=len(chosen) - len(sizes),
        megapixels=len(todo) * sum(sizes) / len(chosen),
        largest=max(sizes, default=0.0),
        calibrated=calibrated,
        core_seconds=core_seconds,
    )


def _content(job: Job, sources: Sources, index: int) -> bytes:
    line = sources.table.slice(index, 1).to_pylist()[0]
    place = sources.root.below(line["file"])
    if job.bytes_column is None:
        return place.read()
    column, *path = job.bytes_column.split(".")
    (row,) = read_rows(place, [line["row"]], [job.bytes_column])
    content = row[column][0].as_py()
    for part in path:
        content = content and content[part]
    return content or b""


def _calibrate(job: Job, contents: list[bytes]) -> tuple[int, float]:
    """Restore some files; return how many, and the core-seconds per megapixel."""
    decoder = job.decoder()
    decoder.runtime  # noqa: B018  (loads the model, which each worker does once)
    taken: list[tuple[float, float]] = []  # seconds and megapixels for each file
    began = time.process_time()
    for content in contents:
        started = time.process_time()
        if started - began > _SECONDS_OF_CALIBRATION:
            break
        try:
            made = decoder.restore(content, options=job.options)
            made.encoded(job.format_of(made.file.channels), job.keep_metadata)
        except JpegGanError:
            continue
        pixels = made.file.width * made.file.height
        taken.append((time.process_time() - started, pixels / 1e6))
    taken = taken[1:] or taken  # the first one includes what is done only once
    if not taken:
        return 0, float("nan")
    seconds, megapixels = map(sum, zip(*taken, strict=True))
    return len(taken), seconds / megapixels
