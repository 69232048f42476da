"""Checkpoints of explicit variables: one .npz per step, written whole or not at all."""

import os
import pathlib
import re
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from absl import logging

from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.system import read_npz

KEPT = 3
_NAME = re.compile(r"step_(\d+)\.npz")


def variables(
    generator: keras.Model,
    optimizer: keras.optimizers.Optimizer,
    critic: keras.Model | None = None,
    critic_optimizer: keras.optimizers.Optimizer | None = None,
) -> dict[str, Any]:
    """All that a resumed run needs, by the names that checkpoints of every backend have."""
    parts = {"generator": generator.variables, "optimizer": optimizer.variables}
    if critic is not None and critic_optimizer is not None:
        parts |= {
            "critic": critic.trainable_variables,
            "critic_optimizer": critic_optimizer.variables,
        }
    return {f"{part}:{v.path}": v for part, found in parts.items() for v in found}


def save(folder: pathlib.Path, step: int, variables: Mapping[str, Any]) -> pathlib.Path:
    """Write step_N.npz with every variable's value, and delete all but the last few.

    Args:
        folder: made if it is not there.
        step: how many steps are done.
        variables: Keras variables by stable names.

    Returns:
        The checkpoint's path.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = _path(folder, step)
    unfinished = folder / "unfinished.tmp"
    with unfinished.open("wb") as file:
        np.savez(file, **{name: variable.numpy() for name, variable in variables.items()})
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    for old in all_steps(folder)[:-KEPT]:
        _path(folder, old).unlink()
    return path


def all_steps(folder: pathlib.Path) -> list[int]:
    """The steps of all checkpoints in a folder, in order."""
    if not folder.is_dir():
        return []
    matches = (_NAME.fullmatch(path.name) for path in folder.iterdir())
    return sorted(int(match[1]) for match in matches if match)


def newest(folder: pathlib.Path) -> tuple[int, dict[str, np.ndarray]] | None:
    """The newest checkpoint that is whole: its step, and values by name; None if there is none.

    A line of the log names each damaged checkpoint that is passed over: after a crash of the
    machine or on a full disk, a file may be empty or cut.
    """
    for step in reversed(all_steps(folder)):
        path = _path(folder, step)
        try:
            return step, read_npz(path)
        except (OSError, ValueError) as error:
            logging.warning("%s: %s; the checkpoint before it is used", path, error)
    return None


def restore_latest(folder: pathlib.Path, variables: Mapping[str, Any]) -> int:
    """Assign the values of the newest checkpoint that is whole.

    Returns:
        Its step, or 0 if there are no checkpoints.

    Raises:
        ConfigError: the checkpoint belongs to another model or optimizer, or every one is damaged.
    """
    found = newest(folder)
    if found is None:
        if all_steps(folder):
            raise ConfigError(f"{folder}: every checkpoint is damaged; start in an empty --workdir")
        return 0
    step, values = found
    path, differing = _path(folder, step), set(values) ^ set(variables)
    if differing:
        raise ConfigError(
            f"{path}: belongs to another model or optimizer ({len(differing)} variables "
            f"differ, among them {min(differing)}); start in an empty --workdir"
        )
    for name, variable in variables.items():
        if values[name].shape != tuple(variable.shape):
            raise ConfigError(
                f"{path}: {name} is {values[name].shape} there and "
                f"{tuple(variable.shape)} here; start in an empty --workdir"
            )
    for name, variable in variables.items():
        variable.assign(values[name])
    return step


def _path(folder: pathlib.Path, step: int) -> pathlib.Path:
    return folder / f"step_{step:08d}.npz"
