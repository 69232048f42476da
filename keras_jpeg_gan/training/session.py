"""A training from its config: its data, its first weights, and where it resumes."""

import json
import pathlib
from collections.abc import Callable, Iterable
from typing import Any

import keras
import numpy as np
from absl import logging

from keras_jpeg_gan.data.catalog import open_source
from keras_jpeg_gan.data.examples import PatchDistribution, example_batch
from keras_jpeg_gan.data.sources import Selection, split
from keras_jpeg_gan.layers.noise import enlarge_noise_rows
from keras_jpeg_gan.models.base import BaseGenerator
from keras_jpeg_gan.models.saving import load_weights
from keras_jpeg_gan.training import checkpoints, loop, plan
from keras_jpeg_gan.training.monitor import Board
from keras_jpeg_gan.training.pictures import Pictures
from keras_jpeg_gan.training.validation import Validation
from keras_jpeg_gan.versions import code_sha256, versions


class Data:
    """What a config trains and validates on.

    Attributes:
        training, validating: the photographs, by whether they are held back.
        patches: how patches are drawn from them and compressed.

    Raises:
        ConfigError: there is no such data, or a setting is wrong.
    """

    def __init__(self, config: Any) -> None:
        plan.check(config)
        self.patches = PatchDistribution.from_config(config)
        source = open_source(config.images, config.cache_mb)
        self.training: Selection
        self.validating: Selection
        self.training, self.validating = split(source, config.validation_share)

    def photographs(self, seed: int) -> np.ndarray:
        """The first originals of a training: [16, S, S, 3] in [0, 1]."""
        originals = example_batch(self.training, self.patches, seed, range(16))["original"]
        return originals.astype(np.float32) / 255


def initialize(generator: BaseGenerator, config: Any) -> None:
    """Assign the weights that the config starts from; without any, fresh ones stay.

    A fresh sampler has no regression to stay close to, so that its noise starts at full scale.

    Raises:
        ModelError: they cannot be loaded.
    """
    if config.initial_weights:
        load_weights(generator, pathlib.Path(config.initial_weights))
    elif config.method == "sampler":
        enlarge_noise_rows(generator)


class Session:
    """A training on a backend, from its first weights or its newest checkpoint.

    Args:
        config, workdir: as `loop.run`; the folder is made if it is not there.
        data: the config's.
        make: makes the backend's step, with fresh weights.

    Attributes:
        first: the step that it starts from.

    Raises:
        ConfigError: a setting is wrong, or the checkpoint belongs to another model.
        ModelError: weights cannot be loaded.
    """

    def __init__(
        self, config: Any, workdir: pathlib.Path, data: Data, make: Callable[[], loop.Step]
    ) -> None:
        self.config = config
        self.workdir = workdir
        workdir.mkdir(parents=True, exist_ok=True)
        keras.utils.set_random_seed(config.seed)  # of the fresh weights
        self.step = make()
        initialize(self.step.generator, config)
        networks = getattr(self.step, "networks", None)
        if networks is not None and networks.perceptual is not None:
            networks.perceptual.normalize(data.photographs(config.seed))
        self.validation = Validation.from_config(config, data.validating)
        # Made now: they show what the first weights give beside all later ones.
        self.pictures = Pictures.from_config(config, self.validation, self.step)
        self.first = checkpoints.restore_latest(workdir / "checkpoints", self.step.variables)
        if self.first:
            logging.info("resumed at step %d", self.first)

    def run(
        self, batches: Iterable[Any], board: Board | None = None, chief: bool = True
    ) -> dict[str, float]:
        """Train until config.steps, as `loop.run`; the last validation's figures.

        The chief first adds a line to workdir/runs.jsonl: the step, the whole config, versions,
        and a hash of this library's code.
        """
        if chief:
            known = {"step": self.first, "config": self.config.to_dict(), "code": code_sha256()}
            with (self.workdir / "runs.jsonl").open("a") as file:
                file.write(json.dumps(known | {"versions": versions()}) + "\n")
        return loop.run(
            self.config, self.workdir, self.step, batches, self.first, self.validation,
            self.pictures, board, chief,
        )  # fmt: skip
