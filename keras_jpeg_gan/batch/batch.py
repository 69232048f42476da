"""jpeg-gan-batch: restores many JPEG files with Ray Data, on this machine or a cluster."""

import datetime
import pathlib
import secrets
import sys
import time

import numpy as np
from absl import flags

from keras_jpeg_gan import program
from keras_jpeg_gan.batch import cluster, manifest, storage
from keras_jpeg_gan.batch.engine import Engine
from keras_jpeg_gan.batch.estimate import estimate
from keras_jpeg_gan.batch.progress import Progress
from keras_jpeg_gan.batch.sources import Sources, find_sources, output_of
from keras_jpeg_gan.batch.worker import Job
from keras_jpeg_gan.decoding import flags as shared
from keras_jpeg_gan.decoding.files.report import shown
from keras_jpeg_gan.errors import ConfigError, ModelError
from keras_jpeg_gan.models.cards import WEIGHTS_SUFFIX, find_model

USAGE = """jpeg-gan-batch --input=URI --output=URI [flags]

Restores JPEG files as jpeg-gan-decode does, with as many workers as a machine or a Ray cluster
has room for. A URI is a path, or a file, s3 or gs URI. The input is a folder, a glob or, with
--bytes_column, Parquet files; the output is a folder that mirrors the input's tree, or Parquet.

OUTPUT/_manifest, in Parquet, says what became of each file; the same command, given again,
resumes an interrupted run. Exit status: 0 all restored or skipped, 1 some failed, 2 wrong usage,
130 interrupted."""

flags.adopt_module_key_flags(shared)

_INPUT = flags.DEFINE_string("input", None, "folder, glob or file to restore: a path or URI")
_OUTPUT = flags.DEFINE_string("output", None, "folder to write to: a path or URI")
_BYTES_COLUMN = flags.DEFINE_string(
    "bytes_column",
    None,
    "the input is Parquet files, with JPEG files in this column (image.bytes: a field of a struct)",
)
_OUTPUT_AS = flags.DEFINE_enum(
    "output_as",
    None,
    ["files", "parquet"],
    "a tree of images, or Parquet with a column restored, and with all other columns of the input "
    "if that is Parquet too; by default the same as the input",
)
_SEED_FROM = flags.DEFINE_enum(
    "seed_from",
    None,
    ["path", "content"],
    "give each file its own seed: a hash of --seed and of its path below the input, or its content",
)
_WORKERS = flags.DEFINE_integer(
    "workers", None, "how many workers; by default as many as there is room for", lower_bound=1
)
_WORKER_CPUS = flags.DEFINE_integer(
    "worker_cpus", 1, "processor cores of each worker, and threads of its network", lower_bound=1
)
_WORKER_GPUS = flags.DEFINE_float(
    "worker_gpus",
    0.0,
    "GPUs of each worker, or a share of one; with --runtime=tensorflow",
    lower_bound=0,
)
_WORKER_MEGAPIXELS = flags.DEFINE_float(
    "worker_megapixels",
    32.0,
    "each worker has memory for images of this size; larger ones are restored at the end, by fewer "
    "workers with more memory",
    lower_bound=0.01,
)
_RAY_ADDRESS = flags.DEFINE_string(
    "ray_address",
    None,
    "join a cluster: auto or host:port; by default Ray is started on this machine",
)
_DRY_RUN = flags.DEFINE_bool(
    "dry_run",
    False,
    "count the files, read the headers of a sample, restore a few, and estimate what the run takes",
)


def main(arguments: list[str]) -> int:
    """Restore what the flags name, and return the exit status."""
    if arguments or not _INPUT.value or not _OUTPUT.value:
        raise program.UsageError("give --input=URI, --output=URI and flags; --help says more")
    try:
        sources = find_sources(_INPUT.value, _BYTES_COLUMN.value)
        job = _job(sources)
        problems = _unusable(sources, job) + sources.problems
        todo = _todo(sources, job, {name for name, _ in problems})
    except (ConfigError, ModelError) as error:
        raise program.UsageError(str(error)) from error
    if _DRY_RUN.value:
        return _estimate(sources, job, todo, problems)
    return _restore(sources, job, todo, problems)


def _job(sources: Sources) -> Job:
    _, card = find_model(shared.MODEL.value)
    model = shared.MODEL.value
    if model.endswith(WEIGHTS_SUFFIX):
        model = str(pathlib.Path(model).resolve())  # workers have other current folders
    output = storage.open_place(_OUTPUT.value or "")
    if output.info().is_file:
        raise ConfigError(f"--output={_OUTPUT.value} is a file: give a folder")
    if not card.draws_samples and (_SEED_FROM.value or shared.SEED.value):
        _say(f"--seed, --seed_from: no effect, model {card.name} is a regression")
    as_parquet = (_OUTPUT_AS.value or ("parquet" if _BYTES_COLUMN.value else "files")) == "parquet"
    now = datetime.datetime.now(datetime.UTC)
    return Job(
        source=sources.root,
        output=output,
        records=output.below(manifest.FOLDER),
        run=f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(2)}",
        model=model,
        model_sha256=card.sha256,
        runtime=shared.RUNTIME.value,
        threads=_WORKER_CPUS.value,
        limits=shared.limits(),
        seed=shared.SEED.value,
        seed_from=_SEED_FROM.value,
        options=shared.options(),
        image_format=shared.FORMAT.value or "png",
        keep_metadata=shared.METADATA.value == "keep",
        as_parquet=as_parquet,
        bytes_column=_BYTES_COLUMN.value,
    )


