"""TFDS datasets as sources: mocked ones, and FFHQ prepared from a folder of made-up portraits."""

import pathlib
import sys

import numpy as np
import pytest
from PIL import Image

from keras_jpeg_gan.data.catalog import open_source
from keras_jpeg_gan.data.datasets import prepare
from keras_jpeg_gan.data.degradation import SkewedQualities
from keras_jpeg_gan.data.examples import PatchDistribution, example
from keras_jpeg_gan.data.sources import split
from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.jpeg.sampling import Sampling

tfds = pytest.importorskip("tensorflow_datasets", reason="tensorflow-datasets is not installed")


@pytest.mark.parametrize("name", ["imagenet2012", "mnist", "oxford_flowers102:test"])
def test_datasets_give_rgb_images(name: str) -> None:
    with tfds.testing.mock_data(num_examples=7):
        source = open_source(f"tfds:{name}", 10)
        assert len(source) == len(set(source.names)) == 7
        for index in range(7):
            image = source[index]
            assert image.dtype == np.uint8
            assert image.ndim == 3
            assert image.shape[2] == 3
        patches = PatchDistribution(
            16, 1.5, SkewedQualities(10, 10), {Sampling.parse("4:2:0"): 1.0}
        )
        assert example(source, patches, 0, 0)["original"].shape == (16, 16, 3)


def test_ffhq_is_prepared_from_a_folder(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    levels = {2998: 10, 2999: 20, 3000: 30, 4999: 40, 5000: 50, 69999: 60}
    for number, level in levels.items():
        folder = tmp_path / "thumbnails" / f"{number // 1000:02}000"
        folder.mkdir(parents=True, exist_ok=True)
        pixels = np.full((16, 16, 3), level, np.uint8)
        Image.fromarray(pixels).save(folder / f"{number:05}.png")
    monkeypatch.setattr(tfds.core.constants, "DATA_DIR", str(tmp_path / "data"))
    prepare("ffhq", tmp_path / "thumbnails")
    train, test = open_source("tfds:ffhq", 10), open_source("tfds:ffhq:test", 10)
    assert sorted(int(image[0, 0, 0]) for image in train) == [10, 20, 50, 60]
    assert sorted(int(image[0, 0, 0]) for image in test) == [30, 40]
    training, validating = split(train, 0.5)
    assert len(training) + len(validating) == 4


def test_ffhq_in_full_size_is_reduced_by_area_averaging(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = np.random.default_rng(0).integers(0, 256, (1024, 1024, 3), np.uint8)
    for number in (0, 3000):
        Image.fromarray(large).save(tmp_path / f"{number:05}.png")
    monkeypatch.setattr(tfds.core.constants, "DATA_DIR", str(tmp_path / "data"))
    prepare("ffhq", tmp_path)
    expected = large.reshape(128, 8, 128, 8, 3).mean((1, 3))
    found = open_source("tfds:ffhq:test", 10)[0]
    assert np.abs(found - expected).max() <= 1  # Pillow rounds after each axis


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("nonsense", "knows no such dataset"),
        ("imagenet2012", "data.prepare --name=imagenet2012"),
        ("ffhq", "data.prepare --name=ffhq"),
        ("ag_news_subset", "0 images"),
    ],
)
def test_what_cannot_be_read_says_what_to_do(
    name: str, reason: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tfds.core.constants, "DATA_DIR", str(tmp_path))
    with pytest.raises(ConfigError, match=reason) as raised:
        open_source(f"tfds:{name}", 10)
    assert "\n" not in str(raised.value)


def test_folders_without_portraits_are_refused(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tfds.core.constants, "DATA_DIR", str(tmp_path / "data"))
    Image.new("RGB", (16, 16)).save(tmp_path / "holiday.png")
    with pytest.raises(ConfigError, match=r"NNNNN\.png"):
        prepare("ffhq", tmp_path)


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    with pytest.raises(ConfigError, match=r"keras-jpeg-gan\[train\]"):
        open_source("tfds:ffhq", 10)
