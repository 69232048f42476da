"""Originals: what lists name, and what makes two folders the same."""

import pathlib
import shutil

import numpy as np
import pytest

from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.evaluation.originals import identity, open_originals, read_ahead, select


def test_lists_name_paths_or_file_names(images: pathlib.Path) -> None:
    source, place = open_originals(str(images)), str(images)
    assert source.names == ["1.png", "2.png", "more/1.png"]

    def names(*listed: str) -> list[str]:
        return list(select(source, place, listed, "--list").names)

    assert names("more/1.png", "1.png") == ["more/1.png", "1.png"]
    assert names("val/2.png") == ["2.png"]
    with pytest.raises(ConfigError, match=r"--list: 3\.png: no such image in"):
        names("1.png", "3.png")
    with pytest.raises(ConfigError, match=r"val/1\.png: 2 images are called so"):
        names("val/1.png")
    with pytest.raises(ConfigError, match="--list: lists nothing"):
        names()


def test_a_folder_is_known_by_its_images(images: pathlib.Path, tmp_path: pathlib.Path) -> None:
    copy = shutil.copytree(images, tmp_path / "copy")
    assert identity(str(copy)) == identity(str(images))
    (copy / "2.png").write_bytes((copy / "1.png").read_bytes())
    assert identity(str(copy)) != identity(str(images))


def test_images_are_read_ahead_in_order(images: pathlib.Path) -> None:
    (images / "0.png").write_bytes(b"broken")
    source = open_originals(str(images))
    found = list(read_ahead(source))
    assert [name for name, _, _ in found] == ["0.png", "1.png", "2.png", "more/1.png"]
    assert found[0][1] is None
    assert "0.png" in str(found[0][2])
    for (_, image, error), expected in zip(found[1:], list(source), strict=True):
        np.testing.assert_array_equal(image, expected)
        assert error is None
    assert [name for name, _, _ in read_ahead(source, 2)] == ["2.png", "more/1.png"]
