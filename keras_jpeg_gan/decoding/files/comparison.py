"""A page for a run: each file before and after, with its certificate and warnings."""

import contextlib
import html
import itertools
import pathlib
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import BinaryIO

from keras_jpeg_gan import program
from keras_jpeg_gan.decoding.files import viewer
from keras_jpeg_gan.decoding.files.outputs import check_folder
from keras_jpeg_gan.decoding.files.products import NUMBERS
from keras_jpeg_gan.decoding.files.report import shown
from keras_jpeg_gan.decoding.files.run import (
    BEFORE,
    Done,
    Event,
    Failed,
    Made,
    Pictured,
    Skipped,
    Warned,
)
from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.system import written_atomically

_NAME = "comparison"

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 90rem; padding: 0 1rem; color: #222; }
h1, h2 { line-height: 1.2; font-weight: 600; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 2rem 0 .3rem; }
p { margin: .2rem 0; overflow-wrap: anywhere; }
.note, .tools { color: #555; font-size: .85rem; }
.tools { display: flex; flex-wrap: wrap; gap: .3rem 1rem; margin: .3rem 0; }
.frame { overflow: auto; max-height: 85vh; }
.warning, .failed { color: #8a3b00; }
"""  # noqa: E501

_TOP = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>JPEG restoration: before and after</title>
<style>{style}</style>
<h1>Before and after</h1>
<p class="note">Left of the line libjpeg’s decode, right of it restored. Drag the line, or move it
with the arrow keys; the wheel enlarges while Ctrl is held.</p>
<p class="note">{about}</p>
"""


class Comparison:
    """The page: written while the run goes on, and whole when it ends, however it ends.

    Args:
        folder: where it goes, as comparison.html, or under the first number that is free:
            comparison-2.html. None for no page.
        about: what made the images, in a line.

    Attributes:
        path: of the page; None if there is none.

    Raises:
        ConfigError: nothing can be written there.
    """

    def __init__(self, folder: pathlib.Path | None, about: str) -> None:
        self.path: pathlib.Path | None = None
        self._about = about
        self._writing = contextlib.ExitStack()
        self._file: BinaryIO | None = None
        self._of_input: list[Event] = []
        if folder is not None:
            try:
                check_folder(folder)
            except ConfigError as error:
                raise ConfigError(f"--compare={folder}: {error}") from error
            numbers = itertools.chain([""], (f"-{count}" for count in itertools.count(2)))
            paths = (folder / f"{_NAME}{number}.html" for number in numbers)
            self.path = next(path for path in paths if not path.exists())

    def __enter__(self) -> "Comparison":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is not None:  # of an interrupted run, too: what is in it is whole
            self._write(f"<script>\n{viewer.script()}</script>\n")
            with self._failing():
                self._writing.close()

    def add(self, event: Event) -> None:
        """Add what happened to an input; its events follow one another.

        Raises:
            RunError: the page cannot be written.
        """
        if self.path is None:
            return
        self._of_input.append(event)
        if isinstance(event, (Done, Failed)):
            if self._file is None:
                with self._failing():
                    self.path.parent.mkdir(parents=True, exist_ok=True)
                    self._file = self._writing.enter_context(written_atomically(self.path))
                style = viewer.style() + _STYLE
                self._write(_TOP.format(style=style, about=html.escape(self._about)))
            self._write(_section(self._of_input))
            self._of_input = []

    def _write(self, part: str) -> None:
        assert self._file is not None
        with self._failing():
            self._file.write(part.encode("utf-8", "backslashreplace"))

    @contextlib.contextmanager
    def _failing(self) -> Iterator[None]:
        """Leave no page behind if it cannot be written, which ends the run."""
        try:
            yield
        except OSError as error:
            self._file = None
            with contextlib.suppress(OSError):
                self._writing.__exit__(type(error), error, error.__traceback__)
            raise program.RunError(f"--compare: {self.path}: {error.strerror}") from error


def _section(events: list[Event]) -> str:
    """What happened to one input: HTML."""
    pictures = {event.product: event.picture for event in events if isinstance(event, Pictured)}
    before = pictures.pop(BEFORE, None)
    parts = [f"<section>\n<h2>{html.escape(shown(events[0].input))}</h2>"]
    if before is not None and pictures:
        parts.append(_view(before, pictures))
    for event in events:
        match event:
            case Made() if event.product != NUMBERS:  # which the map shows
                label = f"{_label(event.product)}: " if event.product else ""
                parts.append(f"<p>{html.escape(label + event.summary)}</p>")
            case Warned():
                parts.append(f'<p class="warning">warning: {html.escape(event.warning)}</p>')
            case Skipped():
                there = f"skipped, {shown(str(event.output))} exists"
                parts.append(f'<p class="note">{html.escape(there)}</p>')
            case Failed():
                reason = shown(" ".join(event.reason.split()))
                parts.append(f'<p class="failed">not restored: {html.escape(reason)}</p>')
    return "\n".join([*parts, "</section>\n"])


def _view(before: viewer.Picture, after: Mapping[str, viewer.Picture]) -> str:
    """Pictures of one input, with what enlarges them and chooses among them: HTML."""
    labels = [html.escape(_label(product)) for product in after]
    urls = {_label(product): picture.url for product, picture in after.items()}
    pair = viewer.pair(before.url, urls, before.width, before.height)
    options = "".join(f"<option>{label}</option>" for label in labels)
    choice = f"<label>right of the line: <select>{options}</select></label>"
    zooms = (("", "fit"), ("1", "1:1"), ("2", "2×"), ("4", "4×"), ("8", "8×"))
    buttons = "".join(f'<button data-zoom="{zoom}">{name}</button>' for zoom, name in zooms)
    size = f"1/{before.factor} of its size" if before.factor > 1 else ""
    return (
        f'<div class="view"><div class="tools"><span>{buttons}</span>'
        f"{choice if len(labels) > 1 else ''}<span>{size}</span></div>"
        f'<div class="frame">{pair}</div></div>'
    )


def _label(product: str) -> str:
    """What a product is called on the page."""
    if product.isdigit():
        return f"sample {product}"
    return product or "restored"
