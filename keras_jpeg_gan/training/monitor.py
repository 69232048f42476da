"""What a training shows: a line on the terminal and JSON lines with the same numbers."""

import json
import pathlib
import time

from absl import logging


class Monitor:
    """Averages scalars between two reports and tells speed and the time left.

    Args:
        path: a file of JSON lines that grows by one record a report.
        first_step: the step that the run starts from.
        steps: the step that it ends with.
        batch: images a step.
    """

    def __init__(self, path: pathlib.Path, first_step: int, steps: int, batch: int) -> None:
        self._path = path
        self._steps = steps
        self._batch = batch
        self._step = first_step
        self._time = time.monotonic()

    def report(self, step: int, scalars: dict[str, float]) -> None:
        """Print and write the numbers of the steps since the last report."""
        now = time.monotonic()
        rate = (step - self._step) / max(now - self._time, 1e-9)
        self._step, self._time = step, now
        left = (self._steps - step) / rate if rate else 0.0
        numbers = " ".join(f"{name} {value:.5g}" for name, value in scalars.items())
        logging.info(
            "step %d/%d %s %.0f patches/s, %s left",
            step, self._steps, numbers, rate * self._batch, time_words(left),
        )  # fmt: skip
        self.write(step, {**scalars, "patches_per_second": rate * self._batch})

    def validation(self, step: int, scalars: dict[str, float]) -> None:
        """Print and write validation figures; the time that they took counts for no speed."""
        numbers = " ".join(f"{name} {value:.3f}" for name, value in scalars.items())
        logging.info("step %d/%d validation: %s", step, self._steps, numbers)
        self.write(step, scalars)
        self._time = time.monotonic()

    def write(self, step: int, scalars: dict[str, float]) -> None:
        """Append one record to the JSON lines."""
        with self._path.open("a") as file:
            file.write(json.dumps({"step": step, **scalars}) + "\n")


def time_words(seconds: float) -> str:
    """Hours and minutes, or minutes and seconds: "2 h 05 min", "3 min 20 s"."""
    if seconds >= 3600:
        return f"{int(seconds // 3600)} h {int(seconds % 3600 // 60):02d} min"
    return f"{int(seconds // 60)} min {int(seconds % 60):02d} s"
