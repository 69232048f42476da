"""The browser page: its modules and its restored images against the package."""

import base64
import json
import os
import pathlib
import runpy
import shutil
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from PIL import Image

from keras_jpeg_gan import Decoder, RestoreOptions

ROOT = pathlib.Path(__file__).parents[3]
WEB = ROOT / "export" / "web"
EXPORTER = ROOT / "export" / "tflite.py"
MODELS = ROOT / "build" / "tflite"
CHROMIUM = "/usr/bin/chromium"

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="no node on the path")


def run(*command: object, **environment: object) -> str:
    """Output of a command run in the page's folder; if it fails, all of its output is shown."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=WEB,
        env={**os.environ, **{name: str(value) for name, value in environment.items()}},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The page built into export/web/dist, with the models from build/tflite or new ones."""
    if shutil.which("npm") is None or not pathlib.Path(CHROMIUM).exists():
        pytest.skip(f"needs npm and {CHROMIUM}")
    models = MODELS
    if not list(models.glob("default_*_float32.tflite")):
        if not EXPORTER.exists():
            pytest.skip("no models in build/tflite, and no export/tflite.py to make them")
        models = tmp_path_factory.mktemp("tflite")
        run(
            sys.executable, EXPORTER, "--model=default", f"--output_dir={models}",
            "--tile=128,256", PYTHONPATH=ROOT,
        )  # fmt: skip
    run("npm", "ci", "--no-audit", "--no-fund")
    run("npm", "run", "build", MODELS=models)


@needs_node
def test_modules_agree_with_the_vectors() -> None:
    run("node", "--test", "test/modules.test.js")


def test_vectors_are_what_the_package_gives() -> None:
    made = runpy.run_path(str(WEB / "test" / "vectors.py"))["vectors"]()
    assert_same(made, json.loads((WEB / "test" / "vectors.json").read_text()))


def assert_same(made: Any, kept: Any) -> None:
    """Equal except for the last digits of float32 arrays, which are the long strings."""
    if isinstance(made, dict):
        assert made.keys() == kept.keys()
        for name, part in made.items():
            assert_same(part, kept[name])
    elif isinstance(made, list):
        assert len(made) == len(kept)
        for ours, theirs in zip(made, kept, strict=True):
            assert_same(ours, theirs)
    elif isinstance(made, str) and len(made) > 40:
        ours, theirs = (np.frombuffer(base64.b64decode(text), "<f4") for text in (made, kept))
        # Grey levels; processors with AVX-512 and without it round the projection differently.
        np.testing.assert_allclose(ours, theirs, atol=5e-3)
    else:
        assert made == kept


def test_lock_file_names_no_host() -> None:
    lock = json.loads((WEB / "package-lock.json").read_text())
    assert not [name for name, part in lock["packages"].items() if "resolved" in part]


@pytest.mark.slow
def test_page_does_what_a_user_asks(page: None) -> None:
    run("npm", "run", "test:page")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("photo", "projection"),
    [
        ("mountain", "none"),
        ("mountain", "float"),
        ("colour", "none"),
        ("colour", "float"),
        ("gray", "float"),
    ],
)
def test_browser_restores_as_python(
    page: None, photo: str, projection: str, tmp_path: pathlib.Path, request: pytest.FixtureRequest
) -> None:
    """The same file, seed and projection: within two grey levels in 99.9 % of pixels."""
    file, exif = ROOT / "examples" / "mountain.jpg", Image.Exif()
    if photo != "mountain":  # windows along both axes, a border that cuts MCUs, metadata
        file = tmp_path / f"{photo}.jpg"
        exif[0x0112] = 6  # orientation: not to be applied
        with Image.open(request.getfixturevalue("kodak")[22]) as original:
            cut = original.convert("RGB" if photo == "colour" else "L").crop((0, 0, 701, 487))
        cut.save(file, quality=20, exif=exif)
    output = tmp_path / "restored.png"
    said = json.loads(
        run("node", "test/restore.js", file, output, "--seed=5", f"--projection={projection}")
    )
    assert not said["said"]
    assert not said["errors"]
    assert said["name"] == f"{file.stem}.restored.png"
    options = RestoreOptions(projection=projection, earlier_save="off")
    expected = Decoder().restore(file, seed=5, options=options).pixels
    with Image.open(output) as image:
        assert image.getexif() == exif
        found = np.asarray(image.convert("L" if expected.ndim == 2 else "RGB"))
    off = np.abs(found.astype(int) - expected.astype(int)).reshape(*expected.shape[:2], -1)
    assert (off.max(axis=2) <= 2).mean() >= 0.999
