"""The wheel in an empty environment outside the checkout: alone, then with one extra after another.

Each extra's test installs that extra into the same environment, so that TensorFlow is unpacked
once: in the order of this file, each command finds its own extra and those before it, no more.
"""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest
from PIL import Image

from tests.test_extras import COMMANDS, EXTRAS

pytestmark = pytest.mark.slow

ROOT = pathlib.Path(__file__).parents[1]
PACKED = ("setup.cfg", "pyproject.toml", "README.md", "LICENSE", "keras_jpeg_gan")
SCRIPTS = {
    "keras_jpeg_gan.decoding.decode": "jpeg-gan-decode",
    "keras_jpeg_gan.batch.batch": "jpeg-gan-batch",
    "keras_jpeg_gan.training.train": "jpeg-gan-train",
    "keras_jpeg_gan.evaluation.evaluate": "jpeg-gan-evaluate",
    "keras_jpeg_gan.evaluation.figures": "jpeg-gan-figures",
}
HELP_SECONDS = 2.0  # half of it on an idle machine


class Environment:
    """A virtual environment with the wheel, and a folder to work in.

    Attributes:
        folder: where commands run. It has what a user without a checkout copies from one:
            examples, configs and the export programs.
    """

    def __init__(self, folder: pathlib.Path) -> None:
        source = folder / "source"  # a build in the checkout would pack its old build folder too
        source.mkdir()
        for name in PACKED:
            copy(ROOT / name, source / name)
        self._bin = folder / "environment" / "bin"
        self.folder = folder / "work"
        self.folder.mkdir()
        for name in ("configs", "examples", "export"):
            copy(ROOT / name, self.folder / name)
        subprocess.run([sys.executable, "-m", "venv", folder / "environment"], check=True)
        self._pip("wheel", "--no-deps", f"--wheel-dir={folder}", str(source))
        (self._wheel,) = folder.glob("*.whl")
        self.install()

    def install(self, extra: str = "") -> None:
        """Install the wheel, or an extra of it on top.

        Pip compiles it: Ray gives its agents only seconds to start.
        """
        wanted = f"{self._wheel}[{extra}]" if extra else str(self._wheel)
        constraints = ROOT / "constraints.txt"
        self._pip("install", f"--constraint={constraints}", wanted)

    def _pip(self, *arguments: str) -> None:
        self.run("python", "-m", "pip", "--quiet", *arguments)

    def run(self, command: str, *arguments: object, status: int = 0) -> tuple[str, str]:
        """Standard output and error of a command that ends with this exit status."""
        done = subprocess.run(
            self._line(command, arguments),
            capture_output=True,
            text=True,
            check=False,
            cwd=self.folder,
            env=self._variables,
        )
        assert done.returncode == status, f"{command} {arguments}: {done.stdout}{done.stderr}"
        return done.stdout, done.stderr

    def processor_seconds(self, command: str, *arguments: object) -> float:
        """What a command takes of the processor, which a busy machine hardly changes."""
        running = subprocess.Popen(
            self._line(command, arguments),
            stdout=subprocess.DEVNULL,
            cwd=self.folder,
            env=self._variables,
        )
        _, status, used = os.wait4(running.pid, 0)
        running.returncode = os.waitstatus_to_exitcode(status)
        assert running.returncode == 0
        return used.ru_utime + used.ru_stime

    def _line(self, command: str, arguments: tuple[object, ...]) -> list[str]:
        """A console script, a program of the checkout's export folder, or a module."""
        if command in SCRIPTS or command == "python":
            return [str(self._bin / SCRIPTS.get(command, command)), *map(str, arguments)]
        module = [command] if command.endswith(".py") else ["-m", command]
        return [str(self._bin / "python"), *module, *map(str, arguments)]

    @property
    def _variables(self) -> dict[str, str]:
        return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def copy(source: pathlib.Path, target: pathlib.Path) -> None:
    if source.is_file():
        shutil.copy(source, target)
    else:
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "web"))


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return Environment(tmp_path_factory.mktemp("wheel"))


def small_photographs(folder: pathlib.Path, side: int, count: int, suffix: str) -> pathlib.Path:
    folder.mkdir()
    with Image.open(ROOT / "examples" / "mountain.jpg") as image:
        for i in range(count):
            part = image.crop((20 * i, 10 * i, 20 * i + side, 10 * i + side))
            part.save(folder / f"{i}{suffix}", **({"quality": 20} if suffix == ".jpg" else {}))
    return folder


