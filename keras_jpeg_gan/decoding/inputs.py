"""What the command is given to read: files, folders, globs and standard input, as a list."""

import dataclasses
import glob
import io
import os
import pathlib
from collections.abc import Iterable, Iterator

from PIL import Image

from keras_jpeg_gan.jpeg.assumed import FORMATS
from keras_jpeg_gan.jpeg.header import peek_size
from keras_jpeg_gan.jpeg.limits import FileLimits
from keras_jpeg_gan.system import without_warnings

SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif")
ASSUMED_SUFFIXES = (".png", ".webp")  # of images that are taken for a JPEG file's
_BEGINNING = 1 << 20  # bytes, where metadata is hardly ever longer
MARK = ".restored"  # in the names of outputs
STANDARD_INPUT = "-"


@dataclasses.dataclass(frozen=True)
class Input:
    """One file to restore.

    Attributes:
        name: what it is called in messages and reports.
        path: where it is, or None for standard input.
        relative: its name below the folder that was given, for outputs that mirror the tree.
    """

    name: str
    path: pathlib.Path | None
    relative: pathlib.PurePath


@dataclasses.dataclass
class Inputs:
    """All that the arguments name.

    Attributes:
        files: in the order of the arguments, those of a folder sorted.
        problems: name and reason for each argument or folder that cannot be read.
        passed_over: how many files of folders do not bear a JPEG file's name, or are links that
            lead out of the folder.
        single: whether the one argument is one file, so that the output may be one too.
    """

    files: list[Input] = dataclasses.field(default_factory=list)
    problems: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    passed_over: int = 0
    single: bool = False


def find_inputs(arguments: list[str], assumed: bool = False) -> Inputs:
    """Look up the arguments.

    Args:
        arguments: files, folders (their files that bear a JPEG file's name, at any depth),
            globs that name no file themselves, "-" for standard input.
        assumed: take PNG and WebP files of folders too, but for this program's own outputs.
    """
    suffixes = SUFFIXES + (ASSUMED_SUFFIXES if assumed else ())
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
            # A file of that name is no standard input.
            yield from (os.path.join(os.curdir, "-") if m == STANDARD_INPUT else m for m in matches)
        else:
            yield argument


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
            is_output = MARK in path.stem and suffix in ASSUMED_SUFFIXES
            if suffix not in suffixes or is_output or not _is_within(path, root):
                inputs.passed_over += 1
                continue
            found += 1
            relative = below / path.relative_to(folder)
            inputs.files.append(Input(str(path), path, relative))
    if not found:
        inputs.problems.append((str(folder), f"holds no file named {', '.join(suffixes)}"))


def _is_within(path: pathlib.Path, root: pathlib.Path) -> bool:
    """Whether it is a regular file that lies below root, symbolic links resolved."""
    return path.is_file() and path.resolve().is_relative_to(root)


def size_of(item: Input, limits: FileLimits) -> tuple[int, int]:
    """Height and width of an input, told by its first bytes.

    Returns:
        0, 0 where these do not tell, or tell of more than the limits allow: that will be refused.
        A pipe is left alone, since what was read of it would be gone.
    """
    if item.path is None or not item.path.is_file():
        return 0, 0
    most = limits.max_megapixels * 1e6
    try:
        with item.path.open("rb") as file:
            beginning = file.read(_BEGINNING)
        if item.path.suffix.lower() in ASSUMED_SUFFIXES:
            with without_warnings(), Image.open(io.BytesIO(beginning), formats=FORMATS) as image:
                height, width = image.height, image.width
        else:
            height, width = peek_size(beginning)
            most = min(most, limits.max_pixels_per_byte * item.path.stat().st_size)
    except Exception:  # whoever reads the file will say so
        return 0, 0
    return (height, width) if height * width <= most else (0, 0)
