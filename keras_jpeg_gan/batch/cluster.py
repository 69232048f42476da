"""Ray: starting it on this machine or joining it, keeping it quiet, and how much room it has."""

import contextlib
import dataclasses
import logging
import os
from collections.abc import Iterator
from typing import Any

from absl import logging as absl_logging

from keras_jpeg_gan.decoding.memory import needed_mb
from keras_jpeg_gan.errors import ConfigError, JpegGanError
from keras_jpeg_gan.system import captured_standard_error

# Only names and counts of files go through the object store.
_OBJECT_STORE_BYTES = 200_000_000

# Memory of a worker that TensorFlow takes in addition to `memory.needed_mb`, measured.
_BYTES_OF_TENSORFLOW = 1_000_000_000


@dataclasses.dataclass(frozen=True)
class Share:
    """The resources of one worker.

    Attributes:
        cpus, gpus: logical ones, as Ray counts them.
        memory: bytes.
    """

    cpus: float
    gpus: float
    memory: int

    def __str__(self) -> str:
        gpus = f", {self.gpus:g} GPUs" if self.gpus else ""
        return f"{self.cpus:g} CPUs{gpus} and {self.memory / 1e9:.1f} GB"


def memory_for(megapixels: float, runtime: str) -> int:
    """Bytes of memory that a worker needs for images of this size and proportions of 3:2.

    Args:
        runtime: one of `decoding.runtimes.RUNTIMES`.
    """
    own = _BYTES_OF_TENSORFLOW if runtime == "tensorflow" else 0
    height = round((1e6 * megapixels / 1.5) ** 0.5)
    return own + round(1e6 * needed_mb(height, round(1.5 * height)))


@contextlib.contextmanager
def running(address: str | None) -> Iterator[None]:
    """Run Ray in this block; what is printed on standard output meanwhile is discarded.

    Args:
        address: of a cluster ("auto" or host:port), or None to start Ray on this machine.

    Raises:
        ConfigError: there is no cluster at the address, or Ray does not start.
        JpegGanError: Ray fails.
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    talkative = absl_logging.get_verbosity() >= absl_logging.DEBUG
    if not talkative:
        # Silences Ray's C++ half, and a remark on GPUs that it makes where there are none.
        os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    import ray

    level = logging.INFO if talkative else logging.CRITICAL
    for name in ("ray", "ray.data"):
        logging.getLogger(name).setLevel(level)
    options: dict[str, Any] = {"logging_level": level, "log_to_driver": talkative}
    if address is None:
        options |= {
            "include_dashboard": False,
            "object_store_memory": _OBJECT_STORE_BYTES,
        }
    try:
        with contextlib.nullcontext() if talkative else captured_standard_error():
            ray.init(address or "local", **options)
    except Exception as error:  # of any class; Ray has its own for a node that does not start
        where = f"--ray_address={address}" if address else "Ray does not start here"
        raise ConfigError(f"{where}: {' '.join(str(error).split())}") from error
    with contextlib.ExitStack() as stack:
        if not talkative:  # Ray prints there which workers died, and the manifest has that too
            nowhere = stack.enter_context(open(os.devnull, "w"))
            stack.enter_context(contextlib.redirect_stdout(nowhere))
        stack.callback(ray.shutdown)
        try:
            yield
        except ray.exceptions.RayError as error:
            first, *_ = str(error).splitlines() or [type(error).__name__]
            raise JpegGanError(f"Ray gave up: {first}") from error


def alive_nodes() -> set[str]:
    """The ids of the nodes that are alive."""
    import ray

    return {node["NodeID"] for node in ray.nodes() if node["Alive"]}


def room_for(share: Share) -> int:
    """How many workers with this share the nodes have room for."""
    import ray

    return sum(_fitting(node["Resources"], share) for node in ray.nodes() if node["Alive"])


def _fitting(resources: dict[str, float], share: Share) -> int:
    wanted = {"CPU": share.cpus, "GPU": share.gpus, "memory": share.memory}
    return int(min(resources.get(name, 0) // asked for name, asked in wanted.items() if asked))


def largest_node() -> str:
    """The most that a node has of each resource, in words."""
    import ray

    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    most = {name: max(n.get(name, 0) for n in nodes) for name in ("CPU", "GPU", "memory")}
    return str(Share(most["CPU"], most["GPU"], int(most["memory"])))
