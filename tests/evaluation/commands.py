"""The commands of evaluation, as a user runs them."""

import subprocess

from tests.programs import with_tensorflow


def run(module: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own: programs define flags of the same names."""
    return with_tensorflow()("-m", f"keras_jpeg_gan.evaluation.{module}", *arguments, timeout=300)
