"""Where restored images go: beside their inputs, a mirrored tree, a file, standard output."""

import contextlib
import itertools
import os
import pathlib
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TextIO

from keras_jpeg_gan import program
from keras_jpeg_gan.decoding.files import writer
from keras_jpeg_gan.decoding.files.inputs import MARK, Input, Inputs
from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.system import unusable_name, write_atomically

STANDARD_OUTPUT = "-"
_SEPARATORS = tuple(filter(None, (os.sep, os.altsep)))


class Outputs:
    """Names the outputs of each input, so that none is used twice and none replaces an input.

    Args:
        inputs: all inputs of the run.
        output: a file if there is one input, otherwise a folder; "-" for standard output; or
            None to write beside the inputs.
        image_format: one of `writer.FORMATS`, or None for the one that the output's name asks
            for, or else png, and tiff for inks.

    Raises:
        ConfigError: these contradict each other, or the output cannot be written.
    """

    def __init__(self, inputs: Inputs, output: str | None, image_format: str | None) -> None:
        self.to_standard_output = output == STANDARD_OUTPUT
        self._file: pathlib.Path | None = None
        self._folder: pathlib.Path | None = None
        if output is None:
            if any(item.path is None for item in inputs.files):
                raise ConfigError("standard input has no folder: say --output=FILE or --output=-")
        elif self.to_standard_output:
            if not inputs.single:
                raise ConfigError("--output=- takes one input file")
        elif inputs.single and not output.endswith(_SEPARATORS) and not os.path.isdir(output):
            self._file = pathlib.Path(output)
            named = writer.format_of(self._file)
            if image_format not in (None, named):
                raise ConfigError(f"--output={output} is not named as --format={image_format}")
            image_format = named
            check_folder(self._file.parent)
        else:
            self._folder = pathlib.Path(output)
            check_folder(self._folder)
        self.image_format = image_format or "png"
        self._asked = image_format is not None
        self._inputs: dict[str, list[pathlib.Path]] = {}
        for path in (item.path for item in inputs.files if item.path):
            for place in {_identity(path), path.resolve()}:
                self._inputs.setdefault(_folded(str(place)), []).append(path)
        self._taken: dict[str, str] = {}
        self._stems = distinct_stems(str(_identity(self._place(item))) for item in inputs.files)

    def implied_format(self, inks: bool) -> str | None:
        """The format for an image of inks if no format was asked for; otherwise None."""
        return writer.INK_FORMAT if inks and not self._asked else None

    def of(
        self, item: Input, name: str = "", image_format: str | None = None
    ) -> pathlib.Path | None:
        """The path of one of an input's images, or None for standard output.

        Args:
            item: the input.
            name: distinguishes this image from the input's others.
            image_format: one of `writer.FORMATS` in place of the run's own.

        Raises:
            ConfigError: that path is taken by another input, is an input itself, or cannot be
                written.
        """
        if self.to_standard_output:
            return None
        path = self._file or self._named(item)
        suffix = writer.FORMATS[image_format][0] if image_format else path.suffix
        path = path.with_name(path.stem + (f".{name}" if name else "") + suffix)
        folded = _folded(str(_identity(path)))
        for other in self._inputs.get(folded, []):
            if _are_one(path, other):
                raise ConfigError(f"its output {path} would replace {other}")
        if folded in self._taken:
            raise ConfigError(f"its output {path} is already that of {self._taken[folded]}")
        problem = unusable_name(path)
        if problem is not None:
            raise ConfigError(f"its output {path}: {problem}; give it a name with --output=FILE")
        check_folder(path.parent)
        self._taken[folded] = item.name
        return path

    def _named(self, item: Input) -> pathlib.Path:
        place = self._place(item)
        stem = os.path.basename(self._stems[str(_identity(place))])
        return place.with_name(stem + MARK + writer.FORMATS[self.image_format][0])

    def _place(self, item: Input) -> pathlib.Path:
        """Where an input's own name would stand among the outputs."""
        if self._folder is not None or item.path is None:
            return (self._folder or pathlib.Path()) / item.relative
        return item.path


def write(path: pathlib.Path | None, content: bytes) -> None:
    """Write an image to a file, whole or not at all, or for None to standard output.

    Raises:
        OSError: the file cannot be written.
        RunError, BrokenPipeError: as for `standard_output`.
    """
    if path is None:
        with standard_output() as stream:
            stream.buffer.write(content)
            stream.buffer.flush()
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content)


@contextlib.contextmanager
def standard_output() -> Iterator[TextIO]:
    """Standard output, whose failure is not the failure of a file but ends the run.

    Raises:
        RunError: it is closed, or cannot be written.
        BrokenPipeError: nobody reads it any more.
    """
    if sys.stdout is None:
        raise program.RunError("standard output is closed")
    try:
        yield sys.stdout
    except BrokenPipeError:
        raise
    except OSError as error:
        raise program.RunError(f"standard output: {error.strerror}") from error


def distinct_stems(paths: Iterable[str]) -> dict[str, str]:
    """By path, a path without suffix for its output; no two of these are the same file.

    That is the path without its suffix where no other input has the same. Inputs that differ in
    their suffix alone, such as a.jpg and a.jpeg, keep it, and those that differ in the case of
    letters alone, which macOS and Windows take for one file, also get a number.

    Args:
        paths: of the inputs, as they would be among the outputs.
    """
    paths = sorted(set(paths))
    stems = {path: os.path.splitext(path)[0] for path in paths}
    counts = Counter(map(_folded, stems.values()))
    shared = [path for path in paths if counts[_folded(stems[path])] > 1]
    taken = {folded for folded, count in counts.items() if count == 1} if shared else set()
    for path in shared:
        numbers = itertools.chain([""], (f".{count}" for count in itertools.count(2)))
        named = (f"{path}{number}" for number in numbers)
        stems[path] = next(stem for stem in named if _folded(stem) not in taken)
        taken.add(_folded(stems[path]))
    return stems


def _folded(path: str) -> str:
    """The same for names that some file system takes for one."""
    return unicodedata.normalize("NFC", path).casefold()


def _are_one(path: pathlib.Path, other: pathlib.Path) -> bool:
    """Whether two paths that differ in the case of letters at most name one file."""
    if _identity(path) in (_identity(other), other.resolve()):
        return True
    return path.exists() and other.exists() and path.samefile(other)


def _identity(path: pathlib.Path) -> pathlib.Path:
    """The same for two names of one file; a link in the last part is itself what is replaced."""
    return path.parent.resolve() / path.name


def check_folder(folder: pathlib.Path) -> None:
    """Refuse, before any work is done, a folder that cannot be written in or made.

    Raises:
        ConfigError: it cannot.
    """
    existing = next(
        path for path in [folder.absolute(), *folder.absolute().parents] if path.exists()
    )
    if not existing.is_dir():
        raise ConfigError(f"{existing} is not a folder")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise ConfigError(f"no permission to write in {existing}")
