"""Packed caches: what goes in comes out, within the budget, whole or not at all."""

import json
import pathlib

import numpy as np
import pytest
from PIL import Image

from keras_jpeg_gan.data import patch_cache
from keras_jpeg_gan.data.catalog import open_source
from keras_jpeg_gan.data.patch_cache import PackedSource, pack
from keras_jpeg_gan.data.sources import find_images, held_back, split
from keras_jpeg_gan.errors import ConfigError


@pytest.fixture
def photographs(tmp_path: pathlib.Path) -> pathlib.Path:
    """Twelve images, each of one grey level of its own; 3 and 4 have room for two patches."""
    folder = tmp_path / "photographs"
    folder.mkdir()
    for index in range(12):
        width = 64 if index in (3, 4) else 40
        pixels = np.full((40, width, 3), 20 * index, np.uint8)
        Image.fromarray(pixels).save(folder / f"{index}.png")
    return folder


def pack_all(photographs: pathlib.Path, output: pathlib.Path, max_mb: float = 1.0) -> PackedSource:
    pack(find_images(photographs), output, size=32, max_scale=1.2, max_mb=max_mb)
    return PackedSource(output)


def test_every_patch_is_of_its_photograph(
    photographs: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    source = pack_all(photographs, tmp_path / "cache")
    assert len(source) == 14
    for name, patch in zip(source.names, source, strict=True):
        assert patch.shape == (32, 32, 3)
        assert (patch == 20 * int(name.removesuffix(".png"))).all()
    assert sorted(source.names) == sorted([f"{i}.png" for i in range(12)] + ["3.png", "4.png"])


def test_the_budget_holds_for_the_folder_and_is_used(
    photographs: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patch_cache, "_SHARD_BYTES", 7000)  # two patches a shard
    patch = 32 * 32 * 3
    source = pack_all(photographs, tmp_path / "cache", max_mb=5.6 * patch / 1e6)
    assert len(source) == len(set(source.names)) == 5
    files = list((tmp_path / "cache").iterdir())
    assert len(files) == 4
    assert 5 * patch < sum(file.stat().st_size for file in files) <= 5.6 * patch


def test_a_cache_is_split_as_its_photographs_are(
    photographs: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    pack_all(photographs, tmp_path / "cache")
    whole = split(open_source(str(photographs), 10), 0.4)
    cached = split(open_source(str(tmp_path / "cache"), 10), 0.4)
    for ours, theirs in zip(cached, whole, strict=True):
        assert set(ours.names) == set(theirs.names)
    assert all(held_back(name, 0.4) for name in cached[1].names)


def test_packing_is_deterministic(photographs: pathlib.Path, tmp_path: pathlib.Path) -> None:
    for name in ("one", "two"):
        pack_all(photographs, tmp_path / name, max_mb=0.02)
    one, two = ({f.name: f.read_bytes() for f in (tmp_path / n).iterdir()} for n in ("one", "two"))
    assert one == two


def test_unreadable_images_are_passed_over(
    photographs: pathlib.Path, tmp_path: pathlib.Path, caplog: pytest.LogCaptureFixture
) -> None:
    cut = photographs / "3.png"  # its header is whole
    cut.write_bytes(cut.read_bytes()[:60])
    (photographs / "5.png").write_bytes(b"no image")
    source = pack_all(photographs, tmp_path / "cache")
    assert len(source) == 11
    messages = " ".join(record.getMessage() for record in caplog.records)
    assert "3.png" in messages
    assert "5.png" in messages
    with pytest.raises(ConfigError, match="none of 2"):
        pack([cut, photographs / "5.png"], tmp_path / "none", 32, 1.0, 1.0)
    assert not (tmp_path / "none").exists()


def test_an_interrupted_run_leaves_nothing(
    photographs: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(patch_cache, "draw_patch", interrupted)
        with pytest.raises(KeyboardInterrupt):
            pack_all(photographs, tmp_path / "cache")
    assert [path.name for path in tmp_path.iterdir()] == ["photographs"]
    unfinished = tmp_path / ".cache.unfinished"  # of a run that was killed
    unfinished.mkdir()
    (unfinished / "patches_0099.npy").write_bytes(b"part")
    assert len(pack_all(photographs, tmp_path / "cache")) == 14
    assert not unfinished.exists()


def test_what_is_there_is_not_overwritten(
    photographs: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    with pytest.raises(ConfigError, match="already exists"):
        pack_all(photographs, photographs)
    with pytest.raises(ConfigError, match="too little"):
        pack_all(photographs, tmp_path / "cache", max_mb=0.003)


def damage_format(cache: pathlib.Path) -> None:
    index = json.loads((cache / "index.json").read_text())
    (cache / "index.json").write_text(json.dumps({**index, "format": 99}))


def damage_names(cache: pathlib.Path) -> None:
    index = json.loads((cache / "index.json").read_text())
    (cache / "index.json").write_text(json.dumps({**index, "names": index["names"][1:]}))


def damage_index(cache: pathlib.Path) -> None:
    (cache / "index.json").write_text("{")


def remove_shard(cache: pathlib.Path) -> None:
    (cache / "patches_0000.npy").unlink()


def cut_shard(cache: pathlib.Path) -> None:
    shard = cache / "patches_0000.npy"
    shard.write_bytes(shard.read_bytes()[:-1])


def change_shard(cache: pathlib.Path) -> None:
    np.save(cache / "patches_0000.npy", np.zeros((14, 32, 32, 3), np.float32))


def empty_shard(cache: pathlib.Path) -> None:
    (cache / "patches_0000.npy").write_bytes(b"")


@pytest.mark.parametrize(
    "damage",
    [damage_format, damage_names, damage_index, remove_shard, cut_shard, empty_shard, change_shard],
)
def test_damaged_caches_are_refused(
    damage: object, photographs: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    pack_all(photographs, tmp_path / "cache")
    damage(tmp_path / "cache")
    with pytest.raises(ConfigError, match="pack it again"):
        PackedSource(tmp_path / "cache")
