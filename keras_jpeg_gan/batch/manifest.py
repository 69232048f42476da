"""What became of each file: records in Parquet parts, from which a run is resumed."""

import dataclasses
import datetime
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet as pq

import keras_jpeg_gan
from keras_jpeg_gan.batch.storage import Place, is_unfinished
from keras_jpeg_gan.decoding.files.provenance import differences
from keras_jpeg_gan.decoding.files.report import describe
from keras_jpeg_gan.decoding.restored import Restored
from keras_jpeg_gan.errors import ConfigError

FOLDER = "_manifest"  # readers of Parquet ignore names that begin with _
RESTORED, FAILED = "restored", "failed"

_BEGUN = "_begun-"
_PART = re.compile(r"\d{8}T\d{6}-[0-9a-f]{4}-[0-9a-z-]+\.parquet")

SCHEMA = pa.schema(
    [
        ("name", pa.string()),
        ("size", pa.int64()),
        ("modified", pa.int64()),  # when the input was, in nanoseconds since 1970
        ("sha256", pa.string()),
        ("status", pa.string()),
        ("error", pa.string()),
        ("output", pa.string()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("colour_model", pa.string()),
        ("sampling", pa.string()),
        ("quality", pa.int32()),
        ("exact", pa.bool_()),
        ("levels_equal", pa.int64()),
        ("levels_total", pa.int64()),
        ("largest_violation", pa.float64()),
        ("projection", pa.string()),
        ("warnings", pa.list_(pa.string())),
        ("seconds", pa.float64()),  # that the worker took
        ("decoder_seconds", pa.float64()),  # of these, in the decoder
        ("seed", pa.uint64()),
        ("model", pa.string()),
        ("model_sha256", pa.string()),
        ("settings", pa.string()),
        ("version", pa.string()),
        ("run", pa.string()),
        ("time", pa.timestamp("ms", "UTC")),
    ]
)


@dataclasses.dataclass(frozen=True)
class Totals:
    """What the records of one run add up to."""

    restored: int
    failed: int
    inexact: int
    megapixels: float
    seconds: float


class Manifest:
    """The records in one folder, each part of which is written whole or not at all.

    Args:
        place: the folder.
        run: the name of this run, for its own records and parts.
        settings: what the results of this run depend on besides the files, ready for JSON.
    """

    def __init__(self, place: Place, run: str, settings: Mapping[str, Any]) -> None:
        self._place = place
        self._run = run
        self._settings = dict(settings)

    def add(self, part: str, records: Sequence[Mapping[str, Any]]) -> None:
        """Write records, as from `restored` and `failed`, as a part with this name."""
        same = {
            "settings": json.dumps(self._settings),
            "version": keras_jpeg_gan.__version__,
            "run": self._run,
            "time": datetime.datetime.now(datetime.UTC),
        }
        table = pa.Table.from_pylist([{**record, **same} for record in records], schema=SCHEMA)
        self._place.below(self.part_name(part)).write(parquet(table))

    def mark(self, block: str) -> bool:
        """Mark a block as begun; False if it is marked already."""
        mark = self._mark_of(block)
        if mark.info().is_file:
            return False
        mark.write(b"")
        return True

    def unmark(self, block: str) -> None:
        """Remove a mark: the block is done, or its files will be handed out again."""
        self._mark_of(block).remove()

    def sweep(self) -> None:
        """Remove what a killed run left behind beside the parts."""
        for info in self._place.files():
            if info.base_name.startswith(_BEGUN) or is_unfinished(info.path):
                Place(self._place.filesystem, info.path).remove()

    def _mark_of(self, block: str) -> Place:
        return self._place.below(f"{_BEGUN}{self._run}-{block}")

    def part_name(self, part: str) -> str:
        """The file name of a part of this run, also for Parquet outputs."""
        return f"{self._run}-{part}.parquet"

    def proven(self, outputs: Iterable[str]) -> dict[str, tuple[int, int | None]]:
        """Files whose record says that they are restored and whose output exists.

        Args:
            outputs: all outputs that exist.

        Returns:
            By name, the size of each file and when it had been modified, as it was restored.

        Raises:
            ConfigError: they were restored with other settings, or a part cannot be read.
        """
        table = self._records(["name", "size", "modified", "output", "status", "settings"])
        there, mine = set(outputs), json.dumps(self._settings)
        proven = {}
        for record in table.to_pylist():
            if record["status"] != RESTORED or record["output"] not in there:
                continue
            if record["settings"] != mine:
                raise ConfigError(
                    f"{self._place} is from a run with {self._differences(record['settings'])}: "
                    "give another --output, or --overwrite"
                )
            proven[record["name"]] = (record["size"], record["modified"])
        return proven

    def _differences(self, settings: str) -> str:
        """How the settings of a record differ from these, in words."""
        try:
            found = {name: json.loads(settings)[name] for name in self._settings}
        except (KeyError, TypeError, ValueError):
            return "settings of another version"
        return ", ".join(differences(found, self._settings)) or "settings of another version"

    def outputs(self) -> set[str]:
        """All outputs that are recorded."""
        return set(self._records(["output"])["output"].to_pylist())

    def names_of_run(self) -> set[str]:
        """The names of the files that this run has recorded."""
        return set(self._records(["name"], self._run)["name"].to_pylist())

    def totals(self) -> Totals:
        """The totals of this run."""
        columns = ["status", "exact", "width", "height", "seconds"]
        frame = self._records(columns, self._run).to_pandas()
        restored = frame[frame.status == RESTORED]
        return Totals(
            restored=len(restored),
            failed=len(frame) - len(restored),
            inexact=int((restored.exact == False).sum()),  # noqa: E712  (null: no certificate)
            megapixels=float((restored.width * restored.height).sum() / 1e6),
            seconds=float(restored.seconds.sum()),
        )

    def remove(self) -> None:
        """Delete all records."""
        for info in self._place.files():
            Place(self._place.filesystem, info.path).remove()

    def _records(self, columns: list[str], run: str = "") -> pa.Table:
        """Columns of all parts, or of the parts of one run."""
        below = len(self._place.path) + 1
        paths = [
            info.path
            for info in self._place.files()
            if info.path.endswith(".parquet") and info.path[below:].startswith(run)
        ]
        try:
            dataset = pyarrow.dataset.dataset(
                paths, schema=SCHEMA, filesystem=self._place.filesystem, format="parquet"
            )
            return dataset.to_table(columns=columns)
        except (pa.ArrowException, OSError) as error:
            raise ConfigError(f"{self._place}: {' '.join(str(error).split())}") from error


def is_part(name: str) -> bool:
    """Whether a file is named as a part is, of a manifest or of a Parquet output."""
    return _PART.fullmatch(name) is not None


def restored(made: Restored, **details: Any) -> dict[str, Any]:
    """The record of a restored image; the details are name, size, sha256, output, seconds."""
    described = describe(made, made.seconds)
    found = {key: described[key] for key in described.keys() & set(SCHEMA.names)}
    found |= described["certificate"] or {}
    found["decoder_seconds"] = sum(made.seconds.values())
    return {"status": RESTORED, **found, **details}


def failed(name: str, error: str, **details: Any) -> dict[str, Any]:
    """The record of a file that could not be restored."""
    return {"status": FAILED, "name": name, "error": error, **details}


def parquet(table: pa.Table) -> bytes:
    """A table as the bytes of a Parquet file."""
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()
