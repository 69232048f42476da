"""One section's contenders, measured in turns."""

import dataclasses
import functools
import sys
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from benchmarks.inputs import Settings
from benchmarks.processes import Command, ContenderError, Worker, interleaved


@dataclasses.dataclass
class Run:
    """How to measure, and the facts collected on the way.

    Attributes:
        settings: settings of the processes.
        repeats: how often each task is measured.
        torch_python: an interpreter that has PyTorch.
        waifu2x_python: an interpreter that has ncnn with waifu2x, or "".
        facts: versions.
        remarks: contenders that were left out, with the reason.
    """

    settings: Settings
    repeats: int
    torch_python: str = sys.executable
    waifu2x_python: str = ""
    facts: dict[str, str] = dataclasses.field(default_factory=dict)
    remarks: list[str] = dataclasses.field(default_factory=list)

    def leave_out(self, error: ContenderError) -> None:
        """Report and record why a contender is missing."""
        print(error, file=sys.stderr, flush=True)
        self.remarks.append(str(error))


@dataclasses.dataclass(frozen=True)
class Measured:
    """Figures by contender: "MODULE TASK", or the name of a command.

    Attributes:
        seconds: the fastest of all repeats.
        peak_mb: peak memory of the process, in MB.
        results: first results of the tasks to compare, flattened.
    """

    seconds: dict[str, float]
    peak_mb: dict[str, float]
    results: dict[str, np.ndarray]

    def difference(self, contender: str, ours: str, relative: bool = False) -> float | None:
        """The largest difference between two results, if both were kept."""
        if contender == ours or not {contender, ours} <= self.results.keys():
            return None
        a, b = self.results[contender], self.results[ours]
        errors = np.abs(a - b) / (np.abs(b) if relative else 1)
        return float(errors.max())


def measure(
    run: Run,
    modules: Sequence[str],
    compared: Sequence[str] = (),
    untimed: Sequence[str] = (),
    commands: Mapping[str, Command] | None = None,
) -> Measured:
    """Start the modules' workers, measure their tasks and the commands in turns, and end them.

    Args:
        modules: modules of this package; all but the first may be unavailable.
        compared: tasks whose first results are kept.
        untimed: tasks that are compared but not timed.
        commands: by name.

    Raises:
        ContenderError: the first module is not available, or a worker fails.
    """
    workers: dict[str, Worker] = {}
    contenders: dict[str, Callable[[], float]] = {}
    results, peaks = {}, {}
    try:
        for module in modules:
            python = run.torch_python if module.endswith("_torch") else sys.executable
            try:
                workers[module] = Worker(module, run.settings, python)
            except ContenderError as error:
                if module == modules[0]:
                    raise
                run.leave_out(error)
                continue
            run.facts |= workers[module].facts
            for task in workers[module].tasks:
                name = f"{module} {task}"
                if task in compared:
                    results[name] = workers[module].result(task)
                if task not in untimed:
                    workers[module].seconds(task)  # the first time does not count
                    contenders[name] = functools.partial(workers[module].seconds, task)
        for name, command in (commands or {}).items():
            try:
                command.seconds()
            except ContenderError as error:
                run.leave_out(error)
            else:
                contenders[name] = command.seconds
        seconds = interleaved(contenders, run.repeats)
        for name in contenders:
            module = name.split()[0]
            if module in workers and module not in peaks:
                peaks[module] = workers[module].peak_mb()
        by_contender = {
            name: commands[name].peak_mb
            if commands and name in commands
            else peaks[name.split()[0]]
            for name in contenders
        }
    finally:
        for worker in workers.values():
            worker.end()
    return Measured(seconds, by_contender, results)
