"""What a job would take: headers of a sample are read, and a few files of it are restored."""

import dataclasses
import time

import numpy as np

from keras_jpeg_gan.batch.sources import Sources, read_rows
from keras_jpeg_gan.batch.worker import Job
from keras_jpeg_gan.errors import JpegGanError
from keras_jpeg_gan.jpeg.header import read_header

_HEADERS = 200
_SECONDS_OF_CALIBRATION = 20.0  # of processors
_LARGEST_FOR_CALIBRATION = 4.0  # megapixels


@dataclasses.dataclass(frozen=True)
class Estimate:
    """Of all files that are to be done.

    Attributes:
        sampled, refused: how many headers were read, and of these cannot be restored.
        megapixels: of all files; largest: of the sample.
        calibrated: how many files were restored.
        core_seconds: for a megapixel; not a number if none could be restored.
    """

    sampled: int
    refused: int
    megapixels: float
    largest: float
    calibrated: int
    core_seconds: float

    @property
    def core_hours(self) -> float:
        """For all files."""
        return self.megapixels * self.core_seconds / 3600


def estimate(job: Job, sources: Sources, todo: np.ndarray) -> Estimate:
    """Estimate the work, evenly over the files in order.

    Args:
        job: as it would be done, here with its threads.
        sources, todo: the files, and which of them.

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
    """How many files were restored, and the seconds of one core for each megapixel."""
    decoder = job.decoder()
    decoder.runtime  # noqa: B018  (loads it, which is done once by a worker)
    taken: list[tuple[float, float]] = []  # seconds and megapixels of each file
    began = time.process_time()
    for content in contents:
        started = time.process_time()
        if started - began > _SECONDS_OF_CALIBRATION:
            break
        try:
            made = decoder.restore(content, allow_truncated=job.allow_truncated, **job.options)
            made.encoded(job.image_format, job.keep_metadata)
        except JpegGanError:
            continue
        pixels = made.file.width * made.file.height
        taken.append((time.process_time() - started, pixels / 1e6))
    taken = taken[1:] or taken  # the first one pays for what others find ready
    if not taken:
        return 0, float("nan")
    seconds, megapixels = map(sum, zip(*taken, strict=True))
    return len(taken), seconds / megapixels
