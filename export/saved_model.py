"""Writes a model as a SavedModel for TensorFlow Serving."""

import pathlib
import sys

from absl import flags

from keras_jpeg_gan import program
from keras_jpeg_gan.decoding.tiles import GRID
from keras_jpeg_gan.models.cards import find_model
from keras_jpeg_gan.system import captured_standard_error, import_tensorflow

USAGE = """python export/saved_model.py --model=NAME --output_dir=DIR [flags]

Writes DIR/VERSION, a SavedModel that turns JPEG files into PNG files, with requests that warm up
a server, and DIR/models.config and DIR/batching.config. export/README.md describes its
signatures, how to serve it, and the clients."""

_MODEL = flags.DEFINE_string("model", "default", "a bundled name or a path")
_OUTPUT_DIR = flags.DEFINE_string("output_dir", None, "folder for the versions")
_VERSION = flags.DEFINE_integer("version", None, "version number; the next free one by default", 1)
_TILE = flags.DEFINE_integer("tile", 256, f"side of signature tile, a multiple of {GRID}", GRID)
_MAX_MEGAPIXELS = flags.DEFINE_float(
    "max_megapixels", 100.0, "the server refuses larger images", 0.0
)


def main(arguments: list[str]) -> int:
    """Check the flags, build the graph, and write it."""
    if arguments:
        raise program.UsageError(f"unexpected {arguments[0]!r}: give flags only")
    if _OUTPUT_DIR.value is None:
        raise program.UsageError("give --output_dir=DIR")
    if _TILE.value % GRID:
        raise program.UsageError(f"--tile={_TILE.value}: must be a multiple of {GRID}")
    folder = pathlib.Path(_OUTPUT_DIR.value)
    version = _VERSION.value or _next_version(folder)
    if (folder / str(version)).exists():
        raise program.UsageError(
            f"{folder / str(version)} exists and may be in use: give another --version"
        )
    find_model(_MODEL.value)
    import_tensorflow()
    with captured_standard_error():
        from export.network import Network
        from export.serving.files import write_version
        from export.serving.restorer import Restorer

        restorer = Restorer(Network.load(_MODEL.value), _MAX_MEGAPIXELS.value, _TILE.value)
    try:
        print(write_version(restorer, folder, version))
    except OSError as error:
        raise program.UsageError(f"--output_dir={folder}: {error.strerror}") from error
    return program.OK


def _next_version(folder: pathlib.Path) -> int:
    there = [int(path.name) for path in folder.glob("*") if path.name.isdecimal()]
    return 1 + max(there, default=0)


if __name__ == "__main__":
    sys.path[0] = str(pathlib.Path(__file__).parents[1])  # where the package `export` is
    program.run(main, __name__, USAGE, "export", ("keras", "tensorflow", "tensorflow_serving"))
