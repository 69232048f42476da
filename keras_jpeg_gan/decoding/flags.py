"""The flags of every command that restores files: jpeg-gan-decode and jpeg-gan-batch."""

import math
from typing import Any

from absl import flags

from keras_jpeg_gan.decoding import runtimes, writer
from keras_jpeg_gan.decoding.decoder import DEFAULT_MODEL, PROJECTIONS
from keras_jpeg_gan.decoding.memory import Limits

_DEFAULTS = Limits()

MODEL = flags.DEFINE_string("model", DEFAULT_MODEL, "a bundled model's name or a path")
SEED = flags.DEFINE_integer("seed", 0, "which sample", lower_bound=0, upper_bound=(1 << 64) - 1)
TEMPERATURE = flags.DEFINE_float("temperature", 1.0, "scale of the noise", lower_bound=0)
PROJECTION = flags.DEFINE_enum(
    "projection",
    "exact",
    PROJECTIONS,
    "exact: libjpeg compresses the image to the file's levels; float: before rounding to 8 bits; "
    "none: the network's output",
)
FORMAT = flags.DEFINE_enum(
    "format", None, list(writer.FORMATS), "all lossless; by default what --output ends with, or png"
)
BLEND = flags.DEFINE_float(
    "blend",
    1.0,
    "0 libjpeg's decode ... 1 restored, before the projection",
    lower_bound=0,
    upper_bound=1,
)
METADATA = flags.DEFINE_enum(
    "metadata",
    "keep",
    ["keep", "strip"],
    "keep: EXIF, ICC profile, XMP and comments go along, and what made the image is said; strip: "
    "none of these",
)
ALLOW_TRUNCATED = flags.DEFINE_bool(
    "allow_truncated", False, "restore what a file that is cut off still has"
)
RUNTIME = flags.DEFINE_enum("runtime", "auto", runtimes.RUNTIMES, "what runs the network")
_MAX_MEGAPIXELS = flags.DEFINE_float(
    "max_megapixels", _DEFAULTS.max_megapixels, "refuse larger images", lower_bound=0
)
_MAX_SCANS = flags.DEFINE_integer(
    "max_scans", _DEFAULTS.max_scans, "refuse files of more scans", lower_bound=1
)
_MAX_FILE_MB = flags.DEFINE_float(
    "max_file_mb", _DEFAULTS.max_file_mb, "refuse larger files", lower_bound=0
)
_MAX_MEMORY_MB = flags.DEFINE_float(
    "max_memory_mb",
    None,
    "of the process while it restores an image: the network's tiles are chosen by it, and what "
    "needs more is refused",
    lower_bound=0,
)
OVERWRITE = flags.DEFINE_bool(
    "overwrite", False, "restore anew what has an output; otherwise it is skipped"
)


def limits(memory_mb: float = math.inf) -> Limits:
    """What a file may ask for; that much memory where the flag says nothing."""
    given = _MAX_MEMORY_MB.value
    return Limits(
        max_megapixels=_MAX_MEGAPIXELS.value,
        max_scans=_MAX_SCANS.value,
        max_file_mb=_MAX_FILE_MB.value,
        max_memory_mb=memory_mb if given is None else given,
    )


def options() -> dict[str, Any]:
    """How a file is restored, as `Decoder.restore` takes it."""
    return {
        "projection": PROJECTION.value,
        "blend": BLEND.value,
        "temperature": TEMPERATURE.value,
    }
