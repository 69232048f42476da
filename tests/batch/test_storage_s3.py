"""S3, as moto's server on this machine stands in for it."""

import io
import logging

import pyarrow.dataset
import pytest
from PIL import Image

from keras_jpeg_gan.batch.sources import find_sources
from keras_jpeg_gan.batch.storage import open_place
from tests.files import jpeg

moto = pytest.importorskip("moto.server")


@pytest.fixture(scope="module")
def bucket():
    """A URI, with braces for the path, of a bucket with four photographs."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = moto.ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    options = f"endpoint_override={host}:{port}&scheme=http&region=us-east-1"
    uri = f"s3://tester:secret@bucket/{{}}?{options}&allow_bucket_creation=true"
    place = open_place(uri.format("photos"))
    place.filesystem.create_dir("bucket")
    for i in range(3):
        place.below(f"deep er/{i}.jpg").write(jpeg(24, 32, i))
    place.below("ü.jpg").write(jpeg(16, 16, 9))
    place.below("notes.txt").write(b"not for us")
    yield uri
    server.stop()


def test_objects_are_found_as_files_are(bucket):
    sources = find_sources(bucket.format("photos"))
    assert sources.names() == ["deep er/0.jpg", "deep er/1.jpg", "deep er/2.jpg", "ü.jpg"]
    assert sources.table["size"].to_pylist()[3] == len(jpeg(16, 16, 9))
    assert find_sources(bucket.format("photos/**/[01].jpg")).names() == [
        "deep er/0.jpg",
        "deep er/1.jpg",
    ]


def test_objects_are_written_whole_and_removed(bucket):
    place = open_place(bucket.format("made"))
    place.below("a/b").write(b"one")
    place.below("a/b").write(b"another")
    assert [(info.path, info.size) for info in place.files()] == [("bucket/made/a/b", 7)]
    place.below("a/b").remove()
    assert place.files() == []


@pytest.mark.slow
def test_a_bucket_is_restored_into_a_bucket_and_resumed(command, bucket):
    arguments = [f"--input={bucket.format('photos')}", f"--output={bucket.format('restored')}"]
    arguments += ["--worker_megapixels=1"]
    out, err = (run := command(*arguments)).communicate()
    assert run.returncode == 0, err
    assert out.startswith("4 restored, 0 skipped, 0 failed")
    place = open_place(bucket.format("restored"))
    with Image.open(io.BytesIO(place.below("deep er/2.restored.png").read())) as image:
        assert image.size == (32, 24)
    table = pyarrow.dataset.dataset(
        place.below("_manifest").path, filesystem=place.filesystem, format="parquet"
    ).to_table()
    assert sorted(table["name"].to_pylist()) == find_sources(bucket.format("photos")).names()
    assert all(table["exact"].to_pylist())
    place.below("ü.restored.png").remove()
    out, _ = command(*arguments).communicate()
    assert out.startswith("1 restored, 3 skipped, 0 failed")
