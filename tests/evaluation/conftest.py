"""Photographs of waves, and a made-up feature network."""

import pathlib

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def images(tmp_path: pathlib.Path) -> pathlib.Path:
    """Three pictures, one of them in a folder of its own."""
    folder = tmp_path / "images"
    (folder / "more").mkdir(parents=True)
    y, x = np.mgrid[:128, :144]
    for i, name in enumerate(("1.png", "2.png", "more/1.png")):
        wave = 128 + 60 * np.sin(x / (2 + i)) + 30 * np.cos(y * (i + 1) / 3)
        Image.fromarray(np.stack([wave, wave, 255 - wave], -1).astype(np.uint8)).save(folder / name)
    return folder
