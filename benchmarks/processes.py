"""Contenders in separate processes, which share neither threads nor memory."""

import dataclasses
import json
import os
import pathlib
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.inputs import Settings
from keras_jpeg_gan.errors import JpegGanError

_ROOT = pathlib.Path(__file__).parents[1]

# The timed functions of a worker's module, by name; they return what can be compared.
Tasks = Mapping[str, Callable[[], Any]]


class ContenderError(JpegGanError):
    """A contender is not available, or has failed."""


class Worker:
    """A module of this package whose tasks run in a separate process.

    Args:
        module: its name; its `prepare(settings)` returns the `Tasks`.
        python: the interpreter to run it with.

    Raises:
        ContenderError: a package that it needs is missing, or it fails.
    """

    def __init__(self, module: str, settings: Settings, python: str = sys.executable) -> None:
        self.module = module
        self._scratch = pathlib.Path(settings.scratch)
        self._errors = open(self._scratch / f"{module}.stderr", "w+")  # noqa: SIM115
        arguments = [module, json.dumps(dataclasses.asdict(settings))]
        try:
            self._process = subprocess.Popen(
                [python, "-m", "benchmarks.worker", *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                text=True,
                cwd=_ROOT,
                env=environment(settings.threads),
            )
        except OSError as error:
            raise ContenderError(f"{module} skipped: {python}: {error.strerror}") from error
        ready = self._answer()
        self.facts: dict[str, str] = ready["facts"]
        self.tasks: list[str] = ready["tasks"]

    def seconds(self, task: str) -> float:
        """The fastest time of a turn, from `worker.fastest`."""
        return self._ask({"task": task})["seconds"]

    def result(self, task: str) -> np.ndarray:
        """Run a task once and return its result, flattened."""
        path = self._scratch / f"{self.module}_{task}.npy"
        self._ask({"task": task, "save": str(path)})
        return np.load(path)

    def peak_mb(self) -> float:
        """Peak memory of the process so far, in MB."""
        return self._ask({"peak": True})["peak_mb"]

    def end(self) -> None:
        """End the process, even if it is busy."""
        self._process.kill()
        self._process.communicate()
        self._errors.close()

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        print(json.dumps(request), file=self._process.stdin, flush=True)
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            self._process.wait()
            self._errors.seek(0)
            last = (self._errors.read().strip().splitlines() or ["no reason given"])[-1]
            raise ContenderError(f"{self.module}: {last}")
        answer = json.loads(line)
        if "missing" in answer:
            self._process.wait()
            raise ContenderError(f"{self.module} skipped: {answer['missing']}")
        return answer


class Command:
    """A program that is started for each measurement.

    Args:
        arguments: the command line, program name first.
        threads: how many it may use.
    """

    def __init__(self, arguments: Sequence[str], threads: int) -> None:
        self._arguments = arguments
        self._environment = environment(threads)
        self.peak_mb = 0.0

    def seconds(self) -> float:
        """Run it; seconds from start to end.

        Raises:
            ContenderError: it cannot be started, or fails.
        """
        start = time.perf_counter()
        try:
            process = subprocess.Popen(
                self._arguments,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd=_ROOT,
                env=self._environment,
            )
        except OSError as error:
            raise ContenderError(f"{self._arguments[0]} skipped: {error.strerror}") from error
        _, status, usage = os.wait4(process.pid, 0)
        spent = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if status:
            raise ContenderError(f"{self._arguments[0]}: exit status {process.returncode}")
        self.peak_mb = max(self.peak_mb, usage.ru_maxrss * 1024 / 1e6)
        return spent


def environment(threads: int) -> dict[str, str]:
    """Environment of a process whose libraries use that many threads."""
    names = (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "TF_NUM_INTRAOP_THREADS",
    )
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow"}
    return {**os.environ, **dict.fromkeys(names, str(threads)), **quiet}


def interleaved(contenders: Mapping[str, Callable[[], float]], repeats: int) -> dict[str, float]:
    """The fastest of each; contenders take turns, so that other load affects all alike."""
    found = {name: [measure()] for name, measure in contenders.items()}
    for _ in range(repeats - 1):
        for name, measure in contenders.items():
            found[name].append(measure())
    return {name: min(seconds) for name, seconds in found.items()}
