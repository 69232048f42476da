"""The files to restore, in a tree or in rows of Parquet files, as one table."""

import dataclasses
import itertools
import os
import pathlib
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from fsspec.utils import glob_translate
from pyarrow import fs

from keras_jpeg_gan.batch.storage import Place, open_place, split_glob
from keras_jpeg_gan.decoding.inputs import SUFFIXES, find_inputs
from keras_jpeg_gan.decoding.outputs import MARK
from keras_jpeg_gan.errors import ConfigError

# One row for each JPEG file. `row` is its row in a Parquet file, or null for a file of its own; the
# `size` of a row is its share of the Parquet file's size.
FILES = pa.schema([("file", pa.string()), ("row", pa.int64()), ("size", pa.int64())])

# Columns of a Parquet output, besides those that are copied from the input.
NAME, IMAGE = "restored_name", "restored"

_PARQUET = ".parquet"
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
        passed_over: how many files are not named as JPEG files.
    """

    root: Place
    table: pa.Table
    problems: list[tuple[str, str]]
    passed_over: int = 0

    def names(self) -> list[str]:
        """The name of each row in the manifest, as `name_of` gives it."""
        files, rows = (self.table[column].to_pylist() for column in ("file", "row"))
        return [name_of(file, row) for file, row in zip(files, rows, strict=True)]


def name_of(file: str, row: int | None) -> str:
    """A unique name for a file (its path below the root), or for a row of a Parquet file."""
    return file if row is None else f"{file.removesuffix(_PARQUET)}/{row:07}"


def output_name(name: str, suffix: str) -> str:
    """Where the restored image goes, below the output folder."""
    path = pathlib.PurePosixPath(name)
    return str(path.with_name(path.stem + MARK + suffix))


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
        root, found = Place(place.filesystem, folder or "/"), {name: place.info().size}
    else:
        found, problems, passed_over = _listed(root, suffixes, local_jpegs=not bytes_column)
    if pattern:
        wanted = re.compile(glob_translate(pattern))
        found = {name: size for name, size in found.items() if wanted.match(name)}
        problems, passed_over = [], 0
    if not found and not problems:
        raise ConfigError(f"{uri}: there is no file named {', '.join(suffixes)}")
    names = sorted(found)
    table = pa.table([names, [None] * len(names), [found[n] for n in names]], schema=FILES)
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


def _listed(
    root: Place, suffixes: tuple[str, ...], local_jpegs: bool
) -> tuple[dict[str, int], list[tuple[str, str]], int]:
    """Sizes by relative name, problems, and how many files have other suffixes."""
    found: dict[str, int] = {}
    if not (local_jpegs and root.is_local):
        below = len(root.path.rstrip("/")) + 1
        files = [(info.path[below:], info.size) for info in root.files()]
        # By Parquet's convention, files whose names begin with . or _ are not data.
        shown = [(name, size) for name, size in files if not re.search(r"(^|/)[._]", name)]
        found = {n: size for n, size in shown if n.lower().endswith(suffixes)}
        return found, [], len(files) - len(found)
    inputs = find_inputs([root.path])
    problems = list(inputs.problems)
    for item in inputs.files:
        name = item.relative.as_posix()
        try:
            name.encode()
            found[name] = os.stat(item.name).st_size
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

    names, sizes = files["file"].to_pylist(), files["size"].to_pylist()
    parts = []
    with ThreadPoolExecutor(_THREADS) as pool:
        for name, size, rows in zip(names, sizes, pool.map(count, names), strict=True):
            if isinstance(rows, Exception):
                problems.append((name, " ".join(str(rows).split())))
                continue
            share = size // max(rows, 1)
            columns = [[name] * rows, range(rows), itertools.repeat(share, rows)]
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
