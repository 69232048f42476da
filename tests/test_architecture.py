"""docs/architecture.md describes the tree as it is."""

import pathlib
import re
import subprocess

import pytest

from tests import test_package
from tests.files import ROOT

TEXT = (ROOT / "docs" / "architecture.md").read_text()
MOST_LINES, MOST_MODULES = 400, 16
# Folders of code whose insides the map does not go into.
OPAQUE = ("export/web", "tests", "docs", "examples", ".ci")


def tracked() -> list[pathlib.PurePath]:
    """The files that git tracks, or a skip outside a checkout."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [pathlib.PurePath(line) for line in done.stdout.splitlines() if (ROOT / line).exists()]


def test_the_map_has_every_folder() -> None:
    table = TEXT.partition("## The map")[2].partition("\n## ")[0]
    mapped = {
        folder.rstrip("/")
        for row in table.splitlines()
        if row.startswith("| `")
        for folder in re.findall(r"`([^`]+/)`", row.split("|")[1])
    }
    inside = {path.parent.as_posix() for path in tracked()} - {"."}
    opaque = {folder for folder in inside for top in OPAQUE if folder.startswith(f"{top}/")}
    assert mapped == inside - opaque - {".ci"}


def test_the_import_order_is_the_tested_one() -> None:
    (line,) = re.findall(r"^    (jpeg, .*)$", TEXT, flags=re.MULTILINE)
    order = line.split(", ")
    assert tuple(order) == test_package.ORDER[: len(order)]


def test_every_file_that_a_walk_names_is_there_with_its_function() -> None:
    named = re.findall(r"`((?:[a-z]+/)+[a-z_]+\.py)(?::([A-Za-z_.]+))?`", TEXT)
    assert len(named) > 20
    for path, function in named:
        places = [ROOT / "keras_jpeg_gan" / path, ROOT / path]
        (place,) = [candidate for candidate in places if candidate.is_file()]
        for name in function.split(".") if function else ():
            assert re.search(rf"\b(def|class) {name}\b", place.read_text()), (path, name)


def test_files_and_folders_stay_small() -> None:
    paths = [ROOT / path for path in tracked() if path.suffix == ".py"]
    long = [str(path) for path in paths if path.read_text().count("\n") > MOST_LINES]
    assert long == []
    counts: dict[pathlib.Path, int] = {}
    for path in paths:
        if path.is_relative_to(ROOT / "keras_jpeg_gan") and path.name != "__init__.py":
            counts[path.parent] = counts.get(path.parent, 0) + 1
    assert {str(folder): count for folder, count in counts.items() if count > MOST_MODULES} == {}
