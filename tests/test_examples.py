"""The examples do what their first lines say."""

import base64
import copy
import io
import pathlib
import re
import subprocess
from typing import Any

import numpy as np
import pytest
from PIL import Image

from keras_jpeg_gan import Decoder, JpegFile
from keras_jpeg_gan.jpeg.encoder import certify
from tests.files import jpeg
from tests.programs import with_tensorflow

ROOT = pathlib.Path(__file__).parents[1]


def run(example: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    return with_tensorflow()(ROOT / "examples" / f"{example}.py", *arguments)


def pixels_of(path: pathlib.Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


def small(example: str, path: pathlib.Path, quality: int = 10) -> pathlib.Path:
    """A crop of an example photograph, as a JPEG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with Image.open(ROOT / "examples" / f"{example}.jpg") as image:
        image.crop((0, 0, 160, 128)).save(path, quality=quality)
    return path


def test_a_folder_is_restored_and_a_bad_file_is_named(tmp_path: pathlib.Path) -> None:
    photographs, output = tmp_path / "photographs", tmp_path / "output"
    one = small("wood", photographs / "one.jpg")
    small("mountain", photographs / "deep" / "two.jpg")
    (photographs / "bad.jpg").write_bytes(b"nothing")
    done = run("restore_folder", photographs, output)
    assert done.returncode == 1
    assert re.fullmatch(r".*bad\.jpg: not a JPEG.*\n", done.stderr)
    assert done.stdout.count(": exact: ") == 2
    files = {str(path.relative_to(output)) for path in output.rglob("*") if path.is_file()}
    assert files == {"one.png", "deep/two.png"}
    assert np.array_equal(pixels_of(output / "one.png"), Decoder().restore(one).pixels)


def test_samples_are_exact_and_the_map_shows_where_they_differ(tmp_path: pathlib.Path) -> None:
    source = small("wood", tmp_path / "wood.jpg")
    done = run("draw_samples", source, tmp_path / "out", "--count=4")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(": exact: ") == 5  # the mean, too
    quantized = JpegFile.read(source).quantized
    samples = [pixels_of(tmp_path / "out" / f"sample_{seed}.png") for seed in range(4)]
    assert all(certify(sample, quantized).exact for sample in samples)
    deviation = np.std(np.stack(samples).astype(float), axis=0, ddof=1)
    deviation = np.sqrt((deviation**2).mean(axis=2))
    said = float(re.search(r"deviation: ([\d.]+) grey levels", done.stdout)[1])
    assert said == pytest.approx(deviation.mean(), abs=0.06)
    shown = pixels_of(tmp_path / "out" / "deviation.png")
    assert shown[deviation > 20].mean() < shown[deviation < 5].mean()
    left, top = map(int, re.search(r"most between \((\d+), (\d+)\)", done.stdout).groups())
    square = deviation[top : top + 96, left : left + 96]
    assert square.mean() >= deviation[:96, :96].mean()
    differences = pixels_of(tmp_path / "out" / "differences.png")
    assert differences.shape == (3 * 96, 3 * 96 * 6, 3)
    assert np.array_equal(differences[::3, 3 * 96 : 6 * 96 : 3], samples[0][top:, left:][:96, :96])


def test_the_pipeline_yields_batches_of_restored_crops(tmp_path: pathlib.Path) -> None:
    pytest.importorskip("tensorflow", reason="TensorFlow is not installed")
    for i in range(3):
        small("wood", tmp_path / f"{i}.jpg")
    (tmp_path / "gray.jpg").write_bytes(jpeg(80, 96, gray=True))
    (tmp_path / "bad.jpg").write_bytes(b"nothing")  # passed over
    done = run("tf_data_pipeline", tmp_path, "--batch=3")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("a batch (3, 64, 64, 3)") == 1
    assert done.stdout.count("a batch (1, 64, 64, 3)") == 1


@pytest.mark.slow
def test_a_training_ends_in_a_model_that_restores(tmp_path: pathlib.Path) -> None:
    for i in range(20):  # under names of their own, so that some are held back
        small("mountain", tmp_path / "photographs" / f"{i}.jpg", quality=95)
    source = small("wood", tmp_path / "wood.jpg")
    given = (tmp_path / "photographs", tmp_path / "mine", source, "--patch=32")
    done = run("train_on_your_photographs", *given, "--steps=2")
    assert done.returncode == 0, done.stderr
    assert "wood.png: exact: " in done.stdout
    quantized = JpegFile.read(source).quantized
    restored = pixels_of(tmp_path / "mine" / "wood.png")
    assert certify(restored, quantized).exact
    untrained = Decoder("regression").restore(source).pixels
    assert np.abs(restored.astype(int) - untrained).mean() < 3  # two small steps from there
    assert not np.array_equal(restored, untrained)
    done = run("train_on_your_photographs", *given, "--steps=3")  # resumes
    assert done.returncode == 0, done.stderr
    assert "resumed at step 2" in done.stderr


@pytest.mark.slow
def test_a_training_without_enough_photographs_says_so(tmp_path: pathlib.Path) -> None:
    small("mountain", tmp_path / "photographs" / "only.jpg")
    done = run(
        "train_on_your_photographs", tmp_path / "photographs", tmp_path / "mine", tmp_path / "x.jpg"
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(f"{tmp_path / 'photographs'}: ")


def pictures(notebook: Any) -> list[np.ndarray]:
    """All pictures among a notebook's outputs, in order."""
    found = []
    for output in (output for cell in notebook.cells for output in cell.get("outputs", [])):
        data = output.get("data", {})
        shown = re.findall('data:image/png;base64,([^"]*)', data.get("text/html", ""))
        shown += [data["image/png"]] if "image/png" in data else []
        for content in shown:
            with Image.open(io.BytesIO(base64.b64decode(content))) as image:
                found.append(np.asarray(image.convert("RGB")))
    return found


def test_the_tour_still_gives_what_it_shows() -> None:
    nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed")
    nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed")
    kept = nbformat.read(ROOT / "examples" / "tour.ipynb", 4)
    made = copy.deepcopy(kept)
    for cell in made.cells:
        cell.get("outputs", []).clear()
    there = {"metadata": {"path": str(ROOT / "examples")}}
    nbclient.NotebookClient(made, timeout=600, resources=there).execute()
    ours, shown = pictures(made), pictures(kept)
    assert [picture.shape for picture in ours] == [picture.shape for picture in shown]
    assert len(shown) == 5
    for one, other in zip(ours, shown, strict=True):  # processors round differently
        assert np.abs(one.astype(int) - other).mean() < 1
    texts = [str(cell.get("outputs", "")) for cell in made.cells]
    assert sum(">exact: " in text for text in texts) == 1
    assert sum("not exact: " in text for text in texts) == 1
    assert sum("[True, True, True, True]" in text for text in texts) == 1


def test_the_page_lists_every_example() -> None:
    page = (ROOT / "examples" / "README.md").read_text()
    listed = set(re.findall(r"\]\((\w+\.(?:py|ipynb))\)", page))
    assert listed == {path.name for path in (ROOT / "examples").glob("*.[pi][yp]*")}
