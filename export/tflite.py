"""Writes a model as TFLite files, each with a card beside it."""

import pathlib
import sys

from absl import flags

from keras_jpeg_gan import program
from keras_jpeg_gan.data.sources import read_image
from keras_jpeg_gan.decoding.tiles import GRID
from keras_jpeg_gan.models.cards import TFLITE_SUFFIX, find_model, tflite_path
from keras_jpeg_gan.system import captured_standard_error, import_tensorflow

USAGE = """python export/tflite.py --model=NAME --output_dir=DIR [--tile=128,256,512,any]
python export/tflite.py --model=PATH.weights.h5 --light

Writes MODEL_TILE_PRECISION.tflite with a JSON card, for each tile and precision, and
projection_TILE.tflite, the float projection. LiteRT runs each file on photographs before it is
written; one that differs too much from Keras is refused. --light writes the TFLite model that
jpeg-gan-decode runs, NAME.tflite beside the weights: for any size, in float16."""

_TILES = "128,256,512,any"

_MODEL = flags.DEFINE_string("model", "default", "a bundled name or a path")
_OUTPUT_DIR = flags.DEFINE_string("output_dir", None, "folder for the files")
_TILE = flags.DEFINE_list(
    "tile", _TILES.split(","), f"sides of tiles, multiples of {GRID}, or any for every size"
)
_PRECISION = flags.DEFINE_multi_enum(
    "precision",
    ["float32", "float16", "int8"],
    ["float32", "float16", "int8"],
    "precision of the weights; int8 quantizes activations at run time (dynamic range)",
)
_UINT8 = flags.DEFINE_bool("uint8", False, "pixels in and out as uint8, rounded and clipped")
_LIGHT = flags.DEFINE_bool("light", False, "write the TFLite model of jpeg-gan-decode instead")
_IMAGES = flags.DEFINE_list(
    "images",
    [str(path) for path in sorted((pathlib.Path(__file__).parents[1] / "examples").glob("*.jpg"))],
    "photographs to compare on",
)


def main(arguments: list[str]) -> int:
    """Check the flags, convert, compare, and write."""
    if arguments:
        raise program.UsageError(f"unexpected {arguments[0]!r}: give flags only")
    if _LIGHT.value == (_OUTPUT_DIR.value is not None):
        raise program.UsageError("give --output_dir=DIR or --light")
    tiles = [_parsed(tile) for tile in _TILE.value]
    weights, card = find_model(_MODEL.value)
    images = [read_image(pathlib.Path(path)) for path in _IMAGES.value]
    if not images:
        raise program.UsageError("give --images=FILES to compare on")
    import_tensorflow()
    with captured_standard_error():
        from export.network import Network
        from export.tflite.files import write_network, write_projection

        network = Network.load(_MODEL.value)
    if _LIGHT.value:
        print(write_network(network, tflite_path(weights), None, "float16", images))
        return program.OK
    folder = pathlib.Path(_OUTPUT_DIR.value)
    folder.mkdir(parents=True, exist_ok=True)
    for tile in tiles:
        for precision in _PRECISION.value:
            kind = precision + ("_uint8" if _UINT8.value else "")
            path = folder / f"{card.name}_{tile or 'any'}_{kind}{TFLITE_SUFFIX}"
            line = write_network(network, path, tile, precision, images, _UINT8.value)
            print(line, flush=True)
        if tile is not None:
            path = folder / f"projection_{tile}{TFLITE_SUFFIX}"
            print(write_projection(path, tile, images[0]), flush=True)
    return program.OK


def _parsed(tile: str) -> int | None:
    if tile == "any":
        return None
    if not tile.isdecimal() or int(tile) % GRID or not int(tile):
        raise program.UsageError(f"--tile={tile}: must be a multiple of {GRID}, or any")
    return int(tile)


if __name__ == "__main__":
    # Where the package `export` is. Its folder `tflite` comes before this file of the same name.
    sys.path[0] = str(pathlib.Path(__file__).parents[1])
    program.run(main, __name__, USAGE, "export", ("keras", "tensorflow"))
