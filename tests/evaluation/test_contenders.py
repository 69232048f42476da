"""Contenders: methods, shared samples, the control's error, and other programs."""

import pathlib
import sys

import numpy as np
import pytest

from keras_jpeg_gan.decoding.decoder import Decoder
from keras_jpeg_gan.decoding.options import RestoreOptions
from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.evaluation.cases import Case
from keras_jpeg_gan.evaluation.contenders import Control, Libjpeg, Method, Model, Peer, Trial
from keras_jpeg_gan.jpeg.encoder import certify


@pytest.fixture(scope="module")
def original() -> np.ndarray:
    rng = np.random.default_rng(3)
    y, x = np.mgrid[:48, :64]
    smooth = 120 + 50 * np.sin(x / 9 + y / 7)[..., None] + [10, 0, -20]
    return np.clip(smooth + 12 * rng.standard_normal((48, 64, 3)), 0, 255).astype(np.uint8)


@pytest.fixture
def trial(original: np.ndarray) -> Trial:
    return Trial(*Case(10).make(original))


@pytest.fixture(scope="module")
def sampler() -> Decoder:
    return Decoder("default")


@pytest.fixture(scope="module")
def regression() -> Decoder:
    return Decoder("regression")


def exact(pixels: np.ndarray, trial: Trial) -> bool:
    return certify(pixels, trial.quantized).exact


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sample", Method("sample", "sample")),
        ("exact", Method("exact", "exact")),
        ("mean:16", Method("mean:16", "exact", mean=16)),
        ("mean:64:sample", Method("mean:64:sample", "sample", mean=64)),
        ("control", Method("control", control=True)),
        ("auto", Method("auto", earlier="auto")),
        ("known", Method("known", earlier="known")),
    ],
)
def test_methods(text: str, expected: Method) -> None:
    assert Method.parse(text) == expected


@pytest.mark.parametrize("text", ["", "mean", "mean:1", "mean:x", "mean:8:none", "none", "exact:3"])
def test_other_methods_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="mean:N"):
        Method.parse(text)


def test_libjpeg_is_the_decode(trial: Trial) -> None:
    assert Libjpeg().restore(trial, 0).pixels is trial.file.pixels


def test_methods_are_the_decoders_projections(trial: Trial, sampler: Decoder) -> None:
    for name, projection in (("sample", "none"), ("exact", "exact")):
        ours = Model("m", sampler, Method.parse(name)).restore(trial, 3)
        theirs = sampler.restore(trial.file, seed=3, options=RestoreOptions(projection=projection))
        np.testing.assert_array_equal(ours.pixels, theirs.pixels)
    unrounded = Model("m", sampler, Method.parse("float")).restore(trial, 3)
    assert unrounded.unrounded is not None
    np.testing.assert_array_equal(
        unrounded.pixels, np.clip(np.rint(unrounded.unrounded), 0, 255).astype(np.uint8)
    )


def test_a_known_earlier_save_is_the_cases(original: np.ndarray, regression: Decoder) -> None:
    case = Case(90, first_quality=20, shift=(5, 3))
    trial = Trial(*case.make(original), case.earlier_save)
    known = Model("m", regression, Method.parse("known")).restore(trial, 0).pixels
    options = RestoreOptions(earlier_save="20@3,5")
    restored = regression.restore(trial.data, options=options).pixels
    assert np.array_equal(known[5:, 3:], restored[5:, 3:])  # the first grid's whole blocks
    last = Model("m", regression, Method.parse("exact")).restore(trial, 0).pixels
    assert exact(last, trial)
    assert not np.array_equal(last, known)


def test_a_mean_is_of_the_first_samples(trial: Trial, sampler: Decoder) -> None:
    result = Model("m", sampler, Method.parse("mean:3")).restore(trial, 0)
    expected = sampler.mean(sampler.samples(trial.file, 3))
    np.testing.assert_array_equal(result.pixels, expected.pixels)
    samples = [trial.results["m", k, "exact", ""].pixels for k in range(3)]
    variance = np.var(np.stack(samples).astype(float), axis=0, ddof=1).mean(-1)
    assert result.deviation is not None
    np.testing.assert_allclose(result.deviation, np.sqrt(variance), atol=1e-9)
    assert exact(result.pixels, trial)


def test_a_sample_is_drawn_once(trial: Trial, sampler: Decoder) -> None:
    model = Model("m", sampler, Method.parse("exact"))
    assert model.restore(trial, 1) is model.restore(trial, 1)


def test_the_control_is_exact_and_no_nearer_than_its_regression(
    trial: Trial, sampler: Decoder, regression: Decoder
) -> None:
    method = Method.parse("exact")
    model, estimate = Model("m", sampler, method), Model("r", regression, method)
    control = Control(model, estimate, regression)
    pixels = control.restore(trial, 0).pixels

    def error(image: np.ndarray) -> float:
        return float(np.mean((image.astype(float) - trial.original) ** 2))

    assert exact(pixels, trial)
    assert error(estimate.restore(trial, 0).pixels) < error(pixels)
    assert (pixels != control.restore(trial, 1).pixels).any()
    assert control.model == "m"


COPY = "import shutil, sys; shutil.copy(sys.argv[1], sys.argv[2])"


def command(program: str) -> str:
    return f"{sys.executable} -c '{program}' {{input}} {{output}}"


def test_a_peer_gets_the_file_and_gives_an_image(trial: Trial) -> None:
    peer = Peer(f"copy={command(COPY)}")
    assert peer.model == "copy"
    np.testing.assert_array_equal(peer.restore(trial, 0).pixels, trial.file.pixels)


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("import sys; sys.exit(\"no luck\")", "exit status 1 .no luck."),
        ("pass", "wrote no output"),
        ("import sys; open(sys.argv[2], \"w\").write(\"x\")", "cannot be read as an image"),
        ("import sys; from PIL import Image; Image.new(\"RGB\", (5, 4)).save(sys.argv[2])",
         "output of 5x4 pixels for 64x48"),
    ],
)  # fmt: skip
def test_what_a_peer_does_wrong_is_said(trial: Trial, program: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        Peer(command(program)).restore(trial, 0)


def test_a_peer_that_is_not_there(trial: Trial) -> None:
    peer = Peer("/nowhere/program {input} {output}")
    assert peer.model == pathlib.Path("/nowhere/program").name
    with pytest.raises(ConfigError, match="peer program"):
        peer.restore(trial, 0)


def test_a_peer_that_does_not_end(trial: Trial) -> None:
    with pytest.raises(ConfigError, match="timed out"):
        Peer(command("import time; time.sleep(60)"), timeout=0.5).restore(trial, 0)


@pytest.mark.parametrize("text", ["", "program {input}", "a=b {output}"])
def test_a_peer_needs_both_places(text: str) -> None:
    with pytest.raises(ConfigError, match=r"\{input\} and \{output\}"):
        Peer(text)
