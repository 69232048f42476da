"""The flags that jpeg-gan-decode and jpeg-gan-batch share."""

import math

from absl import flags

from keras_jpeg_gan.decoding import runtimes
from keras_jpeg_gan.decoding.decoder import DEFAULT_MODEL
from keras_jpeg_gan.decoding.earlier import AUTO, OFF
from keras_jpeg_gan.decoding.files import writer
from keras_jpeg_gan.decoding.memory import Limits
from keras_jpeg_gan.decoding.options import RestoreOptions
from keras_jpeg_gan.decoding.projections import PROJECTIONS

_DEFAULTS = Limits()

MODEL = flags.DEFINE_string("model", DEFAULT_MODEL, "the name of a bundled model, or a path")
SEED = flags.DEFINE_integer("seed", 0, "which sample", lower_bound=0, upper_bound=(1 << 64) - 1)
TEMPERATURE = flags.DEFINE_float("temperature", 1.0, "scale of the noise", lower_bound=0)
_PROJECTION = flags.DEFINE_enum(
    "projection",
    "exact",
    PROJECTIONS,
    "exact: libjpeg compresses the image to the file's levels; float: before rounding to 8 bits; "
    "none: the network's output",
)
FORMAT = flags.DEFINE_enum(
    "format",
    None,
    list(writer.FORMATS),
    "lossless, all of them; by default as --output is named, or png, and tiff for CMYK",
)
_BLEND = flags.DEFINE_float(
    "blend",
    1.0,
    "from 0, libjpeg's decode, to 1, restored; before the projection",
    lower_bound=0,
    upper_bound=1,
)
METADATA = flags.DEFINE_enum(
    "metadata",
    "keep",
    ["keep", "strip"],
    "keep: copy EXIF, ICC profile, XMP and comments, and add a note of what made the image; strip: "
    "write none of these",
)
_ALLOW_TRUNCATED = flags.DEFINE_bool(
    "allow_truncated", False, "restore what is left of a truncated file"
)
_EARLIER_SAVE = flags.DEFINE_string(
    "earlier_save",
    AUTO,
    "auto: a file that was saved before is restored as of that save, if one shows in its pixels; "
    "off: all are held to their own levels; or the save, as QUALITY or QUALITY@X,Y, where its grid "
    "begins X columns and Y rows from the corner",
)
RUNTIME = flags.DEFINE_enum("runtime", "auto", runtimes.RUNTIMES, "what runs the network")
_MAX_MEGAPIXELS = flags.DEFINE_float(
    "max_megapixels", _DEFAULTS.max_megapixels, "refuse larger images", lower_bound=0
)
_MAX_SCANS = flags.DEFINE_integer(
    "max_scans", _DEFAULTS.max_scans, "refuse files with more scans", lower_bound=1
)
_MAX_FILE_MB = flags.DEFINE_float(
    "max_file_mb", _DEFAULTS.max_file_mb, "refuse larger files", lower_bound=0
)
_MAX_MEMORY_MB = flags.DEFINE_float(
    "max_memory_mb",
    None,
    "most memory that the process may take: the network's tiles are sized by it, and images that "
    "need more are refused",
    lower_bound=0,
)
OVERWRITE = flags.DEFINE_bool(
    "overwrite", False, "restore again what already has an output, instead of skipping it"
)


def limits(memory_mb: float = math.inf) -> Limits:
    """What a file may ask for; `memory_mb` is the default of --max_memory_mb."""
    given = _MAX_MEMORY_MB.value
    return Limits(
        max_megapixels=_MAX_MEGAPIXELS.value,
        max_scans=_MAX_SCANS.value,
        max_file_mb=_MAX_FILE_MB.value,
        max_memory_mb=memory_mb if given is None else given,
    )


def takes_pictures() -> bool:
    """Whether PNG and WebP files of folders are wanted: only if an earlier save is asked for."""
    return _EARLIER_SAVE.present and _EARLIER_SAVE.value != OFF


def options() -> RestoreOptions:
    """How files are restored.

    Raises:
        ConfigError: a value is out of range in a way that the flags let pass, such as NaN.
    """
    return RestoreOptions(
        projection=_PROJECTION.value,
        blend=_BLEND.value,
        temperature=TEMPERATURE.value,
        allow_truncated=_ALLOW_TRUNCATED.value,
        earlier_save=_EARLIER_SAVE.value,
    )
