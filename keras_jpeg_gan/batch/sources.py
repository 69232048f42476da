"""The files to restore, in a tree or in rows of Parquet files, as one table."""

import dataclasses
import itertools
import os
import pathlib
import re
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from fsspec.utils import glob_translate
from pyarrow import fs

from keras_jpeg_gan.batch.storage import Place, open_place, split_glob
from keras_jpeg_gan.decoding.files.inputs import MARK, SUFFIXES, find_inputs
from keras_jpeg_gan.decoding.files.outputs import distinct_stems
from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.system import is_sidecar

# One row for each JPEG file. `row` is its row in a Parquet file, or null for a file of its own; the
# `size` of a row is its share of the Parquet file's size. `modified` is in nanoseconds since 1970,
# or null where the file system does not tell. `stem` is the output's path without mark and suffix.
FILES = pa.schema(
    [
        ("file", pa.string()),
        ("row", pa.int64()),
        ("size", pa.int64()),
        ("modified", pa.int64()),
        ("stem", pa.string()),
    ]
)

# Columns of a Parquet output, besides those that are copied from the input.
NAME, IMAGE = "restored_name", "restored"

_PARQUET = ".parquet"
_State = tuple[int, int | None]  # size, and when it was modified
_THREADS = 16

# Limits of a block, which one worker takes at a time.
_MOST_FILES, _MOST_BYTES = 256, 8_000_000
_BLOCKS_OF_A_WORKER = 8  # at least, so that no worker is left with much while others have nothing


@dataclasses.dataclass
class Sources:
    """Everything that the input names.

    Attributes:
        root: the folder that holds it, at any depth.
        table: of schema `FILES`, sorted by name; names are relative to the root.
        problems: name and reason for each file that cannot be taken.
        passed_over: how many files are not named as JPEG files, are AppleDouble files or
            thumbnails.
    """

    root: Place
    table: pa.Table
    problems: list[tuple[str, str]]
    passed_over: int = 0

    def names(self) -> list[str]:
        """The name of each row in the manifest, as `name_of` gives it."""
        files, rows = (self.table[column].to_pylist() for column in ("file", "row"))
        return [name_of(file, row) for file, row in zip(files, rows, strict=True)]

    def left(
        self, done: Mapping[str, tuple[int, int | None]], refused: Collection[str]
    ) -> np.ndarray:
        """The rows of the table that are still to be restored, [n] int64.

        Args:
            done: by name, the size of each restored file, and when it had been modified. A file
                that has changed since is to be restored again; of a Parquet file, all rows.
            refused: names that are left out.
        """
        states = zip(*(self.table[c].to_pylist() for c in ("row", "size", "modified")), strict=True)
        left = [
            i
            for i, (name, (row, size, modified)) in enumerate(
                zip(self.names(), states, strict=True)
            )
            if name not in refused
            and not (
                name in done
                and done[name][1] == modified
                and (row is not None or done[name][0] == size)
            )
        ]
        return np.array(left, dtype=np.int64)


def name_of(file: str, row: int | None) -> str:
    """A unique name for a file (its path below the root), or for a row of a Parquet file."""
    return file if row is None else f"{file.removesuffix(_PARQUET)}/{row:07}"


def output_of(stem: str, suffix: str) -> str:
    """Where the restored image of a file with this `stem` goes, below the output folder."""
    return f"{stem}{MARK}{suffix}"


def find_sources(uri: str, bytes_column: str | None = None) -> Sources:
    """List the input.

    Args:
        uri: a folder (whose files that are named as JPEG files are taken, at any depth), a glob,
            or a file.
        bytes_column: the column of Parquet files, which are then listed instead of JPEG files.

    Raises:
        ConfigError: there are no such files, or a file does not have the column.
    """
    base, pattern = split_glob(uri)
    place = open_place(base)
    suffixes = (_PARQUET,) if bytes_column else SUFFIXES
    problems: list[tuple[str, str]] = []
    root, passed_over = place, 0
    if place.info().type is fs.FileType.NotFound:
        raise ConfigError(f"{uri}: there is nothing")
    if place.info().is_file:
        folder, _, name = place.path.rpartition("/")
        root, found = Place(place.filesystem, folder or "/"), {name: _state(place.info())}
    else:
        found, problems, passed_over = _listed(root, suffixes, local_jpegs=not bytes_column)
    if pattern:
        wanted = re.compile(glob_translate(pattern))
        found = {name: state for name, state in found.items() if wanted.match(name)}
        problems, passed_over = [], 0
    if not found and not problems:
        raise ConfigError(f"{uri}: there is no file named {', '.join(suffixes)}")
    names = sorted(found)
    sizes, times = ([found[name][i] for name in names] for i in range(2))
    stems = distinct_stems(names)
    columns = [names, [None] * len(names), sizes, times, [stems[name] for name in names]]
    table = pa.table(columns, schema=FILES)
    if bytes_column:
        table = _rows_of(root, table, bytes_column, problems)
    return Sources(root, table, problems, passed_over)


