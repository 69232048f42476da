"""How far a run has come, in megapixels: a bar on a terminal, and a word ahead of a long one."""

import sys
import threading
import time

from tqdm import tqdm

# A restoration's time that is over when the network has run; the rest is certificate and encoding.
_NETWORK_SHARE = 0.9

# Seconds: of restoring before the time is estimated, and what is worth telling of.
_EVIDENCE = 2.0
_LONG = 20.0

_BAR = "{desc}{percentage:3.0f}%|{bar}| {n:.1f}/{total:.1f} megapixels [{elapsed}<{remaining}]"


class Progress:
    """Counts megapixels of all inputs; each image that is drawn of one counts. For any thread.

    Attributes:
        total: megapixels in all, of which `done` are done; both are equal when all shares ended.
        stopped: set when the run has ended early; then shares that go on are told.
    """

    def __init__(self) -> None:
        self.total, self.done = 0.0, 0.0
        self.stopped = threading.Event()
        self._started: float | None = None
        self._estimated = False
        self._lock = threading.Lock()
        # The mean speed, renewed as time passes and not as megapixels do; and first shown when
        # something is done, since before that it does not know of how much.
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
        """Take the bar away."""
        self._bar.close()

    def describe(self, words: str) -> None:
        """Words before the bar."""
        self._bar.set_description_str(words, refresh=False)

    def begin(self) -> None:
        """The first restoration begins: from now on time tells of the megapixels' speed."""
        with self._lock:
            if self._started is None:
                self._started = time.monotonic()
                self._bar.unpause()

    def grow(self, megapixels: float) -> None:
        """There is more to do, or less."""
        with self._lock:
            self.total += megapixels
            self._bar.total = self.total

    def add(self, megapixels: float) -> None:
        """So much more is done."""
        with self._lock:
            self.done += megapixels
            self._bar.update(megapixels)
            line = self._estimate()
        if line:
            tqdm.write(line, file=sys.stderr)

    def _estimate(self) -> str | None:
        """A line, once, if the whole is likely to take long."""
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
        progress: the whole.
        pixels: of all images that are drawn of the input, if its header tells, else 0.
    """

    def __init__(self, progress: Progress, pixels: int) -> None:
        self._progress = progress
        self._pixels, self._seen = 0, 0
        self._planned, self._done = 0.0, 0.0
        self._plan(pixels / 1e6)

    def begin(self, pixels: int, images: int) -> None:
        """The input was read: it has so many pixels, and so many images are drawn of it."""
        self._pixels = pixels
        self._plan(pixels * images / 1e6)
        self._progress.begin()

    def check(self) -> None:
        """Go on?

        Raises:
            InterruptedError: no, the run has ended.
        """
        if self._progress.stopped.is_set():
            raise InterruptedError("the run has ended")

    def add(self, pixels: int) -> None:
        """The network restored so many more; of the images before this one all is done.

        Raises:
            InterruptedError: as `check`.
        """
        self.check()
        self._seen += pixels
        images_before = -(-self._seen // self._pixels) - 1
        rest = (1 - _NETWORK_SHARE) * images_before * self._pixels
        self._advance((_NETWORK_SHARE * self._seen + rest) / 1e6)

    def end(self, restored: bool) -> None:
        """All is done, or nothing more will be."""
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
    """A time as one says it."""
    if seconds < 90:
        return f"{5 * round(seconds / 5)} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
