"""The flags of jpeg-gan-batch, besides those that it shares with jpeg-gan-decode."""

from absl import flags

INPUT = flags.DEFINE_string("input", None, "folder, glob or file to restore: a path or URI")
OUTPUT = flags.DEFINE_string("output", None, "folder to write to: a path or URI")
BYTES_COLUMN = flags.DEFINE_string(
    "bytes_column",
    None,
    "the input is Parquet files, with JPEG files in this column (image.bytes: a field of a struct)",
)
OUTPUT_AS = flags.DEFINE_enum(
    "output_as",
    None,
    ["files", "parquet"],
    "a tree of images, or Parquet with a column restored, and with all other columns of the input "
    "if that is Parquet too; by default the same as the input",
)
SEED_FROM = flags.DEFINE_enum(
    "seed_from",
    None,
    ["path", "content"],
    "give each file its own seed: a hash of --seed and of its path below the input, or its content",
)
WORKERS = flags.DEFINE_integer(
    "workers", None, "how many workers; by default as many as there is room for", lower_bound=1
)
WORKER_CPUS = flags.DEFINE_integer(
    "worker_cpus", 1, "processor cores of each worker, and threads of its network", lower_bound=1
)
WORKER_GPUS = flags.DEFINE_float(
    "worker_gpus",
    0.0,
    "GPUs of each worker, or a share of one; with --runtime=tensorflow",
    lower_bound=0,
)
WORKER_MEGAPIXELS = flags.DEFINE_float(
    "worker_megapixels",
    32.0,
    "each worker has memory for images of this size; larger ones are restored at the end, by fewer "
    "workers with more memory",
    lower_bound=0.01,
)
RAY_ADDRESS = flags.DEFINE_string(
    "ray_address",
    None,
    "join a cluster: auto or host:port; by default Ray is started on this machine",
)
DRY_RUN = flags.DEFINE_bool(
    "dry_run",
    False,
    "count the files, read the headers of a sample, restore a few, and estimate what the run takes",
)
