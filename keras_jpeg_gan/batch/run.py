"""A run of jpeg-gan-batch: what there is to do, doing it or estimating it, and how it went."""

import datetime
import pathlib
import secrets
import sys
import time

import numpy as np

from keras_jpeg_gan import program
from keras_jpeg_gan.batch import cluster, manifest, storage
from keras_jpeg_gan.batch import flags as own
from keras_jpeg_gan.batch.engine import Engine
from keras_jpeg_gan.batch.estimate import estimate
from keras_jpeg_gan.batch.progress import Progress
from keras_jpeg_gan.batch.sources import Sources, find_sources, output_of
from keras_jpeg_gan.batch.worker import Job
from keras_jpeg_gan.decoding import flags as shared
from keras_jpeg_gan.decoding.files import writer
from keras_jpeg_gan.decoding.files.report import shown
from keras_jpeg_gan.errors import ConfigError, ModelError
from keras_jpeg_gan.models.cards import WEIGHTS_SUFFIX, find_model


def run() -> int:
    """Restore what the flags name, and return the exit status."""
    assert own.INPUT.value is not None
    try:
        sources = find_sources(own.INPUT.value, own.BYTES_COLUMN.value)
        job = _job(sources)
        problems = _unusable(sources, job) + sources.problems
        todo = _todo(sources, job, {name for name, _ in problems})
    except (ConfigError, ModelError) as error:
        raise program.UsageError(str(error)) from error
    if own.DRY_RUN.value:
        return _estimate(sources, job, todo, problems)
    return _restore(sources, job, todo, problems)


def _job(sources: Sources) -> Job:
    _, card = find_model(shared.MODEL.value)
    model = shared.MODEL.value
    if model.endswith(WEIGHTS_SUFFIX):
        model = str(pathlib.Path(model).resolve())  # workers have other current folders
    output = storage.open_place(own.OUTPUT.value or "")
    if output.info().is_file:
        raise ConfigError(f"--output={own.OUTPUT.value} is a file: give a folder")
    if not card.draws_samples and (own.SEED_FROM.value or shared.SEED.value):
        _say(f"--seed, --seed_from: no effect, model {card.name} is a regression")
    output_as = own.OUTPUT_AS.value or ("parquet" if own.BYTES_COLUMN.value else "files")
    now = datetime.datetime.now(datetime.UTC)
    return Job(
        source=sources.root,
        output=output,
        records=output.below(manifest.FOLDER),
        run=f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(2)}",
        model=model,
        model_sha256=card.sha256,
        runtime=shared.RUNTIME.value,
        threads=own.WORKER_CPUS.value,
        limits=shared.limits(),
        seed=shared.SEED.value,
        seed_from=own.SEED_FROM.value,
        options=shared.options(),
        image_format=shared.FORMAT.value,
        keep_metadata=shared.METADATA.value == "keep",
        as_parquet=output_as == "parquet",
        bytes_column=own.BYTES_COLUMN.value,
    )


def _unusable(sources: Sources, job: Job) -> list[tuple[str, str]]:
    """Name and reason for each file whose output cannot have its name."""
    if job.as_parquet:
        return []
    found = []
    for name, stem in zip(sources.names(), sources.table["stem"].to_pylist(), strict=True):
        output = job.output.below(output_of(stem, writer.FORMATS[job.format_of(3)][0]))
        problem = output.unusable_name()
        if problem is not None:
            found.append((name, f"its output {output}: {problem}"))
    return found


def _todo(sources: Sources, job: Job, refused: set[str]) -> np.ndarray:
    """Indices into the sources' table of the files that are neither refused nor proven done."""
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
    """Restore what is left to restore, print how it went, and return the exit status."""
    set_aside = {name for name, _ in problems} & set(sources.names())
    skipped = len(sources.table) - len(todo) - len(set_aside)
    started = time.monotonic()
    try:
        _clean(job)
        if problems:
            job.manifest.add("00-listing", [manifest.failed(*problem) for problem in problems])
        if len(todo):
            with cluster.running(own.RAY_ADDRESS.value):
                _run(sources, job, todo)
        totals = job.manifest.totals()
    except OSError as error:
        raise ConfigError(f"{job.output}: {error}") from error
    minutes = (time.monotonic() - started) / 60
    said = [f"{totals.restored} restored", f"{skipped} skipped", f"{totals.failed} failed"]
    said += [f"{totals.inexact} not exact", f"{sources.passed_over} passed over"]
    said += [f"{totals.megapixels:.1f} megapixels in {minutes:.1f} minutes"]
    print(f"{', '.join(said)}; {job.records} has a record of each")
    return program.FAILED if totals.failed else program.OK


def _run(sources: Sources, job: Job, todo: np.ndarray) -> None:
    size = int(sources.table["size"].to_numpy()[todo].sum())
    with Progress(len(todo), size) as progress:
        engine = Engine(
            job,
            sources,
            own.WORKERS.value,
            own.WORKER_CPUS.value,
            own.WORKER_GPUS.value,
            own.WORKER_MEGAPIXELS.value,
            progress.add,
        )
        try:
            engine.check_room()
        except ConfigError as error:
            raise program.UsageError(str(error)) from error
        engine.restore(todo)


def _estimate(sources: Sources, job: Job, todo: np.ndarray, problems: list[tuple[str, str]]) -> int:
    """Print what the job would take, and return the exit status."""
    size = sum(sources.table["size"].to_pylist()) / 1e6
    print(f"{len(sources.table)} files, {size:.1f} MB; {len(todo)} left to restore")
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
            f"about {found.core_hours:.2f} core-hours: {found.core_seconds:.2f} core-seconds per "
            f"megapixel, from {found.calibrated} files restored here"
        )
    else:
        print("no file of the sample could be restored: there is no estimate of the time")
    memory = cluster.memory_for(own.WORKER_MEGAPIXELS.value, job.runtime) / 1e9
    print(f"a worker: {own.WORKER_CPUS.value} CPUs, {memory:.1f} GB")
    return program.OK


def _say(line: str) -> None:
    print(line, file=sys.stderr)
