"""What a training reports: terminal lines, the same numbers as JSON lines, and pictures."""

import json
import pathlib
import time
from typing import Protocol

import numpy as np
from absl import logging
from PIL import Image


class Board(Protocol):
    """Where else numbers and pictures go, such as TensorBoard."""

    def scalars(self, step: int, values: dict[str, float]) -> None:
        """Take numbers by name."""

    def picture(self, step: int, pixels: np.ndarray) -> None:
        """Take a picture [H, W, 3] uint8."""


class Monitor:
    """Reports scalars with the speed and the time left.

    Args:
        workdir: metrics.jsonl there gets one record per report, pictures/ the pictures.
        first_step: the step that the run starts from.
        steps: the step that it ends with.
        batch: images per step.
        board: also gets everything, if there is one.
    """

    def __init__(
        self,
        workdir: pathlib.Path,
        first_step: int,
        steps: int,
        batch: int,
        board: Board | None = None,
    ) -> None:
        self._workdir = workdir
        self._board = board
        self._steps = steps
        self._batch = batch
        self._step = first_step
        self._time = time.monotonic()

    def report(self, step: int, scalars: dict[str, float]) -> None:
        """Print and write the means over the steps since the last report."""
        now = time.monotonic()
        rate = (step - self._step) / max(now - self._time, 1e-9)
        self._step, self._time = step, now
        left = (self._steps - step) / rate if rate else 0.0
        numbers = " ".join(f"{name} {value:.5g}" for name, value in scalars.items())
        logging.info(
            "step %d/%d %s %.0f patches/s, %s left",
            step, self._steps, numbers, rate * self._batch, time_words(left),
        )  # fmt: skip
        self._write(step, {**scalars, "patches_per_second": rate * self._batch}, "training")

    def validation(self, step: int, scalars: dict[str, float]) -> None:
        """Print and write validation figures; their time is not counted in the speed."""
        numbers = " ".join(f"{name} {value:.3f}" for name, value in scalars.items())
        logging.info("step %d/%d validation: %s", step, self._steps, numbers)
        self._write(step, scalars, "validation")
        self._time = time.monotonic()

    def picture(self, step: int, pixels: np.ndarray) -> None:
        """Write a picture [H, W, 3] uint8; its time is not counted in the speed."""
        folder = self._workdir / "pictures"
        folder.mkdir(exist_ok=True)
        Image.fromarray(pixels).save(folder / f"step_{step:08d}.png")
        if self._board:
            self._board.picture(step, pixels)
        self._time = time.monotonic()

    def _write(self, step: int, scalars: dict[str, float], group: str) -> None:
        with (self._workdir / "metrics.jsonl").open("a") as file:
            file.write(json.dumps({"step": step, **scalars}) + "\n")
        if self._board:
            self._board.scalars(step, {f"{group}/{name}": v for name, v in scalars.items()})


def time_words(seconds: float) -> str:
    """Hours and minutes, or minutes and seconds: "2 h 05 min", "3 min 20 s"."""
    if seconds >= 3600:
        return f"{int(seconds // 3600)} h {int(seconds % 3600 // 60):02d} min"
    return f"{int(seconds // 60)} min {int(seconds % 60):02d} s"
