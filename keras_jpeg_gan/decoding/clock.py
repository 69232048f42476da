"""How long each stage of a restoration takes."""

import contextlib
import time
from collections.abc import Iterator


class Clock:
    """Adds up seconds by stage. Different stages may overlap; a stage is in one thread at a time.

    Attributes:
        seconds: by stage, in the order in which the stages first ended.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count the time within the block for a stage."""
        started = time.perf_counter()
        try:
            yield
        finally:
            spent = time.perf_counter() - started
            self.seconds[name] = self.seconds.get(name, 0.0) + spent
