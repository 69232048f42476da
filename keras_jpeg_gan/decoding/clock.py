"""Where the time goes."""

import contextlib
import time
from collections.abc import Iterator


class Clock:
    """Seconds by stage, each of which may come again; stages may overlap, each in one thread.

    Attributes:
        seconds: by stage, in the order that they first ended.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """What is within counts for a stage."""
        started = time.perf_counter()
        try:
            yield
        finally:
            spent = time.perf_counter() - started
            self.seconds[name] = self.seconds.get(name, 0.0) + spent
