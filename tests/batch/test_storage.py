import pathlib
import threading

import pytest
from pyarrow import fs

from keras_jpeg_gan.batch.storage import Place, is_unfinished, open_place, read_ahead, split_glob
from keras_jpeg_gan.errors import ConfigError


@pytest.mark.parametrize(
    ("uri", "base", "pattern"),
    [
        ("photos", "photos", ""),
        ("/a/b/*.jpg", "/a/b", "*.jpg"),
        ("*.jpg", ".", "*.jpg"),
        ("/[ab]/c.jpg", "/", "[ab]/c.jpg"),
        ("s3://bucket/a?region=eu", "s3://bucket/a?region=eu", ""),
        ("s3://bucket/a/**/*.jpg?scheme=http", "s3://bucket/a?scheme=http", "**/*.jpg"),
    ],
)
def test_a_glob_is_a_place_and_a_pattern(uri, base, pattern):
    assert split_glob(uri) == (base, pattern)


def test_a_file_whose_name_looks_like_a_glob_is_that_file(tmp_path):
    path = tmp_path / "[1].jpg"
    path.write_bytes(b"x")
    assert split_glob(str(path)) == (str(path), "")


def test_paths_and_file_uris_are_the_same_place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a").write_bytes(b"content")
    for uri in ("a", str(tmp_path / "a"), f"file://{tmp_path}/a"):
        place = open_place(uri)
        assert (place.read(), str(place)) == (b"content", str(tmp_path / "a"))


@pytest.mark.parametrize("uri", ["ftp://host/a", "s3://bucket/a b[", "none://x"])
def test_an_unknown_uri_is_refused(uri):
    with pytest.raises(ConfigError, match=uri.partition("://")[0]):
        open_place(uri)


def test_what_is_written_is_read_and_listed(tmp_path):
    root = open_place(str(tmp_path))
    assert root.below("none").files() == []
    root.below("a/b c/ü").write(b"12345")
    root.below("a/b c/ü").write(b"123")
    (info,) = root.files()
    assert (info.path, info.size) == (str(tmp_path / "a/b c/ü"), 3)
    assert root.below("a/b c/ü").read() == b"123"
    root.below("a/b c/ü").remove()
    assert root.files() == []


def test_what_a_killed_process_leaves_is_recognized():
    name = pathlib.PurePosixPath("/out/.0123456789abcdef.part")
    assert is_unfinished(str(name))
    assert not is_unfinished("/out/photo.part")


def test_reading_ahead_keeps_the_order_and_the_bounds():
    started, lock, least = set(), threading.Lock(), []

    def read(item: int) -> int:
        with lock:
            started.add(item)
        return 10 * item

    for item, future in enumerate(read_ahead(read, range(50), [1] * 50, most=4, most_bytes=3)):
        with lock:
            least.append(max(started, default=0) - item)
        assert future.result() == 10 * item
    assert max(least) <= 3


def test_a_failure_to_read_is_that_items_own():
    def read(item: int) -> int:
        if item == 1:
            raise OSError("gone")
        return item

    futures = list(read_ahead(read, range(3), [1] * 3, most=8, most_bytes=99))
    assert [future.exception() is None for future in futures] == [True, False, True]


def test_names_that_a_place_cannot_have_are_known_before(tmp_path):
    for length, usable in ((255, True), (256, False)):
        place = open_place(str(tmp_path / "new" / ("x" * length)))
        assert (place.unusable_name() is None) == usable
    bucket = fs.S3FileSystem(anonymous=True, region="eu-central-1")
    for length, usable in ((1024, True), (1025, False)):
        assert (Place(bucket, f"bucket/{'x' * length}").unusable_name() is None) == usable
