import pytest

from keras_jpeg_gan.batch.manifest import RESTORED, Manifest, failed, is_part
from keras_jpeg_gan.batch.storage import open_place
from keras_jpeg_gan.errors import ConfigError

SETTINGS = {"seed": 0, "model_sha256": "a" * 64, "blend": 1.0}
OTHERS = {"seed": 3, "model_sha256": "a" * 64, "blend": 0.5}


@pytest.fixture
def place(tmp_path):
    return open_place(str(tmp_path / "_manifest"))


def done(name: str, size: int = 10, modified: int = 5) -> dict[str, object]:
    return {"name": name, "status": RESTORED, "size": size, "modified": modified,
            "output": f"{name}.png", "exact": True, "width": 100, "height": 50,
            "seconds": 2.0}  # fmt: skip


def test_only_a_record_and_its_output_prove_a_file_done(place):
    manifest = Manifest(place, "run", SETTINGS)
    assert manifest.proven(["a.png"]) == {}
    manifest.add("0", [done("a"), done("b", 20), failed("c", "bad")])
    assert manifest.proven(["a.png", "c.png", "d.png"]) == {"a": (10, 5)}
    later = Manifest(place, "later", SETTINGS)
    later.add("0", [done("a", 11, 6)])
    assert later.proven(["a.png", "b.png"]) == {"a": (11, 6), "b": (20, 5)}


def test_other_settings_are_refused(place):
    Manifest(place, "run", SETTINGS).add("0", [done("a")])
    other = Manifest(place, "later", OTHERS)
    assert other.proven([]) == {}
    with pytest.raises(ConfigError, match=r"seed 0, not 3, blend 1, not 0\.5: .*--overwrite"):
        other.proven(["a.png"])
    unknown = Manifest(place, "later", {**SETTINGS, "later_invented": True})
    with pytest.raises(ConfigError, match="settings of another version"):
        unknown.proven(["a.png"])


def test_totals_and_names_are_of_one_run(place):
    first, second = Manifest(place, "a", SETTINGS), Manifest(place, "b", SETTINGS)
    first.add("0", [done("x")])
    second.add("0", [done("y"), {**done("z"), "exact": False}, failed("w", "bad")])
    second.add("1", [{**done("v"), "exact": None}])
    assert second.names_of_run() == {"y", "z", "w", "v"}
    totals = second.totals()
    assert (totals.restored, totals.failed, totals.inexact) == (3, 1, 1)
    assert totals.megapixels == pytest.approx(0.015)
    assert Manifest(place, "c", SETTINGS).totals().restored == 0


def test_a_block_is_marked_once_until_it_is_unmarked(place):
    manifest = Manifest(place, "run", SETTINGS)
    assert manifest.mark("1")
    assert not manifest.mark("1")
    assert Manifest(place, "later", SETTINGS).mark("1")
    manifest.unmark("1")
    assert manifest.mark("1")
    manifest.add("0", [done("a")])
    manifest.sweep()
    assert [info.base_name for info in place.files()] == [manifest.part_name("0")]


def test_a_broken_part_is_named(place):
    place.below("run-0.parquet").write(b"nothing")
    with pytest.raises(ConfigError, match="_manifest"):
        Manifest(place, "run", SETTINGS).proven([])


def test_parts_are_recognized_by_their_names(place):
    name = Manifest(place, "20260101T000000-12ab", SETTINGS).part_name("01-000003-000")
    assert is_part(name)
    assert not is_part("part-0.parquet")
