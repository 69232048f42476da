"""The files, folders, globs and standard input of a command line, as a list of inputs."""

import dataclasses
import glob
import hashlib
import io
import os
import pathlib
import sys
from collections.abc import Iterable, Iterator

from PIL import Image

from keras_jpeg_gan import program
from keras_jpeg_gan.jpeg.header import peek_components, peek_size
from keras_jpeg_gan.jpeg.limits import FileLimits
from keras_jpeg_gan.jpeg.pictures import FORMATS
from keras_jpeg_gan.system import file_sha256, is_sidecar, without_warnings

SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif")
PICTURE_SUFFIXES = (".png", ".webp")  # of images that may have been JPEG files once
_BEGINNING = 1 << 20  # bytes; metadata is hardly ever longer
_LONG_BEGINNING = 16 << 20  # but profiles of printers may be
MARK = ".restored"  # in the names of outputs
STANDARD_INPUT = "-"


@dataclasses.dataclass(frozen=True)
class Input:
    """One file to restore.

    Attributes:
        name: its name in messages and reports.
        path: its path, or None for standard input.
        relative: its path below the folder that was given, so that outputs can mirror the tree.
    """

    name: str
    path: pathlib.Path | None
    relative: pathlib.PurePath


@dataclasses.dataclass
class Inputs:
    """Everything that the arguments name.

    Attributes:
        files: in the order of the arguments; those of a folder are sorted.
        problems: name and reason for each argument or folder that cannot be read.
        passed_over: how many files in folders are not named as JPEG files, are AppleDouble files or
            thumbnails, or are links that lead out of the folder.
        single: whether there is one argument and it is a file, so that the output may be one too.
    """

    files: list[Input] = dataclasses.field(default_factory=list)
    problems: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    passed_over: int = 0
    single: bool = False


def find_inputs(arguments: list[str], pictures: bool = False) -> Inputs:
    """Look up the arguments.

    Args:
        arguments: files, folders (whose files that are named as JPEG files are taken, at any
            depth), globs that are not the name of a file, "-" for standard input.
        pictures: take PNG and WebP files of folders too, except this program's own outputs.
    """
    suffixes = SUFFIXES + (PICTURE_SUFFIXES if pictures else ())
    inputs = Inputs()
    names = list(_expand(arguments, inputs))
    folders = 0
    for name in names:
        path = pathlib.Path(name)
        if name == STANDARD_INPUT:
            inputs.files.append(Input("standard input", None, pathlib.PurePath("stdin")))
        elif os.path.isdir(name):
            folders += 1
            below = pathlib.PurePath(path.resolve().name if len(names) > 1 else "")
            _walk(path, below, inputs, suffixes)
        elif os.path.lexists(name):
            inputs.files.append(Input(str(path), path, pathlib.PurePath(path.name)))
        else:
            inputs.problems.append((name, "there is no such file"))
    inputs.single = len(names) == 1 and folders == 0
    return inputs


def _expand(arguments: Iterable[str], inputs: Inputs) -> Iterator[str]:
    for argument in dict.fromkeys(arguments):
        if glob.has_magic(argument) and not os.path.lexists(argument):
            matches = sorted(glob.glob(argument, recursive=True))
            if not matches:
                inputs.problems.append((argument, "no file matches"))
            wanted = [match for match in matches if not _is_sidecar_of(match, argument)]
            inputs.passed_over += len(matches) - len(wanted)
            # A file named "-" is not standard input.
            yield from (os.path.join(os.curdir, "-") if m == STANDARD_INPUT else m for m in wanted)
        else:
            yield argument


def _is_sidecar_of(match: str, pattern: str) -> bool:
    """Whether a file that matches a glob is a sidecar, and the glob does not ask for these."""
    asked_for = pathlib.PurePath(pattern).parts
    others = [part for part in pathlib.PurePath(match).parts if part not in asked_for]
    return is_sidecar(pathlib.PurePath(*others)) and not asked_for[-1].startswith("._")


def _walk(
    folder: pathlib.Path, below: pathlib.PurePath, inputs: Inputs, suffixes: tuple[str, ...]
) -> None:
    found = 0

    def unreadable(error: OSError) -> None:
        inputs.problems.append((str(error.filename), error.strerror or str(error)))

    root = folder.resolve()
    for current, subfolders, names in os.walk(folder, onerror=unreadable):
        subfolders.sort()
        for name in sorted(names):
            path = pathlib.Path(current, name)
            suffix = path.suffix.lower()
            relative = path.relative_to(folder)
            is_output = MARK in path.stem and suffix in PICTURE_SUFFIXES
            if (
                suffix not in suffixes
                or is_output
                or is_sidecar(relative)
                or not _is_within(path, root)
            ):
                inputs.passed_over += 1
                continue
            found += 1
            inputs.files.append(Input(str(path), path, below / relative))
    if not found:
        inputs.problems.append((str(folder), f"holds no file named {', '.join(suffixes)}"))


def _is_within(path: pathlib.Path, root: pathlib.Path) -> bool:
    """Whether it is a regular file below root once symbolic links are resolved."""
    return path.is_file() and path.resolve().is_relative_to(root)


def size_of(item: Input, limits: FileLimits) -> tuple[int, int]:
    """The height and width of an input, from its first bytes.

    Returns:
        0, 0 if they cannot be told, or exceed the limits, so that the file will be refused. A
        pipe is not read, since what was read from it would be lost.
    """
    if item.path is None or not item.path.is_file():
        return 0, 0
    most = limits.max_megapixels * 1e6
    try:
        with item.path.open("rb") as file:
            beginning = file.read(_BEGINNING)
        if item.path.suffix.lower() in PICTURE_SUFFIXES:
            with without_warnings(), Image.open(io.BytesIO(beginning), formats=FORMATS) as image:
                height, width = image.height, image.width
        else:
            height, width = peek_size(beginning)
            most = min(most, limits.max_pixels_per_byte * item.path.stat().st_size)
    except Exception:  # it will be reported when the file is restored
        return 0, 0
    return (height, width) if height * width <= most else (0, 0)


def holds_inks(item: Input) -> bool:
    """Whether an input is a CMYK or YCCK file, as its first bytes tell.

    Of standard input, a pipe or what cannot be read, this is not known: False.
    """
    if item.path is None or not item.path.is_file():
        return False
    try:
        with item.path.open("rb") as file:
            beginning = file.read(_BEGINNING)
            components = peek_components(beginning)
            if not components and len(beginning) == _BEGINNING:
                components = peek_components(beginning + file.read(_LONG_BEGINNING))
    except OSError:  # it will be reported when the file is restored
        return False
    return components == 4


def sha256_of(item: Input, limits: FileLimits) -> str:
    """SHA-256 of an input's bytes, as hexadecimal digits; errors are those of `content_of`."""
    content = content_of(item, limits)
    return (
        hashlib.sha256(content).hexdigest() if isinstance(content, bytes) else file_sha256(content)
    )


def content_of(item: Input, limits: FileLimits) -> pathlib.Path | bytes:
    """What `Decoder.read` takes: a path, or the bytes of standard input.

    Of standard input one byte more than the limit is read at most, which will be refused.

    Raises:
        RunError: standard input is closed.
    """
    if item.path is not None:
        return item.path
    if sys.stdin is None:
        raise program.RunError("standard input is closed")
    return sys.stdin.buffer.read(int(limits.max_file_mb * 1_000_000) + 1)
