"""A training on JAX, from its config."""

import pathlib
from typing import Any

from keras_jpeg_gan.data.examples import stream
from keras_jpeg_gan.training.jax.steps import STEPS
from keras_jpeg_gan.training.session import Data, Session


def train(config: Any, workdir: pathlib.Path) -> dict[str, float]:
    """Train until config.steps; resume from the newest checkpoint in workdir.

    Numbers go to metrics.jsonl only, and the noise is not the same as in TensorFlow. Everything
    else is, and each backend resumes from the other's checkpoints.

    Returns:
        The last validation's figures.

    Raises:
        ConfigError: a setting is wrong. Others as `loop.run`.
    """
    data = Data(config)
    session = Session(config, workdir, data, lambda: STEPS[config.method](config))
    batches = stream(data.training, data.patches, config.seed, config.batch, session.first)
    return session.run(batches)
