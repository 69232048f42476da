"""What a worker does with a block of files: read, restore, write, record."""

import collections
import dataclasses
import functools
import hashlib
import time
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa

from keras_jpeg_gan.batch import manifest, sources
from keras_jpeg_gan.batch.manifest import Manifest
from keras_jpeg_gan.batch.storage import Place, read_ahead
from keras_jpeg_gan.decoding.decoder import Decoder
from keras_jpeg_gan.decoding.files import writer
from keras_jpeg_gan.decoding.files.report import reason_of
from keras_jpeg_gan.decoding.memory import Limits
from keras_jpeg_gan.decoding.options import RestoreOptions
from keras_jpeg_gan.errors import JpegGanError
from keras_jpeg_gan.jpeg.header import read_header

# A part of the manifest (and of a Parquet output) ends after this time, or with this many bytes.
_SECONDS_OF_PART, _BYTES_OF_PART = 15.0, 64_000_000

_AHEAD, _BYTES_AHEAD = 8, 16_000_000

# The options that can be set by a flag and that change an image, and not only whether there is one.
_OPTIONS_OF_IMAGES = ("blend", "earlier_save", "projection", "temperature")

# What else of a job does.
_SETTINGS = ("model_sha256", "seed", "seed_from", "image_format", "keep_metadata", "as_parquet",
             "bytes_column")  # fmt: skip

# What a worker returns for a block. `larger` and `larger_megapixels` are the positions in the block
# and the sizes of files that need a worker with more memory; `lost` is set if the block was begun
# before and not finished; `fatal` says why no file can be restored.
OUTCOME = pa.schema(
    [
        ("block", pa.string()),
        ("files", pa.int64()),
        ("failed", pa.int64()),
        ("megapixels", pa.float64()),
        ("bytes", pa.int64()),
        ("larger", pa.list_(pa.int64())),
        ("larger_megapixels", pa.list_(pa.float64())),
        ("lost", pa.bool_()),
        ("fatal", pa.string()),
    ]
)


@dataclasses.dataclass(frozen=True)
class Job:
    """What all workers of a run are to do.

    Attributes:
        source: the folder that holds the files, at any depth.
        output: where images or Parquet parts go.
        records: the folder of the manifest.
        run: the name of the run.
        model, runtime, threads, limits: as for `Decoder`.
        model_sha256: hash of the model's weights, which must be the same on all machines.
        seed: of every file, unless seed_from is "path" or "content": then a file's seed is a hash
            of this seed and of its path or content.
        options: as for `Decoder.restore`.
        image_format: of the images, one of `writer.FORMATS`, or None for png, and tiff for inks.
        keep_metadata: as for `Restored.encoded`.
        as_parquet: whether the output is Parquet.
        bytes_column: the column of Parquet inputs that holds the JPEG files, or None for files.
    """

    source: Place
    output: Place
    records: Place
    run: str
    model: str
    model_sha256: str
    runtime: str
    threads: int
    limits: Limits
    seed: int
    seed_from: str | None
    options: RestoreOptions
    image_format: str | None
    keep_metadata: bool
    as_parquet: bool
    bytes_column: str | None

    def format_of(self, channels: int) -> str:
        """The format of an image with this many channels, 1, 3 or 4."""
        return self.image_format or (writer.INK_FORMAT if channels == 4 else "png")

    @property
    def settings(self) -> dict[str, Any]:
        """Everything that the results depend on besides the files."""
        return {
            **{name: getattr(self, name) for name in _SETTINGS},
            "image_format": self.image_format or "png",  # at its place among the others
            **{name: getattr(self.options, name) for name in _OPTIONS_OF_IMAGES},
        }

    @property
    def manifest(self) -> Manifest:
        """The manifest, as this run writes it."""
        return Manifest(self.records, self.run, self.settings)

    def seed_of(self, name: str, sha256: str) -> int:
        """The seed for a file of this name and content hash."""
        if self.seed_from is None:
            return self.seed
        key = f"{self.seed} {name if self.seed_from == 'path' else sha256}"
        return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8])

    def decoder(self) -> Decoder:
        """A new decoder for the job."""
        return Decoder(self.model, self.runtime, self.threads, self.limits)


