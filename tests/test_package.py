import ast
import pathlib
import subprocess
import sys

import pytest

import keras_jpeg_gan

ROOT = pathlib.Path(keras_jpeg_gan.__file__).parent

# A module may import from its own folder and from those before it; errors and program are the
# ground of all.
ORDER = (
    "jpeg",
    "layers",
    "models",
    "metrics",
    "data",
    "training",
    "decoding",
    "batch",
    "evaluation",
    "weights",
)
GROUND = ("errors", "program", "streams", "system", "versions")

# What the order alone would let pass.
FORBIDDEN = {"decoding": {"data", "training", "layers"}}

# Modules that work without Keras and TensorFlow.
LIGHT = (
    "decoding.decode",
    "decoding",
    "models.cards",
    "jpeg.file",
    "jpeg.projection.exact",
    "jpeg.encoder",
)


def imported_parts(path: pathlib.Path) -> set[str]:
    """The parts of this package that a module names in import statements, wherever they stand."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        found |= {name.split(".")[1] for name in names if name.startswith("keras_jpeg_gan.")}
    return found


@pytest.mark.parametrize("part", ORDER)
def test_a_folder_imports_only_what_stands_above_it(part):
    allowed = {*GROUND, "__version__", *ORDER[: ORDER.index(part) + 1]} - FORBIDDEN.get(part, set())
    for path in (ROOT / part).rglob("*.py"):
        assert imported_parts(path) <= allowed, path.name


def test_the_ground_stands_on_nothing():
    assert imported_parts(ROOT / "errors.py") == set()
    assert imported_parts(ROOT / "program.py") <= {"errors"}
    assert imported_parts(ROOT / "system.py") == set()
    assert imported_parts(ROOT / "versions.py") == set()


def test_every_folder_has_its_place_in_the_order():
    folders = {path.parent.name for path in ROOT.glob("*/*.py")}
    assert folders <= set(ORDER)


def loaded_after(statement: str) -> set[str]:
    """Which of the large libraries a fresh interpreter has loaded after a statement."""
    program = f"{statement}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return {"keras", "tensorflow", "jax", "torch"} & set(done.stdout.split())


def test_the_package_and_its_light_half_load_no_framework():
    assert loaded_after("import keras_jpeg_gan") == set()
    assert loaded_after("import keras_jpeg_gan as j; j.Decoder, j.JpegFile, j.ModelError") == set()
    modules = ", ".join(f"keras_jpeg_gan.{name}" for name in LIGHT)
    assert loaded_after(f"import {modules}") == set()


def test_all_names_of_the_package_are_there():
    for name in keras_jpeg_gan.__all__:
        assert getattr(keras_jpeg_gan, name) is not None
    with pytest.raises(AttributeError, match="nonsense"):
        _ = keras_jpeg_gan.nonsense