@pytest.mark.parametrize("command", sorted(SCRIPTS.keys() | COMMANDS.keys()))
def test_help_comes_at_once_without_extras(environment: Environment, command: str) -> None:
    assert environment.run(command, "--help")[1] == ""  # and what it loads is compiled
    seconds = min(environment.processor_seconds(command, "--help") for _ in range(2))
    print(f"{command} --help: {seconds:.2f} s")
    assert seconds < HELP_SECONDS


def test_the_wheel_alone_restores(environment: Environment) -> None:
    where, _ = environment.run("python", "-c", "import keras_jpeg_gan as j; print(j.__file__)")
    assert ROOT not in pathlib.Path(where.strip()).parents
    out, err = environment.run(
        "keras_jpeg_gan.decoding.decode", "--compare=page", "examples/mountain.jpg"
    )
    assert out.startswith("examples/mountain.jpg: exact: ")
    page = os.path.join("page", "comparison.html")
    assert err == f"before and after: {page}\n"
    assert "setPointerCapture" in (environment.folder / page).read_text()
    with (
        Image.open(environment.folder / "examples/mountain.restored.png") as restored,
        Image.open(environment.folder / "examples/mountain.jpg") as original,
    ):
        assert restored.size == original.size


@pytest.mark.parametrize("command", COMMANDS)
def test_the_wheel_alone_refuses_what_needs_an_extra(
    environment: Environment, command: str
) -> None:
    extra, *arguments = COMMANDS[command]
    out, err = environment.run(command, *arguments, status=2)
    assert out == ""
    assert err.endswith(f"pip install 'keras-jpeg-gan[{extra}]'\n")
    assert err.count("\n") == 1


def test_with_the_batch_extra(environment: Environment) -> None:
    environment.install("batch")
    photographs = small_photographs(environment.folder / "photographs", 64, 3, ".jpg")
    out, _ = environment.run(
        "keras_jpeg_gan.batch.batch", f"--input={photographs}", "--output=batch"
    )
    assert out.startswith("3 restored, 0 skipped, 0 failed, 0 not exact")
    assert len(list((environment.folder / "batch").glob("*.png"))) == 3


def test_with_the_evaluation_extra(environment: Environment) -> None:
    environment.install("evaluation")
    originals = small_photographs(environment.folder / "originals", 96, 2, ".png")
    out, _ = environment.run(
        "keras_jpeg_gan.evaluation.evaluate", f"--images={originals}", "--quality=10",
        "--metrics=psnr,ssim", "--output=results",
    )  # fmt: skip
    assert "| 4:2:0 | 10 | default | exact |" in out
    environment.run("keras_jpeg_gan.evaluation.figures", "--report=results")
    assert (environment.folder / "results" / "report.html").exists()
    environment.run(
        "keras_jpeg_gan.evaluation.figures", "--figures=strip", "--drawn=4", "--output=figures",
        originals / "0.png",
    )  # fmt: skip
    assert (environment.folder / "figures" / "0_strip.png").exists()


def test_with_the_train_extra(environment: Environment) -> None:
    environment.install("train")
    photographs = small_photographs(environment.folder / "training", 96, 16, ".png")
    environment.run(
        "keras_jpeg_gan.training.train", "--config=configs/smoke.py", "--config.steps=3",
        "--config.validate_every=3", f"--config.images={photographs}", "--workdir=trained",
    )  # fmt: skip
    out, _ = environment.run(
        "keras_jpeg_gan.decoding.decode", "--model=trained/generator.weights.h5",
        "--output=by_my_model.png", "examples/wood.jpg",
    )  # fmt: skip
    assert out.startswith("examples/wood.jpg: exact: ")
    _, err = environment.run("keras_jpeg_gan.data.prepare", "--name=no_such_dataset", status=1)
    assert "no such dataset" in err


def test_with_the_export_extra(environment: Environment) -> None:
    environment.install("export")
    environment.run(
        "export/tflite.py", "--model=regression", "--tile=128", "--precision=float16",
        "--output_dir=tflite",
    )  # fmt: skip
    assert (environment.folder / "tflite" / "regression_128_float16.tflite").exists()
    environment.run("export/saved_model.py", "--model=regression", "--output_dir=served")
    assert (environment.folder / "served" / "1" / "saved_model.pb").exists()


def test_every_extra_is_tested_here() -> None:
    assert {f"test_with_the_{extra}_extra" for extra in EXTRAS} <= globals().keys()