def blocks(sizes: np.ndarray, indices: np.ndarray, workers: int) -> Iterator[np.ndarray]:
    """Cut the files into blocks for the workers, in order.

    Args:
        sizes: [N] bytes of each file.
        indices: [n] of the files that are to be restored.
        workers: how many there are.
    """
    share = _BLOCKS_OF_A_WORKER * workers
    most_bytes = min(_MOST_BYTES, sizes[indices].sum() / share)
    most_files = min(_MOST_FILES, -(-len(indices) // share))
    start, held = 0, 0
    for position, size in enumerate(sizes[indices]):
        if position > start and (position - start >= most_files or held + size > most_bytes):
            yield indices[start:position]
            start, held = position, 0
        held += size
    if len(indices):
        yield indices[start:]


def read_rows(place: Place, rows: list[int], columns: list[str] | None) -> Iterator[pa.RecordBatch]:
    """Read rows of a Parquet file, in order, each as a batch of one row.

    Args:
        place: the file.
        rows: their numbers, ascending.
        columns: which columns to read, or None for all.
    """
    wanted = iter(rows)
    row = next(wanted, None)
    with place.filesystem.open_input_file(place.path) as file:
        reader, first = pq.ParquetFile(file), 0
        for group in range(reader.num_row_groups):
            count = reader.metadata.row_group(group).num_rows
            if row is not None and row < first + count:
                position = first
                for batch in reader.iter_batches(64, row_groups=[group], columns=columns):
                    while row is not None and row < position + len(batch):
                        yield batch.slice(row - position, 1)
                        row = next(wanted, None)
                    position += len(batch)
            first += count


def _state(info: fs.FileInfo) -> _State:
    return info.size, info.mtime_ns


def _listed(
    root: Place, suffixes: tuple[str, ...], local_jpegs: bool
) -> tuple[dict[str, _State], list[tuple[str, str]], int]:
    """States by relative name, problems, and how many files are passed over."""
    found: dict[str, _State] = {}
    if not (local_jpegs and root.is_local):
        below = len(root.path.rstrip("/")) + 1
        files = [(info.path[below:], _state(info)) for info in root.files()]
        # By Parquet's convention, files whose names begin with . or _ are not data.
        shown = [
            (name, state)
            for name, state in files
            if not re.search(r"(^|/)[._]", name) and not is_sidecar(pathlib.PurePosixPath(name))
        ]
        found = {name: state for name, state in shown if name.lower().endswith(suffixes)}
        return found, [], len(files) - len(found)
    inputs = find_inputs([root.path])
    problems = list(inputs.problems)
    for item in inputs.files:
        name = item.relative.as_posix()
        try:
            name.encode()
            status = os.stat(item.name)
            found[name] = status.st_size, status.st_mtime_ns
        except UnicodeEncodeError:
            problems.append((ascii(name), "its name is not UTF-8: rename it"))
        except OSError as error:
            problems.append((name, error.strerror or str(error)))
    return found, problems, inputs.passed_over


def _rows_of(
    root: Place, files: pa.Table, bytes_column: str, problems: list[tuple[str, str]]
) -> pa.Table:
    """The table of all rows of Parquet files; those that cannot be read are added to problems."""

    def count(name: str) -> int | Exception:
        place = root.below(name)
        try:
            with place.filesystem.open_input_file(place.path) as file:
                reader = pq.ParquetFile(file)
                _check_column(reader.schema_arrow, bytes_column, name)
                return reader.metadata.num_rows
        except (OSError, pa.ArrowException) as error:
            return error

    names, sizes, times = (files[c].to_pylist() for c in ("file", "size", "modified"))
    parts = []
    with ThreadPoolExecutor(_THREADS) as pool:
        counts = pool.map(count, names)
        for name, size, modified, rows in zip(names, sizes, times, counts, strict=True):
            if isinstance(rows, Exception):
                problems.append((name, " ".join(str(rows).split())))
                continue
            share = size // max(rows, 1)
            same = (itertools.repeat(value, rows) for value in (share, modified))
            stems = (name_of(name, row) for row in range(rows))
            columns = [itertools.repeat(name, rows), range(rows), *same, stems]
            parts.append(pa.table(list(map(list, columns)), schema=FILES))
    return pa.concat_tables(parts) if parts else FILES.empty_table()


def _check_column(schema: pa.Schema, bytes_column: str, name: str) -> None:
    """Refuse a file without this column of bytes; a dot leads into a struct."""
    field: Any = schema
    for part in bytes_column.split("."):
        fields = field if isinstance(field, pa.Schema) else field.type
        if isinstance(fields, pa.DataType) and not pa.types.is_struct(fields):
            index = -1
        else:
            index = fields.get_field_index(part)
        if index < 0:
            there = ", ".join(schema.names)
            raise ConfigError(f"{name}: there is no column {bytes_column} (it has {there})")
        field = fields.field(index)
    taken = {NAME, IMAGE} & set(schema.names)
    if taken:
        raise ConfigError(f"{name}: column {min(taken)} would be overwritten: rename it")
    if not (pa.types.is_binary(field.type) or pa.types.is_large_binary(field.type)):
        raise ConfigError(f"{name}: column {bytes_column} is {field.type}, not binary")
