import dataclasses
import hashlib

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from keras_jpeg_gan.batch.sources import find_sources
from keras_jpeg_gan.batch.storage import open_place
from keras_jpeg_gan.batch.worker import Worker
from keras_jpeg_gan.decoding import runtimes
from keras_jpeg_gan.decoding.options import RestoreOptions
from keras_jpeg_gan.errors import ModelError
from tests.batch.stand_in import Moody
from tests.decoding.made_up import ShiftedBlur
from tests.files import cmyk, jpeg, saved

pytestmark = pytest.mark.usefixtures("stand_in")


def work(job, *, size=100, megapixels=1.0, worker=None):
    """Restore all files of the job in blocks of this size; the worker's outcomes."""
    table = find_sources(str(job.source), job.bytes_column).table
    worker = worker or Worker(job, megapixels)
    outcomes = []
    for first in range(0, len(table), size):
        files = table.slice(first, size).to_pylist()
        batch = pa.table({"block": [f"01-{first:06}"], "files": [files]})
        outcomes += worker(batch).to_pylist()
    return outcomes


def contents(job) -> dict[str, bytes]:
    """The files of the output, except those of the manifest."""
    below = len(job.output.path) + 1
    names = [info.path[below:] for info in job.output.files()]
    return {name: job.output.below(name).read() for name in names if not name.startswith("_")}


def elsewhere(job, tmp_path, name, **changes):
    output = open_place(str(tmp_path / name))
    return dataclasses.replace(job, output=output, records=output.below("_manifest"), **changes)


def test_each_file_gets_an_image_and_a_record(job, photos, records):
    (outcome,) = work(job)
    assert (outcome["files"], outcome["failed"], outcome["larger"]) == (13, 1, [])
    assert outcome["megapixels"] == pytest.approx(12 * 24 * 32 / 1e6)
    found = {record["name"]: record for record in records(photos.parent / "out")}
    assert set(found) == {path.relative_to(photos).as_posix() for path in photos.rglob("*.jpg")}
    assert found["bad.jpg"]["status"] == "failed"
    assert found["bad.jpg"]["error"].startswith("not a JPEG")
    for name, record in found.items():
        content = (photos / name).read_bytes()
        assert record["size"] == len(content)
        assert record["modified"] == (photos / name).stat().st_mtime_ns
        assert record["sha256"] == hashlib.sha256(content).hexdigest()
        if name != "bad.jpg":
            assert record["output"] == name.replace(".jpg", ".restored.png")
            assert record["model_sha256"] == job.model_sha256
            assert record["levels_equal"] == record["levels_total"] > 0
            assert 0 < record["decoder_seconds"] < record["seconds"]
    assert set(contents(job)) == {r["output"] for r in found.values() if r["output"]}


@pytest.mark.parametrize(("image_format", "status"), [(None, "restored"), ("png", "failed")])
def test_inks_become_tiff_unless_another_format_is_asked_for(
    job, photos, records, image_format, status
):
    (photos / "bad.jpg").write_bytes(cmyk(24, 32))
    (outcome,) = work(dataclasses.replace(job, image_format=image_format))
    assert outcome["failed"] == (status == "failed")
    found = {record["name"]: record for record in records(photos.parent / "out")}
    assert found["bad.jpg"]["status"] == status
    assert found["00.jpg"]["output"] == "00.restored.png"
    if image_format is None:
        assert found["bad.jpg"]["output"] == "bad.restored.tiff"
        assert found["bad.jpg"]["colour_model"] == "CMYK"
    else:
        assert found["bad.jpg"]["error"].startswith("CMYK: png holds only gray and RGB")


def test_results_are_those_of_the_decoder_whatever_the_blocks(job, photos, tmp_path):
    work(job)
    single = elsewhere(job, tmp_path, "single")
    work(single, size=1)
    assert contents(single) == contents(job)
    restored = job.decoder().restore(photos / "00.jpg")
    assert contents(job)["00.restored.png"] == restored.encoded("png")


@pytest.mark.parametrize("seed_from", ["path", "content"])
def test_seeds_come_from_the_file_alone(job, photos, tmp_path, records, seed_from):
    (photos / "deep" / "copy.jpg").write_bytes((photos / "00.jpg").read_bytes())
    seeded = elsewhere(job, tmp_path, "seeded", seed_from=seed_from)
    work(seeded)
    seeds = {r["name"]: r["seed"] for r in records(tmp_path / "seeded") if r["output"]}
    distinct = 13 if seed_from == "path" else 12
    assert len(set(seeds.values())) == distinct
    assert seeds["00.jpg"] == seeded.seed_of(
        "00.jpg", hashlib.sha256((photos / "00.jpg").read_bytes()).hexdigest()
    )
    other = elsewhere(job, tmp_path, "other", seed_from=seed_from, seed=1)
    work(other)
    assert not set(seeds.values()) & {r["seed"] for r in records(tmp_path / "other")}
    restored = job.decoder().restore(photos / "00.jpg", seeds["00.jpg"])
    assert contents(seeded)["00.restored.png"] == restored.encoded("png")


@pytest.mark.parametrize(
    "change",
    [{"projection": "float"}, {"blend": 0.5}, {"temperature": 0}, {"earlier_save": "off"}],
)
def test_a_manifest_is_of_the_options_that_change_images(job, change):
    changed = dataclasses.replace(job, options=RestoreOptions(**change))
    assert changed.settings != job.settings


def test_truncated_files_may_be_allowed_when_a_run_is_resumed(job):
    allowed = dataclasses.replace(job, options=RestoreOptions(allow_truncated=True))
    assert allowed.settings == job.settings


