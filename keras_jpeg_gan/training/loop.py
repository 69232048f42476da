"""The loop around a training step, the same for every backend and method."""

import contextlib
import math
import pathlib
import signal
import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np
from absl import logging

from keras_jpeg_gan.errors import JpegGanError
from keras_jpeg_gan.models.base import BaseGenerator
from keras_jpeg_gan.models.saving import save_model
from keras_jpeg_gan.training import checkpoints
from keras_jpeg_gan.training.monitor import Board, Monitor
from keras_jpeg_gan.training.pictures import Pictures
from keras_jpeg_gan.training.validation import Validation

# Logits beyond this mean that the critic explodes.
LARGEST_LOGIT = 1e3


class DivergenceError(JpegGanError):
    """The training has failed: a loss is not a number, or the critic explodes."""


class Step(Protocol):
    """One optimizer step of a method on a backend.

    Attributes:
        generator: the network that is trained.
    """

    generator: BaseGenerator

    @property
    def variables(self) -> dict[str, Any]:
        """As `checkpoints.variables`; they may be assigned to."""

    def __call__(self, batch: Any, number: int) -> dict[str, Any]:
        """Take step `number` (from 0) on a batch; returns means over the batch by name."""

    def averaged_weights(self) -> contextlib.AbstractContextManager[None]:
        """Within, the generator has the moving averages of its weights."""

    def restore(self, image: np.ndarray, tables: np.ndarray, noise: Any = None) -> Any:
        """Run the generator, compiled."""


def run(
    config: Any,
    workdir: pathlib.Path,
    step_function: Step,
    batches: Iterable[Any],
    first: int,
    validation: Validation,
    pictures: Pictures | None = None,
    board: Board | None = None,
    chief: bool = True,
) -> dict[str, float]:
    """Train from step `first` until config.steps.

    Writes workdir/checkpoints, workdir/metrics.jsonl, workdir/pictures and, at each validation,
    workdir/generator.weights.h5 (averaged weights) with its card. Ctrl-C lets the step end and
    writes a checkpoint; a second Ctrl-C ends the process at once.

    Args:
        batches: endless, from step `first` on.
        pictures: made from the averaged weights every config.pictures_every steps.
        board: where numbers and pictures also go.
        chief: whether this one of several workers validates and writes.

    Returns:
        The last validation's figures; none where another worker validates.

    Raises:
        DivergenceError: a loss is not finite, or the critic explodes.
        KeyboardInterrupt: after the checkpoint is written.
    """
    folder = workdir / "checkpoints"
    noise_sizes = step_function.generator.noise_sizes(*[config.validation_size] * 2)
    monitor = Monitor(workdir, first, config.steps, config.batch, board)
    figures: dict[str, float] = {}
    collected: dict[str, list[Any]] = {}
    step = first
    try:
        with _whole_steps() as pressed:
            for batch in batches:
                if pressed:
                    raise KeyboardInterrupt
                if step >= config.steps:
                    break
                for name, value in step_function(batch, step).items():
                    collected.setdefault(name, []).append(value)
                step += 1
                if step % config.log_every == 0:
                    means = {
                        name: float(np.mean([np.asarray(value) for value in values]))
                        for name, values in collected.items()
                    }
                    collected = {}
                    _stop_on_divergence(means, step, folder)
                    if chief:
                        monitor.report(step, means)
                if chief and (step % config.validate_every == 0 or step == config.steps):
                    with step_function.averaged_weights():
                        figures = validation(step_function.restore, noise_sizes)
                        save_model(
                            step_function.generator,
                            workdir / "generator.weights.h5",
                            kind=config.method,
                            trained={"steps": step, "config": _trained_by(config)},
                            validation=figures,
                        )
                    monitor.validation(step, figures)
                if chief and pictures and step % config.pictures_every == 0:
                    with step_function.averaged_weights():
                        picture = pictures(step_function.restore)
                    monitor.picture(step, picture)
                if chief and (step % config.checkpoint_every == 0 or step == config.steps):
                    checkpoints.save(folder, step, step_function.variables)
    except KeyboardInterrupt:
        if chief:
            path = checkpoints.save(folder, step, step_function.variables)
            logging.info("interrupted; %s", path.name)
        raise
    return figures


@contextlib.contextmanager
def _whole_steps() -> Iterator[list[int]]:
    """Within, Ctrl-C only adds its signal to the yielded list; a second one ends the process.

    In the middle of a step there is no state to write: some variables belong to this step, some
    to the next, and what was donated to the next is gone.
    """
    pressed: list[int] = []

    def note(number: int, _: object) -> None:
        pressed.append(number)
        signal.signal(number, signal.SIG_DFL)

    # Only Python's own handler is replaced, and only the main thread can do that.
    before = signal.getsignal(signal.SIGINT)
    in_main_thread = threading.current_thread() is threading.main_thread()
    if before is not signal.default_int_handler or not in_main_thread:
        yield pressed
        return
    signal.signal(signal.SIGINT, note)
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def averaged(optimizer: Any, variables: Sequence[Any]) -> Iterator[None]:
    """Within, Keras variables hold the moving averages that their optimizer keeps."""
    current = [variable.numpy() for variable in variables]
    optimizer.finalize_variable_values(variables)
    try:
        yield
    finally:
        for variable, value in zip(variables, current, strict=True):
            variable.assign(value)


def _stop_on_divergence(means: dict[str, float], step: int, folder: pathlib.Path) -> None:
    wrong = [name for name, value in means.items() if not math.isfinite(value)]
    wrong += [
        name
        for name, value in means.items()
        if name.startswith("logit") and abs(value) > LARGEST_LOGIT
    ]
    if wrong:
        good = checkpoints.newest(folder)
        raise DivergenceError(
            f"{wrong[0]} is {means[wrong[0]]} by step {step}; last good checkpoint: "
            f"{'step ' + str(good[0]) if good else 'none'}"
        )


def _trained_by(config: Any) -> dict[str, Any]:
    """The config as JSON can hold it, without paths."""
    paths = ("images", "initial_weights", "estimate_weights", "feature_weights")
    return {key: value for key, value in config.to_dict().items() if key not in paths}
