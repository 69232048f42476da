"""The commands of evaluation, as a user runs them."""

import subprocess
import sys


def run(module: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own: programs define flags of the same names."""
    return subprocess.run(
        [sys.executable, "-m", f"keras_jpeg_gan.evaluation.{module}", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
