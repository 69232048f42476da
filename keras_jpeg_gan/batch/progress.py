"""Progress of a run: a line that is updated on a terminal, or a new one every minute elsewhere."""

import sys
import time
from types import TracebackType
from typing import Any

from tqdm import tqdm

_SECONDS_APART = 60.0


class Progress:
    """Counts files, megapixels and failures, and estimates the time left from the bytes.

    Args:
        files: how many there are to restore.
        size: of all of them together, in bytes.
    """

    def __init__(self, files: int, size: int) -> None:
        self._of = files
        self._files, self._failed, self._megapixels = 0, 0, 0.0
        self._since = self._said = time.monotonic()
        self._is_terminal = sys.stderr.isatty()
        self._bar = tqdm(
            total=max(size, 1),
            disable=not self._is_terminal,
            leave=False,
            bar_format="{percentage:3.0f}% {desc}, {remaining} left",
        )
        self._bar.set_description_str(self._words())

    def __enter__(self) -> "Progress":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.close()

    def add(self, outcome: dict[str, Any]) -> None:
        """Add the outcome of a block, a row of `worker.OUTCOME`."""
        self._files += outcome["files"]
        self._failed += outcome["failed"]
        self._megapixels += outcome["megapixels"]
        self._bar.set_description_str(self._words(), refresh=False)
        self._bar.update(outcome["bytes"])
        if not self._is_terminal:
            self._bar.n += outcome["bytes"]  # a disabled bar does not count
            self._say_at_times()

    def _words(self) -> str:
        seconds = max(time.monotonic() - self._since, 1e-9)
        words = f"{self._files} of {self._of} files, {self._megapixels:.1f} megapixels"
        return f"{words}, {self._megapixels / seconds:.2f} a second, {self._failed} failed"

    def _say_at_times(self) -> None:
        now = time.monotonic()
        if now - self._said < _SECONDS_APART:
            return
        self._said = now
        share = min(self._bar.n / self._bar.total, 1.0) if self._bar.n else 0.0
        left = (now - self._since) * (1 / share - 1) if share else float("inf")
        print(
            f"{share:4.0%} {self._words()}, {left / 60:.0f} min left", file=sys.stderr, flush=True
        )
