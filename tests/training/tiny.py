"""Trainings of a second, for the tests and for the processes that they start."""

import pathlib
from typing import Any

import keras
import numpy as np
from PIL import Image

from configs import default
from keras_jpeg_gan.models import critic
from keras_jpeg_gan.models.presets import PRESETS, Preset

TINY = Preset(
    "MultiscaleGenerator", {"widths": (4, 6), "depths": (1, 1, 1), "table_width": 8}, 1684, 0.0
)


def make_small() -> None:
    """Add the preset "tiny", and leave the critic four of its sixteen blocks."""
    PRESETS["tiny"] = TINY
    critic.STAGES = (1, 1, 1, 1)


def write_images(folder: pathlib.Path) -> pathlib.Path:
    """Twelve waves, some of which are held back."""
    y, x = np.mgrid[:64, :64]
    for i in range(12):
        wave = 127 + 80 * np.sin(x / (3 + i)) * np.cos(y / (9 - i / 2))
        Image.fromarray(np.stack([wave, wave[::-1], wave.T], -1).astype(np.uint8)).save(
            folder / f"{i}.png"
        )
    return folder


def regression_config(folder: pathlib.Path, /, **changes: object) -> Any:
    config = default.get_config()
    config.update(
        preset="tiny", images=str(folder), validation_share=0.3, validation_size=32,
        validation_qualities=(10,), patch=32, batch=4, steps=8, loss="mae", learning_rate=1e-3,
        log_every=4, validate_every=8, checkpoint_every=4,
    )  # fmt: skip
    config.update(changes)
    return config


def sampler_config(folder: pathlib.Path, /, **changes: object) -> Any:
    """All that the paper has: R1 in every step, moments in every other."""
    settings = dict(
        method="sampler", loss="mse", critic_width=0.0625, moment_images=2, moment_samples=2,
        moment_every=2, first_moment_weight=1.0, validation_samples=2, steps=4, log_every=2,
        validate_every=4, checkpoint_every=4, learning_rate=1e-4,
    )  # fmt: skip
    return regression_config(folder, **{**settings, **changes})


CONFIGS = {"regression": regression_config, "sampler": sampler_config}


def sgd(beta_1: float, **options: Any) -> keras.optimizers.Optimizer:
    """To replace `plan.adam`, whose steps magnify rounding errors."""
    return keras.optimizers.SGD(**options)


def probe(generator: Any) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Image, tables and noise for a generator, always the same."""
    rng = np.random.default_rng(5)
    noise = [rng.standard_normal((2, *s, 1), np.float32) for s in generator.noise_sizes(32, 32)]
    image = rng.random((2, 32, 32, 3), np.float32)
    return image, rng.integers(1, 99, (2, 2, 8, 8)).astype(np.float32), noise
