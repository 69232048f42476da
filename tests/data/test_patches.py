"""Patches, degradation and sources: known answers and invariants."""

import pathlib

import numpy as np
import pytest
from PIL import Image

from keras_jpeg_gan.data.degradation import QualityLaw, check_mix, degrade, draw_sampling
from keras_jpeg_gan.data.patches import draw_patch
from keras_jpeg_gan.data.sources import FolderSource, find_images, held_back
from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.jpeg.tables import quality_tables


def ramp(height: int, width: int) -> np.ndarray:
    """An image whose red is its row and whose green is its column."""
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 0], image[..., 1] = np.mgrid[:height, :width]
    return image


def test_patches_have_their_size_and_the_whole_range_of_scales() -> None:
    rng = np.random.default_rng(0)
    image, spans = ramp(200, 240), []
    for _ in range(200):
        patch = draw_patch(image, 32, 3.0, rng)
        assert patch.shape == (32, 32, 3)
        spans.append(int(np.ptp(patch[..., 0].astype(int))))
    spans = np.array(spans)
    assert 0.35 < np.mean(spans == 31) < 0.65  # half are plain crops
    assert spans.max() > 80
    assert spans.max() < 97
    assert spans.min() >= 30


@pytest.mark.parametrize("size", [(20, 50), (33, 20), (64, 64)])
def test_small_images_are_enlarged(size: tuple[int, int]) -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        assert draw_patch(ramp(*size), 64, 2.0, rng).shape == (64, 64, 3)


def test_faces_stay_upright() -> None:
    rng = np.random.default_rng(2)
    for _ in range(20):
        rows = draw_patch(ramp(64, 64), 32, 1.5, rng, transpose=False)[..., 0].astype(int)
        assert (np.diff(rows.mean(axis=1)) > 0).all()


def test_degrade_uses_libjpegs_tables_and_decode() -> None:
    image = ramp(48, 64)
    for sampling in ("4:2:0", "4:2:2", "4:4:4"):
        compressed, tables = degrade(image, 30, sampling)
        np.testing.assert_array_equal(tables, np.stack(quality_tables(30)))
        assert compressed.dtype == np.uint8
        assert 0 < np.abs(compressed.astype(int) - image).mean() < 10


def test_quality_law_keeps_its_range_and_skew() -> None:
    rng = np.random.default_rng(3)
    uniform = [QualityLaw(5, 95).draw(rng) for _ in range(2000)]
    skewed = [QualityLaw(5, 95, 2.0).draw(rng) for _ in range(2000)]
    assert min(uniform + skewed) == 5
    assert max(uniform + skewed) == 95
    assert abs(np.mean(uniform) - 50) < 2
    assert abs(np.mean(skewed) - (5 + 90 / 3)) < 2
    assert QualityLaw(7, 7).draw(rng) == 7


@pytest.mark.parametrize("law", [(0, 50, 1), (60, 50, 1), (5, 101, 1), (5, 50, 0)])
def test_impossible_quality_laws_are_refused(law: tuple[int, int, float]) -> None:
    with pytest.raises(ConfigError):
        QualityLaw(*law)


def test_sampling_mix() -> None:
    rng = np.random.default_rng(4)
    drawn = [draw_sampling({"4:2:0": 3.0, "4:4:4": 1.0, "4:2:2": 0.0}, rng) for _ in range(2000)]
    assert abs(drawn.count("4:2:0") / 2000 - 0.75) < 0.04
    assert "4:2:2" not in drawn
    for mix in ({}, {"4:1:1": 1.0}, {"4:2:0": -1.0}, {"4:2:0": 0.0}):
        with pytest.raises(ConfigError):
            check_mix(mix)


def test_folder_source(tmp_path: pathlib.Path) -> None:
    (tmp_path / "deep").mkdir()
    Image.fromarray(ramp(8, 9)).save(tmp_path / "deep" / "b.png")
    Image.fromarray(ramp(5, 6)).convert("L").save(tmp_path / "c.PNG")
    (tmp_path / "note.txt").write_text("no image")
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
