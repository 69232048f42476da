"""Trains on JAX: `main(IMAGES, TRAININGS)`, for a process of its own.

TRAININGS is JSON: a list of {"method", "workdir", "changes" to the config, "interrupt"}; the last
two are optional. Each training's workdir gets outcome.json, the message of the error that ended
it or null, and restored.npy, what the averaged generator of its newest checkpoint makes of
`tiny.probe`. `interrupt` is the step in which Ctrl-C is pressed.
"""

import itertools
import json
import pathlib
import signal
from collections.abc import Callable
from typing import Any
from unittest import mock

import numpy as np

from keras_jpeg_gan.errors import JpegGanError
from keras_jpeg_gan.training import checkpoints
from keras_jpeg_gan.training.jax import run, steps
from tests.training import tiny


def pressing(step: int) -> Any:
    """Within, Ctrl-C is pressed when a step has been computed and nobody has its results yet."""
    advance = steps._Step._advance
    calls = itertools.count()

    def pressed(self: Any, function: Callable, *arguments: Any) -> dict[str, Any]:
        def computed(*given: Any) -> Any:
            result = function(*given)
            if next(calls) == step:
                signal.raise_signal(signal.SIGINT)
            return result

        return advance(self, computed, *arguments)

    return mock.patch.object(steps._Step, "_advance", pressed)


def train(
    images: str,
    method: str,
    workdir: str,
    changes: dict[str, Any] | None = None,
    interrupt: int = -1,
) -> None:
    """One of the trainings."""
    settings = {"steps": 4, "checkpoint_every": 2, "log_every": 1, "validate_every": 4,
                "pictures_every": 4, "pictures": 1, "moment_every": 1}  # fmt: skip
    config = tiny.CONFIGS[method](images, **settings | (changes or {}))
    config.sampling = {"4:2:0": 1.0}  # C for one sampling compiles in half the time
    folder, outcome = pathlib.Path(workdir), None
    try:
        with pressing(interrupt):
            run.train(config, folder)
        step = steps.STEPS[method](config)
        checkpoints.restore_latest(folder / "checkpoints", step.variables)
        with step.averaged_weights():
            np.save(folder / "restored.npy", step.restore(*tiny.probe(step.generator)))
    except JpegGanError as error:
        outcome = str(error)
    except KeyboardInterrupt:
        outcome = "interrupted"
    (folder / "outcome.json").write_text(json.dumps(outcome))


def main(images: str, trainings: str) -> None:
    tiny.make_small()
    for training in json.loads(trainings):
        train(images, **training)
