"""jpeg-gan-decode in a process of its own, with the network that needs no framework."""

import os
import pathlib
import signal
import subprocess
import sys
from typing import Any

_ROOT = pathlib.Path(__file__).parents[2]

SCRIPT = """
from tests.decoding.made_up import ShiftedBlur
from keras_jpeg_gan.decoding import decode, runtimes
runtimes.open_runtime = lambda kind, model, threads: ShiftedBlur()
decode.run()
"""


def start(
    *arguments: object, script: str = SCRIPT, before: Any = None, **options: Any
) -> subprocess.Popen[bytes]:
    """Start the command.

    Args:
        arguments: for the command.
        script: Python that runs the command.
        before: called in the process before the command runs.
        options: for Popen.
    """

    def prepare() -> None:
        # Background jobs of a shell, and so their children, ignore Ctrl-C.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        if before is not None:
            before()

    streams = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(_ROOT)},
        preexec_fn=prepare,
        **{**streams, **options},
    )
