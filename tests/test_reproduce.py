"""Every command of docs/reproduce.md, as it stands there, on a handful of images."""

import configparser
import io
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tarfile

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

ROOT = pathlib.Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "reproduce.md").read_text()
EXAMPLE = ROOT / "examples" / "mountain.jpg"

# Added to the page's training commands: a small network, two steps, little memory.
TOY_TRAINING = (
    "preset=mobile", "mixed_precision=none", "steps=2", "batch=4", "patch=32", "critic_width=0.125",
    "moment_images=2", "moment_samples=2", "moment_every=1", "validation_share=0.3",
    "validation_size=64", "validation_samples=2", "log_every=1", "validate_every=2",
    "checkpoint_every=2", "pictures_every=0", "tensorboard=False",
)  # fmt: skip
TOY_FIGURES = ("--drawn=4", "--samples=1")


def commands() -> list[list[str]]:
    """The page's commands, in order: indented lines, joined where they end in a backslash."""
    lines = [line[4:] for line in PAGE.splitlines() if line.startswith("    ")]
    return [shlex.split(text) for text in "\n".join(lines).replace("\\\n", " ").split("\n")]


def program(name: str) -> list[str]:
    """A console script as a module, so that it is this checkout's."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    scripts = dict(
        line.split(" = ")
        for line in setup["options.entry_points"]["console_scripts"].split("\n")[1:]
    )
    return [sys.executable, "-m", scripts[name].partition(":")[0]]


def crop(left: int, top: int, side: int) -> Image.Image:
    with Image.open(EXAMPLE) as image:
        return image.convert("RGB").crop((left, top, left + side, top + side))


def archive(files: dict[str, bytes]) -> bytes:
    """A tar of files by name."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def jpegs(names: list[str]) -> dict[str, bytes]:
    found = {}
    for i, name in enumerate(names):
        buffer = io.BytesIO()
        crop(17 * i, 5 * i, 136).save(buffer, "JPEG", quality=98)
        found[name] = buffer.getvalue()
    return found


