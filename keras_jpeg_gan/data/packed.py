"""The program that packs photographs into a cache of patches."""

import pathlib

from absl import flags

from keras_jpeg_gan import program
from keras_jpeg_gan.data.patch_cache import pack
from keras_jpeg_gan.data.sources import find_images

USAGE = """python -m keras_jpeg_gan.data.packed --images=DIR --output=DIR [flags]

Cuts square patches out of all photographs below a folder, and writes them as arrays. A training
with --config.images=DIR of the output reads these instead of the photographs."""

_IMAGES = flags.DEFINE_list("images", None, "folders of photographs, searched recursively")
_OUTPUT = flags.DEFINE_string("output", None, "folder of the cache, which must not exist yet")
_SIZE = flags.DEFINE_integer("size", 192, "side of a patch, larger than in training", 8)
_MAX_SCALE = flags.DEFINE_float(
    "max_scale", 2.5, "largest side of a square that is reduced to a patch, in patches", 1.0
)
_MAX_MB = flags.DEFINE_float("max_mb", 50.0, "largest size of the cache in megabytes", 0.001)
_SEED = flags.DEFINE_integer("seed", 0, "seed of the random choice of patches")


def main(arguments: list[str]) -> int:
    """Check what was given, and pack."""
    if arguments:
        raise program.UsageError(f"unexpected {arguments[0]!r}: give folders by --images=DIR")
    if not _IMAGES.value or not _OUTPUT.value:
        raise program.UsageError("give --images=DIR and --output=DIR")
    output = pathlib.Path(_OUTPUT.value)
    paths = [path for folder in _IMAGES.value for path in find_images(folder)]
    count = pack(paths, output, _SIZE.value, _MAX_SCALE.value, _MAX_MB.value, _SEED.value)
    megabytes = sum(file.stat().st_size for file in output.iterdir()) / 1e6
    print(f"{output}: {count} patches of {_SIZE.value} x {_SIZE.value}, {megabytes:.1f} MB")
    return program.OK


if __name__ == "__main__":
    program.run(main, __name__, USAGE)
