"""Progress of a run in megapixels: a bar on a terminal, and an estimate for a long run."""

import sys
import threading
import time

from tqdm import tqdm

# The share of a restoration's time up to the end of the network; certificate and encoding follow.
_NETWORK_SHARE = 0.9

# Seconds: how long to restore before estimating the time, and the least that is worth reporting.
_EVIDENCE = 2.0
_LONG = 20.0

_BAR = "{desc}{percentage:3.0f}%|{bar}| {n:.1f}/{total:.1f} megapixels [{elapsed}<{remaining}]"


class Progress:
    """Counts megapixels of all images that are drawn for all inputs. Any thread may use it.

    Attributes:
        total: megapixels in all.
        done: megapixels that are done, equal to `total` when all shares have ended.
        stopped: set when the run has ended; then a `Share` that is still used raises an error.
    """

    def __init__(self) -> None:
        self.total, self.done = 0.0, 0.0
        self.stopped = threading.Event()
        self._started: float | None = None
        self._estimated = False
        self._lock = threading.Lock()
        # Shows the mean speed, updated as time passes and not as megapixels do. It first appears
        # when something is done, since the total is not known before.
        self._bar = tqdm(
            total=0,
            bar_format=_BAR,
            disable=None,
            leave=False,
            smoothing=0,
            miniters=0,
            delay=1e-9,
        )

    def close(self) -> None:
        """Remove the bar."""
        self._bar.close()

    def describe(self, words: str) -> None:
        """Set the words before the bar."""
        self._bar.set_description_str(words, refresh=False)

    def begin(self) -> None:
        """A restoration begins; the speed is measured from the first one on."""
        with self._lock:
            if self._started is None:
                self._started = time.monotonic()
                self._bar.unpause()

    def grow(self, megapixels: float) -> None:
        """Add to the total, or subtract from it."""
        with self._lock:
            self.total += megapixels
            self._bar.total = self.total

    def add(self, megapixels: float) -> None:
        """Count more megapixels as done."""
        with self._lock:
            self.done += megapixels
            self._bar.update(megapixels)
            line = self._estimate()
        if line:
            tqdm.write(line, file=sys.stderr)

    def _estimate(self) -> str | None:
        """A line, once, if the run is likely to take long."""
        if self._estimated or self._started is None or not self.done:
            return None
        elapsed = time.monotonic() - self._started
        if elapsed < _EVIDENCE:
            return None
        self._estimated = True
        seconds = elapsed / self.done * self.total
        return f"{self.total:.1f} megapixels: about {_rough(seconds)}" if seconds >= _LONG else None


class Share:
    """One input's part of a `Progress`.

    Args:
        progress: of the run.
        pixels: of all images that are drawn for the input, or 0 if its header does not tell.
    """

    def __init__(self, progress: Progress, pixels: int) -> None:
        self._progress = progress
        self._pixels, self._seen = 0, 0
        self._planned, self._done = 0.0, 0.0
        self._plan(pixels / 1e6)

    def begin(self, pixels: int, images: int) -> None:
        """The input has been read: it has `pixels`, and this many images are drawn for it."""
        self._pixels = pixels
        self._plan(pixels * images / 1e6)
        self._progress.begin()

    def check(self) -> None:
        """Do nothing while the run goes on.

        Raises:
            InterruptedError: it has ended.
        """
        if self._progress.stopped.is_set():
            raise InterruptedError("the run has ended")

    def add(self, pixels: int) -> None:
        """The network has restored more pixels; all images before this one are done.

        Raises:
            InterruptedError: as for `check`.
        """
        self.check()
        self._seen += pixels
        images_before = -(-self._seen // self._pixels) - 1
        rest = (1 - _NETWORK_SHARE) * images_before * self._pixels
        self._advance((_NETWORK_SHARE * self._seen + rest) / 1e6)

    def end(self, restored: bool) -> None:
        """The input is restored, or nothing more will be done for it."""
        if restored:
            self._advance(self._planned)
        else:
            self._plan(self._done)

    def _advance(self, done: float) -> None:
        self._progress.add(done - self._done)
        self._done = done

    def _plan(self, megapixels: float) -> None:
        self._progress.grow(megapixels - self._planned)
        self._planned = megapixels


def _rough(seconds: float) -> str:
    """A time in words, roughly."""
    if seconds < 90:
        return f"{5 * round(seconds / 5)} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
