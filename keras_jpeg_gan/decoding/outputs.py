"""Where restored images go: beside their inputs, a mirrored tree, a file, standard output."""

import os
import pathlib

from keras_jpeg_gan.decoding import writer
from keras_jpeg_gan.decoding.inputs import MARK, Input, Inputs
from keras_jpeg_gan.errors import ConfigError

STANDARD_OUTPUT = "-"


class Outputs:
    """Names the output of each input, none twice and none that is an input.

    Args:
        inputs: all that is restored in this run.
        output: a file for one input, else a folder; "-"; or None for beside the inputs.
        image_format: of `writer.FORMATS`, or None for what the output's name says, else png.

    Raises:
        ConfigError: these do not go together, or nothing can be written there.
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
        elif inputs.single and not output.endswith(os.sep) and not os.path.isdir(output):
            self._file = pathlib.Path(output)
            named = writer.format_of(self._file)
            if image_format not in (None, named):
                raise ConfigError(f"--output={output} is not named as --format={image_format}")
            image_format = named
            _check_folder(self._file.parent)
        else:
            self._folder = pathlib.Path(output)
            _check_folder(self._folder)
        self.image_format = image_format or "png"
        self._inputs = {
            place: item.name
            for item in inputs.files
            if item.path
            for place in (_identity(item.path), item.path.resolve())
        }
        self._taken: dict[pathlib.Path, str] = {}

    def of(self, item: Input, name: str = "", suffix: str | None = None) -> pathlib.Path | None:
        """Where an input's image goes; None is standard output.

        Args:
            item: the input.
            name: what sets this image apart from the input's others.
            suffix: of a file in a format of its own.

        Raises:
            ConfigError: that place is another input's, or an input itself, or nothing can be
                written there.
        """
        if self.to_standard_output:
            return None
        path = self._file or self._beside(item)
        suffix = suffix or path.suffix
        path = path.with_name(path.stem + (f".{name}" if name else "") + suffix)
        identity = _identity(path)
        if identity in self._inputs:
            raise ConfigError(f"its output {path} would replace {self._inputs[identity]}")
        if identity in self._taken:
            raise ConfigError(f"its output {path} is already that of {self._taken[identity]}")
        _check_folder(path.parent)
        self._taken[identity] = item.name
        return path

    def _beside(self, item: Input) -> pathlib.Path:
        if self._folder is not None:
            path = self._folder / item.relative
        else:
            assert item.path is not None
            path = item.path
        return path.with_name(path.stem + MARK + writer.FORMATS[self.image_format][0])


def _identity(path: pathlib.Path) -> pathlib.Path:
    """The same for two names of one place; the last part may be a link, which is replaced."""
    return path.parent.resolve() / path.name


def _check_folder(folder: pathlib.Path) -> None:
    """Refuse a folder that neither is one nor can be made, before any work is done."""
    existing = next(
        path for path in [folder.absolute(), *folder.absolute().parents] if path.exists()
    )
    if not existing.is_dir():
        raise ConfigError(f"{existing} is not a folder")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise ConfigError(f"no permission to write in {existing}")