class Worker:
    """Restores blocks of files; each of Ray's actors has one.

    Args:
        job: what to do.
        megapixels: the size of the largest image that the worker has memory for.
    """

    def __init__(self, job: Job, megapixels: float) -> None:
        self._job = job
        self._megapixels = megapixels

    def __call__(self, batch: pa.Table) -> pa.Table:
        """Restore a block.

        Args:
            batch: one row: "block", its name; "files", a list of rows of `sources.FILES`.

        Returns:
            One row of `OUTCOME`.
        """
        (row,) = batch.to_pylist()
        outcome: dict[str, Any] = {"block": row["block"], "lost": False}
        block = _Block(self._job, row["block"])
        larger = {}
        try:
            self._load()
            if not self._job.manifest.mark(row["block"]):
                return pa.Table.from_pylist([outcome | {"lost": True}], schema=OUTCOME)
            for position, (file, content, others) in enumerate(self._contents(row["files"])):
                result = self._restore(file, content)
                if isinstance(result, float):
                    larger[position] = result
                else:
                    block.add(file, *result, others)
            block.flush()
        except JpegGanError as error:
            outcome["fatal"] = str(error)
        except OSError as error:
            outcome["fatal"] = f"{self._job.output} cannot be written: {reason_of(error)}"
        outcome |= block.counted
        outcome |= {"larger": list(larger), "larger_megapixels": list(larger.values())}
        return pa.Table.from_pylist([outcome], schema=OUTCOME)

    @functools.cached_property
    def _decoder(self) -> Decoder:
        return self._job.decoder()

    def _load(self) -> None:
        if self._decoder.card.sha256 != self._job.model_sha256:
            raise JpegGanError(
                f"model {self._job.model}: not the same here as where the run was started"
            )
        self._decoder.runtime  # noqa: B018  (loads the model)

    def _contents(
        self, files: list[dict[str, Any]]
    ) -> Iterator[tuple[dict[str, Any], Callable[[], bytes], pa.RecordBatch | None]]:
        """Each file, a function that returns its content, and the other columns of its row."""
        if self._job.bytes_column is None:
            sizes = [file["size"] for file in files]
            contents = read_ahead(self._read, files, sizes, _AHEAD, _BYTES_AHEAD)
            for file, content in zip(files, contents, strict=True):
                yield file, content.result, None
            return
        column, *path = self._job.bytes_column.split(".")
        columns = None if self._job.as_parquet else [self._job.bytes_column]
        for name in dict.fromkeys(file["file"] for file in files):
            mine = [file for file in files if file["file"] == name]
            rows = sources.read_rows(
                self._job.source.below(name), [file["row"] for file in mine], columns
            )
            left = collections.deque(mine)
            try:
                for row in rows:
                    content = row[column][0].as_py()
                    for part in path:
                        content = content and content[part]
                    give = functools.partial(bytes, content or b"")
                    yield left.popleft(), give, row.drop_columns([column])
            except Exception as error:  # a broken page of Parquet: its rows fail
                yield from ((file, functools.partial(_fail, error), None) for file in left)

    def _read(self, file: dict[str, Any]) -> bytes:
        self._job.limits.check_file_size(file["size"])
        return self._job.source.below(file["file"]).read()

    def _restore(
        self, file: dict[str, Any], content: Callable[[], bytes]
    ) -> tuple[dict[str, Any], bytes] | float:
        """The record and the image of a file, or its megapixels if it is too large."""
        job, started = self._job, time.perf_counter()
        name = sources.name_of(file["file"], file["row"])
        known: dict[str, Any] = {"name": name, "size": file["size"], "modified": file["modified"]}
        try:
            data = content()
            known |= {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            header = read_header(data, job.limits)
            known |= {"width": header.width, "height": header.height}
            channels = len(header.components)
            image_format = job.format_of(channels)
            writer.check_fits(header.height, header.width, image_format, channels)
            megapixels = header.width * header.height / 1e6
            if megapixels > self._megapixels:
                return megapixels
            seed = job.seed_of(name, known["sha256"])
            made = self._decoder.restore(data, seed, job.options)
            image = made.encoded(image_format, job.keep_metadata)
            output = None
            if not job.as_parquet:
                output = sources.output_of(file["stem"], writer.FORMATS[image_format][0])
                job.output.below(output).write(image)
            known |= {"output": output, "seconds": time.perf_counter() - started}
            record = manifest.restored(made, **known)
            if job.keep_metadata:
                record["warnings"] += writer.left_out(made.file.metadata, image_format)
            return record, image
        except Exception as error:  # whatever it is, it is one file's, and does not end the run
            known["seconds"] = time.perf_counter() - started
            return manifest.failed(error=reason_of(error), **known), b""


def _fail(error: Exception) -> bytes:
    raise error


class _Block:
    """The records of a block, and the rows of a Parquet output, written in parts."""

    def __init__(self, job: Job, name: str) -> None:
        self._job = job
        self._name = name
        self._part = 0
        self._since = time.monotonic()
        self._records: list[dict[str, Any]] = []
        self._rows: list[pa.Table] = []
        self._held = 0
        self.counted = {"files": 0, "failed": 0, "megapixels": 0.0, "bytes": 0}

    def add(
        self,
        file: dict[str, Any],
        record: dict[str, Any],
        image: bytes,
        others: pa.RecordBatch | None,
    ) -> None:
        """Add a file's record and output; they are written with others later."""
        succeeded = record["status"] == manifest.RESTORED
        if self._job.as_parquet and succeeded:
            row = pa.table({sources.NAME: [record["name"]], sources.IMAGE: [image]})
            if others is not None:
                for field, column in zip(others.schema, others.columns, strict=True):
                    row = row.append_column(field, column)
            self._rows.append(row)
            self._held += len(image)
        self._records.append(record)
        self.counted["files"] += 1
        self.counted["failed"] += not succeeded
        self.counted["bytes"] += file["size"]
        if succeeded:
            self.counted["megapixels"] += record["width"] * record["height"] / 1e6
        if time.monotonic() - self._since > _SECONDS_OF_PART or self._held > _BYTES_OF_PART:
            self.flush()

    def flush(self) -> None:
        """Write what has been added: first the output, then the records that refer to it."""
        if not self._records:
            return
        part = f"{self._name}-{self._part:03}"
        if self._rows:
            output = self._job.manifest.part_name(part)
            table = pa.concat_tables(self._rows, promote_options="default")
            self._job.output.below(output).write(manifest.parquet(table))
            for record in self._records:
                if record["status"] == manifest.RESTORED:
                    record["output"] = output
        self._job.manifest.add(part, self._records)
        self._records, self._rows, self._held = [], [], 0
        self._part += 1
        self._since = time.monotonic()
