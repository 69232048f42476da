"""A run over many inputs: several at once, and an event for everything that happens, in order."""

import contextlib
import dataclasses
import math
import os
import pathlib
import time
from collections.abc import Generator, Iterator, Sequence
from typing import Any

from keras_jpeg_gan import program
from keras_jpeg_gan.decoding.ahead import in_order
from keras_jpeg_gan.decoding.decoder import Decoder
from keras_jpeg_gan.decoding.files import viewer, writer
from keras_jpeg_gan.decoding.files.inputs import Input, content_of, holds_inks, sha256_of, size_of
from keras_jpeg_gan.decoding.files.outputs import Outputs, write
from keras_jpeg_gan.decoding.files.products import MAP, NUMBERS, Products
from keras_jpeg_gan.decoding.files.progress import Progress, Share
from keras_jpeg_gan.decoding.files.provenance import work_of
from keras_jpeg_gan.decoding.files.report import describe, reason_of
from keras_jpeg_gan.decoding.memory import room_mb, together_mb
from keras_jpeg_gan.decoding.options import DEFAULTS, RestoreOptions
from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.system import one_blas_thread, processors

# While one file is in the network, others are read, projected or written. With more files at
# once they would only hold each other up.
_FILES_AT_ONCE = 3

BEFORE = "before"

# After Ctrl-C nobody would wait for larger files to end in the background.
_MOST_PIXELS_AT_ONCE = 32_000_000


@dataclasses.dataclass(frozen=True)
class Event:
    """Something that happened to an input.

    Attributes:
        input: name of the input.
    """

    input: str


@dataclasses.dataclass(frozen=True)
class Made(Event):
    """An image was written.

    Attributes:
        product: its name among the input's products.
        output: its path, or None for standard output.
        summary: the certificate, or what else there is to say of it, in a line.
        details: as `report.describe`.
    """

    product: str
    output: pathlib.Path | None
    summary: str
    details: dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Pictured(Event):
    """A picture to look at, of a run with `pictures`.

    Attributes:
        product: what it shows: the name of a product, or `BEFORE`, libjpeg's decode.
        picture: upright, in 8 bits.
    """

    product: str
    picture: viewer.Picture


@dataclasses.dataclass(frozen=True)
class Skipped(Event):
    """An image already existed, and is the one that would be made.

    Attributes:
        output: its path.
        doubt: why it could not be told that it is, or "".
    """

    output: pathlib.Path
    doubt: str = ""


@dataclasses.dataclass(frozen=True)
class Warned(Event):
    """An input was restored, with a warning.

    Attributes:
        warning: a line.
    """

    warning: str


@dataclasses.dataclass(frozen=True)
class Done(Event):
    """An input is done: its last event, unless it failed.

    Attributes:
        restored: whether images were made; otherwise all were skipped.
    """

    restored: bool


@dataclasses.dataclass(frozen=True)
class Failed(Event):
    """An input failed: its last event.

    Attributes:
        reason: why, in words.
        error: the error, if there was one.
    """

    reason: str
    error: Exception | None = None


