"""Sources: what is found, read, cached, skipped and held back."""

import pathlib

import numpy as np
import pytest
from PIL import Image

from keras_jpeg_gan.data.sources import FolderSource, find_images, held_back, split
from keras_jpeg_gan.errors import ConfigError


def ramp(height: int, width: int) -> np.ndarray:
    """An image whose red is its row and whose green is its column."""
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 0], image[..., 1] = np.mgrid[:height, :width]
    return image


def test_folder_source(tmp_path: pathlib.Path) -> None:
    (tmp_path / "deep").mkdir()
    Image.fromarray(ramp(8, 9)).save(tmp_path / "deep" / "b.png")
    Image.fromarray(ramp(5, 6)).convert("L").save(tmp_path / "c.PNG")
    (tmp_path / "note.txt").write_text("no image")
    for sidecar in ("._c.PNG", "@eaDir/c.PNG/thumb.png", "deep/.thumbnails/b.png"):
        (tmp_path / sidecar).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(ramp(2, 2)).save(tmp_path / sidecar)
    paths = find_images(tmp_path)
    assert [path.name for path in paths] == ["c.PNG", "b.png"]
    source = FolderSource(paths)
    np.testing.assert_array_equal(source[1], ramp(8, 9))
    assert source[1] is source[1]
    assert FolderSource(paths, cache_mb=0)[0].shape == (5, 6, 3)


def test_unusable_folders_and_files_are_named(tmp_path: pathlib.Path) -> None:
    with pytest.raises(ConfigError, match="no such folder"):
        find_images(tmp_path / "nowhere")
    with pytest.raises(ConfigError, match="no image"):
        find_images(tmp_path)
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"not an image")
    with pytest.raises(ConfigError, match=r"broken\.png"):
        FolderSource([broken])[0]


def test_held_back_share_depends_on_the_name_alone() -> None:
    names = [pathlib.Path(f"a/{i}.png") for i in range(4000)]
    share = np.mean([held_back(name, 0.1) for name in names])
    assert 0.08 < share < 0.12
    assert all(held_back(n, 0.1) == held_back(pathlib.Path("b") / n.name, 0.1) for n in names)


def test_unreadable_images_are_named_once_and_passed_over(
    tmp_path: pathlib.Path, caplog: pytest.LogCaptureFixture
) -> None:
    Image.fromarray(ramp(8, 9)).save(tmp_path / "a.png")
    whole = (tmp_path / "a.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    Image.fromarray(ramp(5, 6)).save(tmp_path / "z.png")
    source = FolderSource(find_images(tmp_path))
    for _ in range(2):
        assert [image.shape for image in source] == [(8, 9, 3), (5, 6, 3)]
    assert sum("cut.png" in record.getMessage() for record in caplog.records) == 1


def test_a_split_parts_all_images_by_name(tmp_path: pathlib.Path) -> None:
    for index in range(40):
        Image.fromarray(np.full((4, 4, 3), index, np.uint8)).save(tmp_path / f"{index}.png")
    source = FolderSource(find_images(tmp_path))
    training, validating = split(source, 0.3)
    assert all(held_back(name, 0.3) for name in validating.names)
    assert not any(held_back(name, 0.3) for name in training.names)
    for part in (training, validating):
        assert [f"{image[0, 0, 0]}.png" for image in part] == list(part.names)
    assert {*training.names, *validating.names} == set(source.names)
    with pytest.raises(ConfigError, match="0 held back"):
        split(source, 0.0)
