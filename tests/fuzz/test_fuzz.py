"""The fuzzer for a short while, and that it finds what it is there to find."""

import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from keras_jpeg_gan.decoding.decoder import Decoder
from keras_jpeg_gan.errors import JpegFormatError
from tests.fuzz import fuzz, mutations

ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture(scope="module")
def files() -> list[bytes]:
    return mutations.made_files()


@pytest.fixture
def decoder() -> Decoder:
    decoder = Decoder("regression", limits=fuzz.LIMITS)
    decoder.runtime = fuzz.StillNetwork()
    return decoder


def test_a_while_without_a_finding() -> None:
    ran = subprocess.run(
        [sys.executable, "tests/fuzz/fuzz.py", "--seconds=20", "--seed=1"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": "."},
        capture_output=True,
        text=True,
    )
    assert (ran.returncode, ran.stderr) == (0, ""), ran.stdout + ran.stderr
    assert " cases: " in ran.stdout


def test_cases_are_the_same_again_and_differ_from_each_other(files) -> None:
    made = [fuzz.case(files, 5, number) for number in range(50)]
    assert made == [fuzz.case(files, 5, number) for number in range(50)]
    assert len({one.data for one in made}) > 45
    assert made[:3] != [fuzz.case(files, 6, number) for number in range(3)]


def test_every_mutation_changes_most_files_and_takes_any(files) -> None:
    generator = np.random.default_rng(0)
    broken = [bytes(40), b"\xff" * 40, files[0][:60], b"\xff\xd8" + b"\xff\xda\0\2" * 20]
    for mutation in mutations.MUTATIONS:
        changed = [mutation(data, generator) != data for data in files]
        assert np.mean(changed) > 0.7, mutation
        for data in broken:
            mutation(data, generator)


def test_what_breaks_a_law_is_a_finding(files, decoder, monkeypatch) -> None:
    whole = fuzz.Case(0, files[4])
    assert fuzz.outcome(decoder, whole) == "exact"
    assert fuzz.outcome(decoder, fuzz.Case(0, b"nothing")) == "refused"
    failures = (
        (ValueError("x"), "ValueError: x"),
        (MemoryError(), "MemoryError: "),
        (JpegFormatError("a\nb"), "an error of several lines"),
    )
    for error, expected in failures:

        def fail(*arguments: object, error: Exception = error) -> None:
            raise error

        with monkeypatch.context() as patch:
            patch.setattr(Decoder, "read", fail)
            assert fuzz.outcome(decoder, whole).startswith(expected)
    monkeypatch.setattr(Image.Image, "convert", lambda image, mode: np.random.default_rng())
    assert fuzz.outcome(decoder, whole).endswith("holds another image")


SCRIPT = """
import os, sys, time
from tests.fuzz import fuzz
outcome = fuzz.outcome
def {name}(decoder, case):
    if case.number == 2:
        {deed}
    return outcome(decoder, case)
fuzz.outcome = {name}
fuzz.__file__ = sys.argv[0]
fuzz.HANG = {hang}
sys.exit(fuzz.main())
"""


@pytest.mark.parametrize(
    ("deed", "expected", "hang"),
    [
        ("os.abort()", "the process ended with -6", 120),
        pytest.param("os.write(2, b'words')", "something print", 120, marks=pytest.mark.slow),
        pytest.param("time.sleep(999)", "no answer in 30 s", 30, marks=pytest.mark.slow),
        pytest.param("b'x' * (1 << 30)", "MB", 120, marks=pytest.mark.slow),
    ],
)
def test_crashes_hangs_words_and_memory_are_findings(tmp_path, deed, expected, hang) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(name="instead", deed=deed, hang=hang))
    ran = subprocess.run(
        [sys.executable, str(script), "--seconds=300", "--cases=4", f"--keep={tmp_path / 'kept'}"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": "."},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 1, ran.stderr
    (line,) = [line for line in ran.stdout.splitlines() if line.startswith("case 2: ")]
    assert expected in line
    assert (tmp_path / "kept" / "0-2.jpg").exists()
