"""A model that is only a card, files by name, and the command within this process."""

import pathlib
import sys
from collections.abc import Callable
from typing import NamedTuple

import pytest
from absl import flags
from absl.testing import flagsaver

from keras_jpeg_gan import Decoder
from keras_jpeg_gan.decoding import decode, runtimes
from keras_jpeg_gan.decoding.memory import Limits
from tests.decoding.made_up import ShiftedBlur, write_card


class Outcome(NamedTuple):
    status: int
    out: str
    err: str


@pytest.fixture
def model(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> pathlib.Path:
    """The path of a regression; what is loaded from it is `ShiftedBlur`."""
    path = tmp_path_factory.mktemp("model") / "blur.weights.h5"
    path.write_bytes(b"no weights")
    write_card(path)
    monkeypatch.setattr(runtimes, "open_runtime", lambda kind, model, threads: ShiftedBlur())
    return path


@pytest.fixture
def sampler(model: pathlib.Path) -> pathlib.Path:
    """As `model`, but a model that draws samples."""
    path = model.with_name("grain.weights.h5")
    path.write_bytes(b"no weights either")
    write_card(path, kind="sampler")
    return path


@pytest.fixture(scope="session")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """Weights of a real, untrained network, with a card: nearly the identity, but not quite."""
    import keras

    from keras_jpeg_gan.models.networks import from_preset
    from keras_jpeg_gan.models.saving import save_weights

    keras.utils.set_random_seed(1)
    path = tmp_path_factory.mktemp("model") / "untrained.weights.h5"
    save_weights(from_preset("mobile"), path)
    write_card(path)
    return path


@pytest.fixture(scope="session")
def untrained_sampler(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """As `untrained`, with noise that has an effect."""
    import keras

    from keras_jpeg_gan.models.networks import from_preset
    from keras_jpeg_gan.models.saving import save_model

    keras.utils.set_random_seed(1)
    generator = from_preset("mobile")
    for variable in generator.variables:
        if variable.path.endswith("noise_scale"):
            variable.assign(30 * variable)
    path = tmp_path_factory.mktemp("model") / "untrained.weights.h5"
    save_model(generator, path, "sampler", trained={}, validation={})
    return path


@pytest.fixture
def command(
    model: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., Outcome]:
    """`jpeg-gan-decode` with `model`: its exit status, and what it prints."""

    def call(*arguments: object) -> Outcome:
        capfd.readouterr()
        given = ["jpeg-gan-decode", f"--model={model}", *map(str, arguments)]
        monkeypatch.setattr(sys, "argv", given)
        with flagsaver.flagsaver():
            try:
                decode.run()
            except SystemExit as end:
                status = end.code
            finally:
                flags.FLAGS.unparse_flags()
        return Outcome(status, *capfd.readouterr())

    return call


@pytest.fixture
def tree(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """A folder of empty files with telling names, which is also the current folder."""
    for name in (
        "photos/b.JPG",
        "photos/a.jpeg",
        "photos/notes.txt",
        "photos/deep/er/c.jpe",
        "photos/deep/d.jfif",
        "photos/deep/b.restored.png",
        "other/e.jpg",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def decoder(model: pathlib.Path) -> Decoder:
    """A decoder of that model."""
    return Decoder(model)


@pytest.fixture
def drawing(sampler: pathlib.Path) -> Decoder:
    """A decoder that draws samples."""
    return Decoder(sampler)


@pytest.fixture
def in_bands(sampler: pathlib.Path) -> Decoder:
    """A decoder that cuts a small image into several bands and tiles."""
    return Decoder(sampler, limits=Limits(max_memory_mb=0))