def mean_colour_graph() -> bytes:
    """A graph with TTUR's names whose first three features are the mean colour, the rest 0."""
    graph = tf.Graph()
    with graph.as_default():
        image = tf.compat.v1.placeholder(tf.float32, [None, None, 3])
        images = tf.raw_ops.ExpandDims(input=image, axis=0, name="ExpandDims")
        resized = tf.raw_ops.ResizeBilinear(images=images, size=(299, 299))
        mean = tf.reduce_mean(resized, (1, 2), keepdims=True)
        tf.pad(mean, ((0, 0), (0, 0), (0, 0), (0, 2045)), name="pool_3")
    return graph.as_graph_def().SerializeToString()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A folder with all that the page says one needs, under the names that it uses."""
    folder = tmp_path_factory.mktemp("reproduce")
    (folder / "configs").symlink_to(ROOT / "configs")
    (folder / "THUMBNAILS").mkdir()
    for i, number in enumerate([*range(10), *range(3000, 3006)]):
        crop(23 * i, 7 * i, 128).save(folder / "THUMBNAILS" / f"{number:05}.png")
    (folder / "ARCHIVES").mkdir()
    synset = archive(jpegs([f"n01440764_{i}.JPEG" for i in range(10)]))
    validation = [f"ILSVRC2012_val_{i:08}.JPEG" for i in range(1, 9)]
    for name, files in (("train", {"n01440764.tar": synset}), ("val", jpegs(validation))):
        (folder / "ARCHIVES" / f"ILSVRC2012_img_{name}.tar").write_bytes(archive(files))
    (folder / "CTEST10K.txt").write_text("".join(f"val/{name}\n" for name in validation[1:7]))
    (folder / "INCEPTION.pb").write_bytes(mean_colour_graph())
    crop(0, 0, 128).save(folder / "PORTRAIT.png")
    crop(9, 0, 160).save(folder / "PHOTO.png")
    rng = np.random.default_rng(0)
    widths = {1: 2, 2: 2, 3: 3}
    vgg, before = {}, 3
    for stage, count in widths.items():
        for i in range(1, count + 1):
            name = f"conv{stage}_{i}"
            vgg[f"{name}_kernel"] = rng.normal(0, 0.3, (3, 3, before, 4)).astype(np.float32)
            vgg[f"{name}_bias"], before = np.zeros(4, np.float32), 4
    np.savez(folder / "vgg.npz", **vgg)
    return folder


def toy(words: list[str], place: pathlib.Path) -> list[str]:
    """A command of the page, made small."""
    if words[0] == "python":
        return [sys.executable, *words[1:]]
    more: list[str] = []
    if words[0] == "jpeg-gan-train":
        more = [f"--config.{setting}" for setting in TOY_TRAINING]
        if any("general_ours" in word for word in words):
            more.append(f"--config.feature_weights={place / 'vgg.npz'}")
    if words[0] == "jpeg-gan-figures":
        more = list(TOY_FIGURES)
    if "--protocol=table4" in words or "--protocol=table5" in words:
        more = ["--seeds=2"]
    return [*program(words[0]), *words[1:], *more]


def cells(text: str, name: str) -> list[str]:
    """The last row of a printed table that begins with a name."""
    *_, line = [line for line in text.splitlines() if line.startswith(f"| {name} |")]
    return line.strip("| ").split(" | ")


def colours(place: pathlib.Path, numbers: range) -> np.ndarray:
    """Mean colours of portraits as the stand-in for Inception sees them: [N, 3]."""
    found = []
    for number in numbers:
        with Image.open(place / "THUMBNAILS" / f"{number:05}.png") as image:
            pixels = tf.constant(np.asarray(image)[None], tf.float32)
        resized = tf.raw_ops.ResizeBilinear(images=pixels, size=(299, 299))
        found.append(np.mean(resized, (0, 1, 2), np.float64))
    return np.array(found)


def closed_form(a: np.ndarray, b: np.ndarray) -> float:
    """The Fréchet distance of two sets in three dimensions, by the eigenvalues of a product."""
    first, second = np.cov(a.T), np.cov(b.T)
    roots = np.sqrt(np.maximum(np.linalg.eigvals(first @ second).real, 0)).sum()
    between = np.sum((a.mean(0) - b.mean(0)) ** 2)
    return float(between + np.trace(first) + np.trace(second) - 2 * roots)


@pytest.mark.slow
def test_every_command_runs_and_every_row_is_filled(place: pathlib.Path) -> None:
    said = {}
    environment = os.environ | {
        "TFDS_DATA_DIR": str(place / "datasets"),
        "XDG_CACHE_HOME": str(place / "cache"),
        "PYTHONPATH": str(ROOT),
    }
    found = commands()
    assert len(found) >= 15
    for words in found:
        result = subprocess.run(
            toy(words, place), cwd=place, env=environment, capture_output=True, text=True,
            check=False, timeout=1800,
        )  # fmt: skip
        assert result.returncode == 0, (words, result.stderr[-2000:])
        protocol = re.search(r"--protocol=(\w+)", " ".join(words))
        if protocol:
            said[protocol[1]] = result.stdout
    assert "| the paper's, FFHQ | 0.5465 | 0 |" in said["table2"]
    rows = {
        "table3": ["λ_C = 0-P", "Ours-P", "Ours, exact projection"],
        "table4": [
            "Regression", "Ours-A", "λ_C = 0", "λ_C = 0-P", "Ours", "Ours-P",
            "Ours, exact projection", "Ground truth",
        ],
        "table5": ["Ours", "Ours-P", "Ours, exact projection", "Ground truth"],
    }  # fmt: skip
    for table, names in rows.items():
        for name in names:
            own = slice(2, 3) if table == "table3" else slice(1, 4)  # an exact one has no before
            assert "–" not in cells(said[table], name)[own], name
    assert cells(said["table3"], "Ours, exact projection")[2] == "0.0000"
    truth = cells(said["table4"], "Ground truth")
    assert truth[2:4] == ["0.0000", "∞"]
    expected = closed_form(colours(place, range(3000, 3006)), colours(place, range(10)))
    assert float(truth[1]) == pytest.approx(expected, abs=0.011)
    assert "FID of 6 images" in said["table4"]
    lines = json.loads((place / "runs" / "table5" / "summary.json").read_text())["lines"]
    assert {line["images"] for line in lines} == {6}
    figures = {path.name for path in place.glob("runs/figures*/*.png")}
    assert figures == {
        "PORTRAIT_estimators.png", "PORTRAIT_recompression.png", "PHOTO_strip.png",
        "PHOTO_deviation.png",
    }  # fmt: skip


@pytest.mark.slow
def test_ground_truth_against_itself_is_nothing(place: pathlib.Path) -> None:
    flags = [
        "--images=THUMBNAILS", "--models=original", "--features=INCEPTION.pb", "--quality=5",
        "--set_metrics=distance", "--output=itself",
    ]  # fmt: skip
    command = [*program("jpeg-gan-evaluate"), *flags]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(place / "cache")}
    subprocess.run(command, cwd=place, env=environment, check=True, timeout=900)
    (line,) = json.loads((place / "itself" / "summary.json").read_text())["lines"]
    assert line["sets"][0]["distance"] == pytest.approx(0, abs=1e-3)