@dataclasses.dataclass(frozen=True)
class Run:
    """How to restore inputs.

    Attributes:
        decoder: restores them.
        products: which images to make of each.
        outputs: where the images go.
        seed, options: as for `Decoder.restore`.
        keep_metadata: as for `Restored.encoded`.
        overwrite: make images that exist already, too.
        threads: the most files at once, or None for as many as there are processors.
        pictures: yield a `Pictured` for the file and for each image to look at, too.
        most_pixels_at_once: larger images are restored while no other is.
    """

    decoder: Decoder
    products: Products
    outputs: Outputs
    seed: int = 0
    options: RestoreOptions = DEFAULTS
    keep_metadata: bool = True
    overwrite: bool = False
    threads: int | None = None
    pictures: bool = False
    most_pixels_at_once: int = _MOST_PIXELS_AT_ONCE

    def over(self, items: Sequence[Input], progress: Progress) -> Generator[Event, None, None]:
        """Restore the inputs, and yield what happens in their order.

        Close it (`contextlib.closing`) when stopping early; that waits for the steps in progress.

        Args:
            items: the inputs.
            progress: counts the pixels.

        Raises:
            RunError: no input can be restored or written any more.
            BrokenPipeError: nobody reads standard output any more.
        """
        with (
            # Threads that set and reset it one by one would leave the wrong value behind.
            one_blas_thread(),
            contextlib.closing(
                in_order(
                    self._tasks(items, progress),
                    room_mb(self.decoder.limits),
                    min(_FILES_AT_ONCE, self.threads or processors()),
                    progress.stopped,
                )
            ) as events,
        ):
            yield from events

    def _tasks(
        self, items: Sequence[Input], progress: Progress
    ) -> Iterator[tuple[float, Iterator[Event]]]:
        """The memory that each input takes, in MB, and the steps of its restoration."""
        images = self.products.drawn(self.products.names)
        sizes = [size_of(item, self.decoder.limits) for item in items]
        shares = [Share(progress, math.prod(size) * images) for size in sizes]
        for item, size, share in zip(items, sizes, shares, strict=True):
            inks = holds_inks(item)
            implied = self.outputs.implied_format(inks)
            missing, existing, failure = self._missing(item, implied)
            memory = self._memory_mb(*size, 4 if inks else 3) if missing else 0.0
            yield memory, self._process(item, share, missing, existing, failure)

    def _memory_mb(self, height: int, width: int, channels: int) -> float:
        """What an image takes beside others; infinite if it must be alone."""
        sums = self.products.mean or self.products.deviation
        if sums or not 0 < height * width <= self.most_pixels_at_once:
            return math.inf
        return together_mb(height, width, self.decoder.limits, channels)

    def _missing(
        self, item: Input, implied: str | None
    ) -> tuple[dict[str, pathlib.Path | None], dict[str, pathlib.Path], Failed | None]:
        """The paths of the products that have to be made, and of those that exist, by name.

        If they cannot be told, the last value says why. `implied` is the input's format if it has
        another one than the run.
        """
        missing: dict[str, pathlib.Path | None] = {}
        existing: dict[str, pathlib.Path] = {}
        try:
            for name in self.products.names:
                path = self.outputs.of(item, name, self.products.image_format(name) or implied)
                if path is None or not self._is_finished(path):
                    missing[name] = path
                else:
                    existing[name] = path
        except Exception as error:
            return {}, {}, _failed(item, error)
        return missing, existing, None

    def _is_finished(self, path: pathlib.Path) -> bool:
        if not os.path.lexists(path):
            return False
        if path.is_dir():
            raise ConfigError(f"its output {path} is a folder")
        return not self.overwrite

    def _process(
        self,
        item: Input,
        share: Share,
        missing: dict[str, pathlib.Path | None],
        existing: dict[str, pathlib.Path],
        failure: Failed | None,
    ) -> Iterator[Event]:
        """Restore an input, in any thread."""
        restored = False
        try:
            if failure is not None:
                yield failure
            elif missing:
                yield from self._restore(item, share, missing, existing)
                restored = True
            else:
                yield from self._skipped(item, existing, sha256_of(item, self.decoder.limits))
                yield Done(item.name, restored=False)
        except (BrokenPipeError, program.RunError):
            raise
        except Exception as error:  # whatever it is, it is one file's, and does not end the run
            yield _failed(item, error)
        share.end(restored)

    def _skipped(
        self, item: Input, existing: dict[str, pathlib.Path], sha256: str
    ) -> list[Skipped]:
        """Events of products that exist already.

        Args:
            item: an input.
            existing: their paths, by name.
            sha256: of the input.

        Raises:
            ConfigError: one of them is not what would be made.
        """
        events = []
        for name, path in existing.items():
            card, note = self.decoder.card, writer.read_note(path)
            wanted = self.products.work(name, sha256, card, self.seed, self.options)
            found = work_of(note)
            if note is None and not self.keep_metadata:
                doubt = "without metadata it does not say what made it"
                events.append(Skipped(item.name, path, doubt))
                continue
            if found is None:
                raise ConfigError(
                    f"{path} exists but does not say what made it: --overwrite replaces it"
                )
            differences = found.differences(wanted)
            if not self.keep_metadata:
                differences.append("metadata kept, not stripped")
            if differences:
                raise ConfigError(
                    f"{path} was made differently ({', '.join(differences)}): "
                    "--overwrite replaces it"
                )
            events.append(Skipped(item.name, path))
        return events

    def _restore(
        self,
        item: Input,
        share: Share,
        missing: dict[str, pathlib.Path | None],
        existing: dict[str, pathlib.Path],
    ) -> Iterator[Event]:
        started = time.perf_counter()
        file = self.decoder.read(content_of(item, self.decoder.limits), self.options)
        seconds = {"read": time.perf_counter() - started}
        yield from self._skipped(item, existing, file.sha256)
        implied = self.outputs.implied_format(file.model.inks)
        formats = {name: self._format(name, implied) for name in missing}
        for name, image_format in formats.items():
            if name not in (MAP, NUMBERS):
                writer.check_fits(
                    file.height, file.width, image_format, file.channels, self.options.bits
                )
        if self.keep_metadata:
            image_format = implied or self.outputs.image_format
            file = file.with_warnings(*writer.left_out(file.metadata, image_format))
        self._load()
        share.begin(file.width * file.height, self.products.drawn(missing))
        warnings: tuple[str, ...] = ()
        if self.pictures:
            yield Pictured(item.name, BEFORE, viewer.picture(file.pixels, file.metadata))
        for name, made in self.products.make(
            self.decoder, file, missing, self.seed, self.options, share.add
        ):
            share.check()
            started = time.perf_counter()
            write(missing[name], made.encoded(formats[name], self.keep_metadata))
            seconds = {**seconds, **made.seconds, "write": time.perf_counter() - started}
            # Without the pixels, since the event may have to wait for its turn.
            details = describe(made, seconds)
            yield Made(item.name, name, missing[name], made.summary, details)
            if self.pictures and name != NUMBERS:
                yield Pictured(item.name, name, viewer.picture(made.pixels, file.metadata))
            seconds = {}
            warnings = made.warnings or warnings
        if implied is not None:
            yield Warned(item.name, f"CMYK: written as {implied}, since png does not hold it")
        for warning in warnings:
            yield Warned(item.name, warning)
        yield Done(item.name, restored=True)

    def _format(self, name: str, implied: str | None) -> str:
        """The format in which a product is written."""
        return self.products.image_format(name) or implied or self.outputs.image_format

    def _load(self) -> None:
        """Load the model, if it is not yet loaded; a failure ends the run."""
        try:
            self.decoder.runtime  # noqa: B018
        except Exception as error:
            raise program.RunError(reason_of(error)) from error


def _failed(item: Input, error: Exception) -> Failed:
    return Failed(item.name, reason_of(error), error)
