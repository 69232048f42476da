"""A model that is only a card, files to restore, and jobs and commands that restore them."""

import os
import pathlib
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.dataset
import pytest

from keras_jpeg_gan.batch.storage import open_place
from keras_jpeg_gan.batch.worker import Job
from keras_jpeg_gan.decoding import runtimes
from keras_jpeg_gan.decoding.memory import Limits
from keras_jpeg_gan.decoding.options import RestoreOptions
from keras_jpeg_gan.models.cards import find_model
from tests.batch.stand_in import Moody
from tests.decoding.made_up import write_card
from tests.files import jpeg


@pytest.fixture(scope="session")
def sampler(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The path of a sampler; what is loaded from it is `stand_in.Moody`."""
    path = tmp_path_factory.mktemp("model") / "grain.weights.h5"
    path.write_bytes(b"no weights")
    write_card(path, kind="sampler")
    return path


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let decoders of this process use that network."""
    monkeypatch.setattr(runtimes, "open_runtime", lambda kind, model, threads: Moody())


@pytest.fixture
def photos(tmp_path: pathlib.Path) -> pathlib.Path:
    """Twelve JPEG files at two depths, a broken one, and a file of another kind."""
    folder = tmp_path / "photos"
    (folder / "deep").mkdir(parents=True)
    for i in range(12):
        name = f"deep/{i:02}.jpg" if i % 3 else f"{i:02}.jpg"
        (folder / name).write_bytes(jpeg(24, 32, i, gray=i == 4))
    (folder / "bad.jpg").write_bytes(b"nothing")
    (folder / "notes.txt").write_text("not for us")
    return folder


@pytest.fixture
def job(photos: pathlib.Path, tmp_path: pathlib.Path, sampler: pathlib.Path) -> Job:
    """A job that restores these photographs into a tree."""
    output = open_place(str(tmp_path / "out"))
    return Job(
        source=open_place(str(photos)),
        output=output,
        records=output.below("_manifest"),
        run="20260101T000000-0000",
        model=str(sampler),
        model_sha256=find_model(sampler)[1].sha256,
        runtime="auto",
        threads=1,
        limits=Limits(),
        seed=0,
        seed_from=None,
        options=RestoreOptions(),
        image_format="png",
        keep_metadata=True,
        as_parquet=False,
        bytes_column=None,
    )


@pytest.fixture
def command(sampler: pathlib.Path) -> Callable[..., subprocess.Popen[str]]:
    """Starts jpeg-gan-batch in a process of its own; its workers use the stand-in."""
    here = pathlib.Path(__file__).parent
    folders = [here.parents[1], here / "in_workers"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, folders))}
    environment["RAY_worker_niceness"] = "0"  # the machine may be busy with other tests

    def start(*arguments: object, **environ: str) -> subprocess.Popen[str]:
        module = [sys.executable, "-m", "keras_jpeg_gan.batch.batch"]
        return subprocess.Popen(
            [*module, f"--model={sampler}", *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**environment, **environ},
        )

    return start


@pytest.fixture
def records() -> Callable[[pathlib.Path], list[dict[str, Any]]]:
    """All records of an output folder's manifest."""

    def read(output: pathlib.Path) -> list[dict[str, Any]]:
        table: pa.Table = pyarrow.dataset.dataset(output / "_manifest").to_table()
        return table.to_pylist()

    return read
