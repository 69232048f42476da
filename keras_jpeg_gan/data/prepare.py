"""The program that prepares a TFDS dataset; TFDS' own command needs Apache Beam."""

import pathlib

from absl import flags

from keras_jpeg_gan import program
from keras_jpeg_gan.data.datasets import prepare, tfds_source

USAGE = """python -m keras_jpeg_gan.data.prepare --name=NAME [--manual_dir=DIR]

Downloads a TFDS dataset, if that is possible, and prepares it for training with
--config.images=tfds:NAME and for evaluation with --dataset=NAME:SPLIT. It is stored in
$TFDS_DATA_DIR, or in ~/tensorflow_datasets."""

_NAME = flags.DEFINE_string("name", None, "TFDS' name of the dataset, or ffhq")
_MANUAL_DIR = flags.DEFINE_string(
    "manual_dir", None, "folder with what cannot be downloaded: ImageNet's archives, FFHQ's images"
)


def main(arguments: list[str]) -> int:
    """Check what was given, and prepare."""
    if arguments:
        raise program.UsageError(f"unexpected {arguments[0]!r}: give the dataset by --name=NAME")
    if not _NAME.value:
        raise program.UsageError("give --name=NAME")
    if _MANUAL_DIR.value and not pathlib.Path(_MANUAL_DIR.value).is_dir():
        raise program.UsageError(f"--manual_dir={_MANUAL_DIR.value}: no such folder")
    prepare(_NAME.value, pathlib.Path(_MANUAL_DIR.value) if _MANUAL_DIR.value else None)
    source = tfds_source(_NAME.value)
    print(f"tfds:{_NAME.value}: {len(source)} images to train on")
    return program.OK


if __name__ == "__main__":
    program.run(main, __name__, USAGE, "train", ("importlib_resources", "tensorflow_datasets"))
