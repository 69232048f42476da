import os

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from keras_jpeg_gan.batch.sources import (
    blocks,
    find_sources,
    output_of,
    read_rows,
)
from keras_jpeg_gan.batch.storage import Place
from keras_jpeg_gan.decoding.files.inputs import find_inputs
from keras_jpeg_gan.errors import ConfigError


def test_a_folder_gives_what_jpeg_gan_decode_finds_there(photos):
    sources = find_sources(str(photos))
    assert set(sources.names()) == {
        item.relative.as_posix() for item in find_inputs([str(photos)]).files
    }
    assert (sources.problems, sources.passed_over) == ([], 1)
    sizes = [(photos / name).stat().st_size for name in sources.names()]
    assert sources.table["size"].to_pylist() == sizes


def test_sidecars_are_passed_over_in_folders_and_buckets_alike(photos, monkeypatch):
    """Here and there by the same names, but that hidden files of a bucket are left out as well."""
    before = find_sources(str(photos)).names()
    for name in ("._00.jpg", "@eaDir/00.jpg", "deep/.thumbnails/1.jpg", "deep/__MACOSX/1.jpg"):
        (photos / name).parent.mkdir(parents=True, exist_ok=True)
        (photos / name).write_bytes(b"")
    for local in (True, False):
        monkeypatch.setattr(Place, "is_local", local)
        for uri in (str(photos), f"{photos}/**/*.jpg"):
            sources = find_sources(uri)
            assert sources.names() == before
        assert find_sources(str(photos)).passed_over == 5


def test_files_that_changed_are_restored_again(photos):
    before = find_sources(str(photos))
    files = before.table.to_pylist()
    done = {file["file"]: (file["size"], file["modified"]) for file in files}
    assert len(before.left(done, [])) == 0
    assert len(before.left(done, ["00.jpg"])) == 0
    assert len(before.left({}, ["00.jpg"])) == len(files) - 1
    (photos / "00.jpg").write_bytes(b"longer" * 1000)
    same_size = (photos / "03.jpg").read_bytes()[::-1]
    (photos / "03.jpg").write_bytes(same_size)
    after = find_sources(str(photos))
    assert [after.names()[i] for i in after.left(done, [])] == ["00.jpg", "03.jpg"]
    single = find_sources(str(photos / "deep/01.jpg")).table.to_pylist()[0]
    assert (single["size"], single["modified"]) == done["deep/01.jpg"]


@pytest.mark.parametrize(
    ("pattern", "count"), [("*.jpg", 5), ("**/*.jpg", 13), ("deep/0[1-4].jpg", 3)]
)
def test_a_glob_gives_what_it_matches(photos, pattern, count):
    sources = find_sources(f"{photos}/{pattern}")
    expected = {path.relative_to(photos).as_posix() for path in photos.glob(pattern)}
    # The names are relative to the part of the glob without wildcards.
    base = sources.root.path.removeprefix(str(photos)).strip("/")
    assert {f"{base}/{name}".strip("/") for name in sources.names()} == expected
    assert len(expected) == count


def test_a_single_file_is_its_own_source(photos):
    assert find_sources(str(photos / "00.jpg")).names() == ["00.jpg"]


def test_nothing_to_restore_is_an_error(tmp_path):
    with pytest.raises(ConfigError, match="no file named"):
        find_sources(f"{tmp_path}/*.jpg")
    with pytest.raises(ConfigError, match="no file named"):
        find_sources(str(tmp_path), "image")


def test_a_name_that_is_not_utf8_is_a_problem(photos):
    with open(os.fsencode(photos) + b"/\xff.jpg", "wb"):
        pass
    sources = find_sources(str(photos))
    assert len(sources.table) == 13
    assert [reason for _, reason in sources.problems] == ["its name is not UTF-8: rename it"]


def test_names_of_images_mirror_the_tree_and_are_distinct(tmp_path):
    (tmp_path / "a").mkdir()
    for name in ("b.c.jpeg", "d.jpg", "d.JPEG"):
        (tmp_path / "a" / name).write_bytes(b"")
    stems = find_sources(str(tmp_path)).table["stem"].to_pylist()
    assert [output_of(stem, ".png") for stem in stems] == [
        "a/b.c.restored.png",
        "a/d.JPEG.restored.png",
        "a/d.jpg.restored.png",
    ]


def test_names_of_rows_are_those_of_their_files(dataset):
    stems = find_sources(str(dataset), "raw").table["stem"].to_pylist()
    assert output_of(stems[17], ".webp") == "a/0000017.restored.webp"


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("count", [1, 10, 3000])
def test_blocks_keep_each_file_once_and_are_bounded(workers, count):
    rng = np.random.default_rng(0)
    sizes = rng.integers(1, 100_000, 4000)
    sizes[5] = 50_000_000
    indices = np.sort(rng.permutation(4000)[:count])
    found = list(blocks(sizes, indices, workers))
    assert (np.concatenate(found) == indices).all()
    assert all(len(block) == 1 or sizes[block].sum() <= 8_000_000 for block in found)
    assert max(map(len, found)) <= 256
    assert len(found) >= min(count, 8 * workers)


def test_no_file_is_no_block():
    assert list(blocks(np.zeros(3), np.zeros(0, int), 2)) == []


@pytest.fixture
def dataset(tmp_path):
    """A Parquet file of 200 rows in groups of 70, and a broken one."""
    folder = tmp_path / "set"
    folder.mkdir()
    struct = [{"bytes": b"%d" % i, "path": f"{i}.jpg"} for i in range(200)]
    table = pa.table({"image": struct, "raw": [b"%d" % i for i in range(200)], "n": range(200)})
    pq.write_table(table, folder / "a.parquet", row_group_size=70)
    (folder / "b.parquet").write_bytes(b"none")
    return folder


def test_rows_of_parquet_files_are_listed_and_broken_files_named(dataset):
    sources = find_sources(str(dataset), "image.bytes")
    assert sources.names() == [f"a/{i:07}" for i in range(200)]
    assert [name for name, _ in sources.problems] == ["b.parquet"]
    modified = (dataset / "a.parquet").stat().st_mtime_ns
    done = {name: (0, modified) for name in sources.names()}
    assert len(sources.left(done, [])) == 0
    os.utime(dataset / "a.parquet", ns=(0, modified + 1))
    assert len(find_sources(str(dataset), "image.bytes").left(done, [])) == 200


def test_rows_are_read_across_groups_with_the_columns_asked_for(dataset):
    place = find_sources(str(dataset), "raw").root.below("a.parquet")
    wanted = [0, 1, 69, 70, 139, 140, 199]
    found = list(read_rows(place, wanted, ["n"]))
    assert [batch.to_pylist() for batch in found] == [[{"n": row}] for row in wanted]
    (batch,) = read_rows(place, [150], None)
    assert batch.schema.names == ["image", "raw", "n"]


@pytest.mark.parametrize(
    ("column", "said"),
    [
        ("picture", "no column picture"),
        ("n", "not binary"),
        ("image.size", "no column"),
        ("raw.x", "no column"),
    ],
)
def test_a_column_without_bytes_is_refused(dataset, column, said):
    with pytest.raises(ConfigError, match=said):
        find_sources(str(dataset), column)