def test_a_file_too_large_for_the_worker_is_left_for_another(job, photos):
    (photos / "04large.jpg").write_bytes(jpeg(64, 80))
    (outcome,) = work(job, megapixels=0.001)
    names = find_sources(str(photos)).names()
    assert [names[i] for i in outcome["larger"]] == ["04large.jpg"]
    assert outcome["larger_megapixels"] == [pytest.approx(64 * 80 / 1e6)]
    assert outcome["files"] == 13
    assert "04large.restored.png" not in contents(job)


def test_what_webp_cannot_hold_is_refused_before_the_network(
    job, photos, tmp_path, records, monkeypatch
):
    (photos / "wide.jpg").write_bytes(saved(np.zeros((8, 16384), np.uint8)))
    monkeypatch.delattr(Moody, "restore")
    monkeypatch.delattr(ShiftedBlur, "restore")
    work(elsewhere(job, tmp_path, "webp", image_format="webp"))
    (record,) = (r for r in records(tmp_path / "webp") if r["name"] == "wide.jpg")
    assert record["error"].startswith("16384x8: WebP holds at most 16383 pixels")


def test_a_block_that_was_begun_is_left_alone(job):
    job.manifest.mark("01-000000")
    (outcome,) = work(job)
    assert outcome["lost"]
    assert contents(job) == {}
    job.manifest.unmark("01-000000")
    (outcome,) = work(job)
    assert not outcome["lost"]


def test_a_model_that_does_not_load_or_is_not_the_same_is_fatal(job, monkeypatch):
    def fail(*arguments):
        raise ModelError("weights do not load")

    other = dataclasses.replace(job, model_sha256="0")
    assert "not the same here" in work(other)[0]["fatal"]
    monkeypatch.setattr(runtimes, "open_runtime", fail)
    assert work(job)[0]["fatal"] == "weights do not load"


def test_an_output_that_cannot_be_written_is_fatal(job, tmp_path):
    (tmp_path / "out").write_text("in the way")
    (outcome,) = work(job)
    assert f"{job.output} cannot be written" in outcome["fatal"]


@pytest.fixture
def rows(job, photos, tmp_path):
    """A job from Parquet to Parquet, with the same files and another column."""
    folder = tmp_path / "set" / "part"
    folder.mkdir(parents=True)
    paths = sorted(photos.rglob("*.jpg"))
    images = [{"bytes": path.read_bytes(), "path": path.name} for path in paths]
    images[3]["bytes"] = None
    labels = pa.array(range(len(paths)), pa.int16())
    table = pa.table({"image": images, "label": labels})
    pq.write_table(table, folder / "a.parquet", row_group_size=5)
    source = open_place(str(tmp_path / "set"))
    return dataclasses.replace(job, source=source, bytes_column="image.bytes", as_parquet=True)


def test_rows_become_rows_with_their_other_columns(rows, photos, tmp_path, records):
    work(rows, size=4)
    parts = sorted((tmp_path / "out").glob("*.parquet"))
    table = pa.concat_tables([pq.read_table(part) for part in parts])
    assert table.schema.field("label").type == pa.int16()
    assert sorted(table.schema.names) == ["label", "restored", "restored_name"]
    paths = sorted(photos.rglob("*.jpg"))
    failed = [r["name"] for r in records(tmp_path / "out") if r["status"] == "failed"]
    assert len(failed) == 2  # bad.jpg, and the row without bytes
    assert table.num_rows == len(paths) - 2
    for row in table.to_pylist():
        assert row["restored_name"] == f"part/a/{row['label']:07}"
        restored = rows.decoder().restore(paths[row["label"]])
        assert row["restored"] == restored.encoded("png")
    outputs = {r["output"] for r in records(tmp_path / "out") if r["output"]}
    assert outputs == {part.name for part in parts}


def test_a_broken_page_fails_its_rows_and_no_others(rows, tmp_path, records):
    path = tmp_path / "set" / "part" / "a.parquet"
    content = bytearray(path.read_bytes())
    chunk = pq.ParquetFile(path).metadata.row_group(1).column(0)
    start = chunk.dictionary_page_offset or chunk.data_page_offset
    content[start : start + 40] = bytes(40)
    path.write_bytes(content)
    (outcome,) = work(rows)
    assert outcome["files"] == 13
    found = {record["name"][-2:]: record for record in records(tmp_path / "out")}
    assert [found[f"{i:02}"]["status"] for i in range(3)] == ["restored"] * 3
    assert found["05"]["status"] == "failed"


def test_rows_become_a_tree_and_files_become_rows(rows, job, tmp_path):
    tree = elsewhere(rows, tmp_path, "tree", as_parquet=False)
    work(tree)
    assert len(contents(tree)) == 11
    assert "part/a/0000000.restored.png" in contents(tree)
    parquet = elsewhere(job, tmp_path, "parquet", as_parquet=True)
    work(parquet)
    (part,) = contents(parquet)
    table = pq.read_table(tmp_path / "parquet" / part)
    assert table.column_names == ["restored_name", "restored"]
    assert table.num_rows == 12


def test_a_bug_or_a_lack_of_memory_fails_one_file_only(job, monkeypatch, records, tmp_path):
    class Forgetful(type(runtimes.open_runtime("", "", 1))):
        def restore(self, image, tables, noise=None):
            if np.array_equal(image[..., 0], image[..., 1]):  # the gray one
                raise MemoryError("too much")
            return super().restore(image, tables, noise)

    monkeypatch.setattr(runtimes, "open_runtime", lambda *arguments: Forgetful())
    (outcome,) = work(job)
    errors = {record["error"] for record in records(tmp_path / "out")}
    assert "MemoryError: too much" in errors
    assert outcome["failed"] == 2
