"""Passes over the files: Ray Data gives blocks to workers, and what is lost is done again.

When a worker dies, Ray gives its block to another one, which finds the mark that the block was
begun and leaves it alone: whatever killed the first worker would kill the next. The files of such
a block are tried once more, each in a block of its own; a file that is lost again is recorded as
failed. Files that are too large for a worker's memory are left for a later pass, of fewer workers
with more memory.
"""

import logging
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from keras_jpeg_gan.batch import cluster, manifest
from keras_jpeg_gan.batch.cluster import Share
from keras_jpeg_gan.batch.sources import Sources, blocks, name_of
from keras_jpeg_gan.batch.worker import Job, Worker
from keras_jpeg_gan.errors import ConfigError, ModelError

_KILLER = "its worker died on it twice: out of memory, or a crash in a library"


class Engine:
    """Restores the files of a job on a running Ray.

    Args:
        job: what to do.
        sources: the files.
        workers: how many, or None for as many as there is room for.
        cpus, gpus: of each worker.
        megapixels: larger files are left for a later pass.
        report: called with each outcome (a row of `worker.OUTCOME`).
    """

    def __init__(
        self,
        job: Job,
        sources: Sources,
        workers: int | None,
        cpus: float,
        gpus: float,
        megapixels: float,
        report: Callable[[dict[str, Any]], None],
    ) -> None:
        self._job = job
        self._table = sources.table
        self._sizes = sources.table["size"].to_numpy()
        self._workers = workers
        self._cpus, self._gpus = cpus, gpus
        self._megapixels = megapixels
        self._report = report
        self._passes = 0

    def check_room(self) -> int:
        """How many workers the first pass has.

        Raises:
            ConfigError: there is not enough room for them, or for a single one.
        """
        share = self._share(self._megapixels)
        room = cluster.room_for(share)
        if room < (self._workers or 1):
            raise ConfigError(
                f"{self._workers or 1} workers need {share} each; there is room for {room} "
                f"(the largest node has {cluster.largest_node()}): lower --workers, "
                "--worker_cpus, --worker_gpus or --worker_megapixels"
            )
        return self._workers or room

    def restore(self, todo: np.ndarray) -> None:
        """Restore files.

        Args:
            todo: [n] rows of the sources' table.

        Raises:
            ModelError: the model cannot be loaded, or nothing can be written.
        """
        waiting = {self._megapixels: todo}
        while waiting:
            megapixels = min(waiting)
            indices = waiting.pop(megapixels)
            lost = self._pass(indices, megapixels, waiting, alone=megapixels > self._megapixels)
            while len(lost):
                nodes = cluster.alive_nodes()
                lost = self._pass(lost, megapixels, waiting, alone=True)
                if nodes <= cluster.alive_nodes():
                    self._set_aside(lost, _KILLER)
                    break

    def _pass(
        self, indices: np.ndarray, megapixels: float, waiting: dict[float, np.ndarray], alone: bool
    ) -> np.ndarray:
        """Give files to the workers once.

        Args:
            indices: the files.
            megapixels: the size of image that the workers have memory for.
            waiting: files by the size that their pass is for; larger ones are added to it.
            alone: whether each file gets a block of its own.

        Returns:
            The files that were begun and not finished.
        """
        share = self._share(megapixels)
        room = cluster.room_for(share)
        if not room:
            self._set_aside(indices, f"restoring it needs {share}: no node has as much")
            return indices[:0]
        workers = min(self._workers or room, room)
        self._passes += 1
        pieces = np.split(indices, len(indices)) if alone else blocks(self._sizes, indices, workers)
        given = {f"{self._passes:02}-{i:06}": piece for i, piece in enumerate(pieces)}
        for outcome in self._outcomes(given, megapixels, share, min(workers, len(given))):
            if outcome["fatal"]:
                raise ModelError(outcome["fatal"])
            self._job.manifest.unmark(outcome["block"])
            if outcome["lost"]:
                continue
            piece = given.pop(outcome["block"])
            for position, size in zip(outcome["larger"], outcome["larger_megapixels"], strict=True):
                grown = megapixels * 2.0 ** math.ceil(math.log2(size / megapixels))
                before = waiting.get(grown, indices[:0])
                waiting[grown] = np.append(before, piece[position])
            self._report(outcome)
        if not given:
            return indices[:0]
        lost = np.concatenate(list(given.values()))
        recorded = self._job.manifest.names_of_run()
        return np.array([i for i in lost if self._name(i) not in recorded], dtype=indices.dtype)

    def _outcomes(
        self, given: dict[str, np.ndarray], megapixels: float, share: Share, workers: int
    ) -> Iterator[dict[str, Any]]:
        """What the workers return, in the order in which they finish."""
        import ray
        from ray.data import ActorPoolStrategy, DataContext

        context = DataContext.get_current()
        context.enable_progress_bars = False
        context.print_on_execution_start = False
        logging.getLogger("ray.data").setLevel(logging.getLogger("ray").level)
        rows = [
            pa.table({"block": [block], "files": [self._table.take(piece).to_pylist()]})
            for block, piece in given.items()
        ]
        outcomes = ray.data.from_arrow(rows).map_batches(
            Worker,
            fn_constructor_args=(self._job, megapixels),
            batch_size=1,
            batch_format="pyarrow",
            compute=ActorPoolStrategy(size=workers),
            num_cpus=share.cpus,
            num_gpus=share.gpus or None,
            memory=share.memory,
        )
        yield from outcomes.iter_rows()

    def _share(self, megapixels: float) -> Share:
        return Share(self._cpus, self._gpus, cluster.memory_for(megapixels, self._job.runtime))

    def _name(self, index: int) -> str:
        return name_of(self._table["file"][index].as_py(), self._table["row"][index].as_py())

    def _set_aside(self, indices: np.ndarray, error: str) -> None:
        """Record that files cannot be restored."""
        if not len(indices):
            return
        records = [manifest.failed(self._name(i), error) for i in indices]
        self._passes += 1
        self._job.manifest.add(f"{self._passes:02}-aside", records)
        size = int(self._sizes[indices].sum())
        count = len(indices)
        self._report({"files": count, "failed": count, "megapixels": 0.0, "bytes": size})
