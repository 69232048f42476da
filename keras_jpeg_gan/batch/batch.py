"""jpeg-gan-batch: restores many JPEG files with Ray Data, on this machine or a cluster."""

from absl import flags

from keras_jpeg_gan import program
from keras_jpeg_gan.batch import flags as own
from keras_jpeg_gan.decoding import flags as shared

USAGE = """jpeg-gan-batch --input=URI --output=URI [flags]

Restores JPEG files as jpeg-gan-decode does, with as many workers as a machine or a Ray cluster
has room for. A URI is a path, or a file, s3 or gs URI. The input is a folder, a glob or, with
--bytes_column, Parquet files; the output is a folder that mirrors the input's tree, or Parquet.

OUTPUT/_manifest, in Parquet, says what became of each file; the same command, given again,
resumes an interrupted run. Exit status: 0 all restored or skipped, 1 some failed, 2 wrong usage,
130 interrupted."""

flags.adopt_module_key_flags(own)
flags.adopt_module_key_flags(shared)


def main(arguments: list[str]) -> int:
    """Restore what the flags name, and return the exit status."""
    if arguments or not own.INPUT.value or not own.OUTPUT.value:
        raise program.UsageError("give --input=URI, --output=URI and flags; --help says more")
    from keras_jpeg_gan.batch import run  # pyarrow: most of a second to import

    return run.run()


def run() -> None:
    """The console script."""
    program.run(main, __name__, USAGE, "batch", ("pyarrow", "ray"))


if __name__ == "__main__":
    run()
