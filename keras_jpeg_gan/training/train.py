"""jpeg-gan-train: trains what a config describes; an interrupted training can be resumed."""

import importlib
import importlib.util
import os
import pathlib
import sys
from typing import Any

from absl import flags, logging

from keras_jpeg_gan import program
from keras_jpeg_gan.data.catalog import TFDS

USAGE = """jpeg-gan-train --config=configs/NAME.py --workdir=DIR [--config.KEY=VALUE ...]
jpeg-gan-train --config=configs/NAME.py --dry_run

Trains a network. The same command resumes an interrupted training; Ctrl-C writes a checkpoint
first. All GPUs are used, and several machines if TF_CONFIG names them and each runs the same
command with a shared workdir. With KERAS_BACKEND=jax, JAX trains on one accelerator, without
TensorFlow. configs/default.py explains each KEY."""

BACKENDS = ("tensorflow", "jax")

if importlib.util.find_spec("ml_collections"):
    from ml_collections import config_flags

    _CONFIG = config_flags.DEFINE_config_file("config", None, "a file of configs/")
else:  # for --help
    _CONFIG = flags.DEFINE_string("config", None, "a file of configs/")
_WORKDIR = flags.DEFINE_string("workdir", None, "folder for checkpoints, weights and metrics")
_DRY_RUN = flags.DEFINE_bool(
    "dry_run", False, "print config, networks and memory, check the data, do not train"
)
_MEMORY_GB = flags.DEFINE_float(
    "memory_gb",
    None,
    "with --dry_run: also print how many micro_batches fit a device's memory",
    0.1,
)


def main(arguments: list[str]) -> int:
    """Check what was given, then train."""
    if arguments:
        raise program.UsageError(f"unexpected {arguments[0]!r}: everything is a flag")
    if _CONFIG.value is None:
        raise program.UsageError("give --config=configs/NAME.py")
    try:
        _CONFIG.value.to_dict()
    except Exception as error:  # a config file is a program and may fail in any way
        raise program.UsageError(f"--config: {program.reason(error)}") from error
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    backend = _backend()
    _check_extras(_CONFIG.value, backend)
    if _DRY_RUN.value:
        from keras_jpeg_gan.training import dry_run  # Keras: seconds to import

        for line in dry_run.lines(_CONFIG.value, _MEMORY_GB.value):
            print(line, flush=True)
        return program.OK
    workdir = _workdir()
    logging.set_verbosity(max(logging.get_verbosity(), logging.INFO))
    # Keras: seconds to import
    module = importlib.import_module(f"keras_jpeg_gan.training.{backend}.run")
    module.train(_CONFIG.value, workdir)
    return program.OK


def _backend() -> str:
    """Keras' backend, also set in the environment, before Keras is imported."""
    backend = os.environ.get("KERAS_BACKEND") or BACKENDS[0]
    if backend not in BACKENDS:
        raise program.UsageError(f"KERAS_BACKEND={backend}: {' or '.join(BACKENDS)}")
    if importlib.util.find_spec(backend) is None:
        how = program.install("train") if backend == "tensorflow" else f"pip install {backend}"
        raise program.UsageError(f"KERAS_BACKEND={backend}: not installed: {how}")
    os.environ["KERAS_BACKEND"] = backend  # overrides Keras' configuration file
    return backend


def _check_extras(config: Any, backend: str) -> None:
    """Refuse to start without the packages that the training will need at some time.

    Raises:
        UsageError: one is missing.
    """
    needed = ["h5py"]
    if str(config.images).startswith(TFDS):
        needed += ["tensorflow_datasets", "importlib_resources"]
    if config.tensorboard and backend == "tensorflow" and not _DRY_RUN.value:
        needed.append("tensorboard")
    for package in needed:
        if importlib.util.find_spec(package) is None:
            raise program.UsageError(
                f"{package} is not installed: pip install 'keras-jpeg-gan[train]'"
                + (", or give --config.tensorboard=False" if package == "tensorboard" else "")
            )


def _workdir() -> pathlib.Path:
    if _WORKDIR.value is None:
        raise program.UsageError("give --workdir=DIR, or --dry_run")
    workdir = pathlib.Path(_WORKDIR.value)
    try:
        workdir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise program.UsageError(f"--workdir={workdir}: {error.strerror}") from error
    return workdir


def run() -> None:
    """The console script."""
    sys.path.append(os.getcwd())  # a config imports the one that it is based on
    program.run(main, __name__, USAGE, "train", ("h5py", "keras", "ml_collections"))


if __name__ == "__main__":
    run()
