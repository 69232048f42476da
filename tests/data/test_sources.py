"""Sources: what is found, read, cached, skipped and held back."""

import pathlib

import numpy as np
import pytest
from PIL import Image

from keras_jpeg_gan.data.sources import (
    FolderSource,
    UnreadableImageError,
    find_images,
    held_back,
    read_image,
    split,
)
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


@pytest.mark.parametrize("mode", ["<u2", ">u2"])
def test_gray_of_16_bits_is_scaled_to_8(tmp_path: pathlib.Path, mode: str) -> None:
    gray = ramp(40, 200)[..., 1]
    Image.fromarray((gray.astype(np.uint32) * 257).astype(mode)).save(tmp_path / "deep.tif")
    expected = np.repeat(gray[..., None], 3, axis=2)
    np.testing.assert_array_equal(read_image(tmp_path / "deep.tif"), expected)


def test_a_found_file_of_16_bits_is_its_8_bit_version(shared_data: pathlib.Path) -> None:
    path = shared_data / "found" / "gray_16_bits.png"
    with Image.open(path) as image:
        exact = np.asarray(image, float) * 255 / 65535
    found = read_image(path)
    assert np.abs(found - exact[..., None]).max() <= 0.5 + 1e-4


@pytest.mark.parametrize(("kind", "word"), [(np.float32, "floats"), (np.int32, "32-bit integers")])
def test_numbers_of_unknown_range_are_refused(
    tmp_path: pathlib.Path, kind: type, word: str
) -> None:
    Image.fromarray(ramp(8, 9)[..., 1].astype(kind)).save(tmp_path / "odd.tif")
    with pytest.raises(UnreadableImageError, match=rf"odd\.tif: {word}"):
        read_image(tmp_path / "odd.tif")


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
