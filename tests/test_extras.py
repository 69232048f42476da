"""Commands without their extra: help, and one line that says what to install."""

import configparser
import importlib.metadata
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[1]
SETUP = configparser.ConfigParser()
SETUP.read(ROOT / "setup.cfg")
EXTRAS = {
    extra: set(re.findall(r"^[\w.-]+", listed, re.MULTILINE))
    for extra, listed in SETUP["options.extras_require"].items()
    if extra != "test"
}
BASE = set(re.findall(r"^[\w.-]+", SETUP["options"]["install_requires"], re.MULTILINE))

COMMANDS = {
    "keras_jpeg_gan.batch.batch": ("batch", "--input=nowhere", "--output=out"),
    "keras_jpeg_gan.training.train": ("train", "--config=nowhere.py", "--config.steps=3"),
    "keras_jpeg_gan.data.prepare": ("train", "--name=nothing"),
    "keras_jpeg_gan.evaluation.evaluate": ("evaluation", "--images=nowhere"),
    "keras_jpeg_gan.evaluation.figures": ("evaluation", "--output=out", "nowhere.jpg"),
    "export/saved_model.py": ("export", "--output_dir=out"),
    "export/tflite.py": ("export", "--output_dir=out"),
}

WITHOUT = """
import runpy, sys
sys.modules.update(dict.fromkeys({absent}))
sys.argv = {argv}
if {command!r}.endswith(".py"):
    runpy.run_path({command!r}, run_name="__main__")
else:
    runpy.run_module({command!r}, run_name="__main__", alter_sys=True)
"""


def modules_of(distributions: set[str]) -> set[str]:
    """The modules that can be imported once these distributions are installed."""
    wanted = {re.sub("[-_.]+", "-", name).lower() for name in distributions}
    return {
        module
        for module, owners in importlib.metadata.packages_distributions().items()
        if wanted & {re.sub("[-_.]+", "-", owner).lower() for owner in owners}
    }


def run_without_extras(
    command: str, arguments: tuple[str, ...], folder: pathlib.Path
) -> subprocess.CompletedProcess[str]:
    absent = sorted(modules_of(set().union(*EXTRAS.values())) - modules_of(BASE))
    assert {"keras", "ml_collections", "pyarrow", "skimage", "tensorflow"} <= set(absent)
    path = str(ROOT / command) if command.endswith(".py") else command
    code = WITHOUT.format(absent=absent, argv=["-", *arguments], command=path)
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=folder
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_help_needs_no_extra(command: str, tmp_path: pathlib.Path) -> None:
    done = run_without_extras(command, ("--help",), tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    _, *arguments = COMMANDS[command]
    for flag in {argument.split("=")[0].split(".")[0] for argument in arguments}:
        if flag.startswith("--"):
            assert flag in done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_a_missing_extra_is_named_before_any_work(command: str, tmp_path: pathlib.Path) -> None:
    extra, *arguments = COMMANDS[command]
    done = run_without_extras(command, tuple(arguments), tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    said = re.fullmatch(
        r"\w+\.py: (.+) (?:is|are) not installed: pip install 'keras-jpeg-gan\[(\w+)\]'\n",
        done.stderr,
    )
    assert said, done.stderr
    assert said[2] == extra
    assert set(said[1].split(", ")) <= modules_of(EXTRAS[extra])
    assert not list(tmp_path.iterdir())


def test_every_console_script_that_needs_an_extra_is_tested() -> None:
    scripts = SETUP["options.entry_points"]["console_scripts"]
    modules = set(re.findall(r"= ([\w.]+):run", scripts))
    assert modules - set(COMMANDS) == {"keras_jpeg_gan.decoding.decode"}