def _unusable(sources: Sources, job: Job) -> list[tuple[str, str]]:
    """Name and reason for each file whose output cannot have its name."""
    if job.as_parquet:
        return []
    found = []
    for name, stem in zip(sources.names(), sources.table["stem"].to_pylist(), strict=True):
        output = job.output.below(output_of(stem, job.suffix))
        problem = output.unusable_name()
        if problem is not None:
            found.append((name, f"its output {output}: {problem}"))
    return found


def _todo(sources: Sources, job: Job, refused: set[str]) -> np.ndarray:
    """The rows of the sources' table that are neither refused nor proven done."""
    done = {} if shared.OVERWRITE.value else job.manifest.proven(_outputs(job))
    return sources.left(done, refused)


def _outputs(job: Job) -> list[str]:
    """The names of the files below the output folder, except those of the manifest."""
    below = len(job.output.path.rstrip("/")) + 1
    names = [info.path[below:] for info in job.output.files()]
    return [name for name in names if not name.startswith(f"{manifest.FOLDER}/")]


def _clean(job: Job) -> None:
    """Remove unfinished files that a killed run left behind, and records to be overwritten."""
    if shared.OVERWRITE.value:
        job.manifest.remove()
    job.manifest.sweep()
    recorded = job.manifest.outputs() if job.as_parquet else set()
    for name in _outputs(job):
        orphan = job.as_parquet and manifest.is_part(name) and name not in recorded
        if orphan or storage.is_unfinished(name):
            job.output.below(name).remove()


def _restore(sources: Sources, job: Job, todo: np.ndarray, problems: list[tuple[str, str]]) -> int:
    """Restore the files that are to be restored, and say how it went."""
    set_aside = {name for name, _ in problems} & set(sources.names())
    skipped = len(sources.table) - len(todo) - len(set_aside)
    started = time.monotonic()
    try:
        _clean(job)
        if problems:
            job.manifest.add("00-listing", [manifest.failed(*problem) for problem in problems])
        if len(todo):
            with cluster.running(_RAY_ADDRESS.value):
                _run(sources, job, todo)
        totals = job.manifest.totals()
    except OSError as error:
        raise ConfigError(f"{job.output}: {error}") from error
    minutes = (time.monotonic() - started) / 60
    said = [f"{totals.restored} restored", f"{skipped} skipped", f"{totals.failed} failed"]
    said += [f"{totals.inexact} not exact", f"{sources.passed_over} passed over"]
    said += [f"{totals.megapixels:.1f} megapixels in {minutes:.1f} minutes"]
    print(f"{', '.join(said)}; {job.records} tells of each")
    return program.FAILED if totals.failed else program.OK


def _run(sources: Sources, job: Job, todo: np.ndarray) -> None:
    size = int(sources.table["size"].to_numpy()[todo].sum())
    with Progress(len(todo), size) as progress:
        engine = Engine(
            job,
            sources,
            _WORKERS.value,
            _WORKER_CPUS.value,
            _WORKER_GPUS.value,
            _WORKER_MEGAPIXELS.value,
            progress.add,
        )
        try:
            engine.check_room()
        except ConfigError as error:
            raise program.UsageError(str(error)) from error
        engine.restore(todo)


def _estimate(sources: Sources, job: Job, todo: np.ndarray, problems: list[tuple[str, str]]) -> int:
    """Say what the job would take, and return the exit status."""
    size = sum(sources.table["size"].to_pylist()) / 1e6
    print(f"{len(sources.table)} files, {size:.1f} MB; {len(todo)} are to be done")
    for name, reason in problems:
        print(f"{shown(name)}: {reason}")
    if not len(todo):
        return program.OK
    found = estimate(job, sources, todo)
    print(
        f"headers of {found.sampled}: {found.refused} cannot be restored, the largest has "
        f"{found.largest:.1f} megapixels; all files together about {found.megapixels:.1f}"
    )
    if found.calibrated:
        print(
            f"about {found.core_hours:.2f} core-hours: {found.core_seconds:.2f} core-seconds a "
            f"megapixel, by {found.calibrated} files restored here"
        )
    else:
        print("no file of the sample could be restored: there is no estimate of the time")
    memory = cluster.memory_for(_WORKER_MEGAPIXELS.value, job.runtime) / 1e9
    print(f"a worker: {_WORKER_CPUS.value} CPUs, {memory:.1f} GB")
    return program.OK


def _say(line: str) -> None:
    print(line, file=sys.stderr)


def run() -> None:
    """The console script."""
    program.run(main, __name__, USAGE)


if __name__ == "__main__":
    run()
