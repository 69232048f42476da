"""A run in Python: its events, what it does at once, and that its progress adds up."""

import threading

import pytest

from keras_jpeg_gan import program
from keras_jpeg_gan.decoding import decoder as decoding
from keras_jpeg_gan.decoding import runtimes
from keras_jpeg_gan.decoding.files import run as runs
from keras_jpeg_gan.decoding.files.inputs import find_inputs
from keras_jpeg_gan.decoding.files.outputs import Outputs
from keras_jpeg_gan.decoding.files.products import MAP, NUMBERS, Products
from keras_jpeg_gan.decoding.files.progress import Progress
from keras_jpeg_gan.decoding.files.run import Done, Failed, Made, Run, Skipped
from keras_jpeg_gan.errors import ConfigError, ModelError
from tests.files import inserted, jpeg, segment


@pytest.fixture
def events(model, tmp_path):
    """Runs over the folder; returns the events and the progress."""

    def run(model=model, products=Products(), **options):  # noqa: B008
        inputs = find_inputs([str(tmp_path)])
        progress = Progress()
        this_run = Run(decoding.Decoder(model), products, Outputs(inputs, None, None), **options)
        found = list(this_run.over(inputs.files, progress))
        progress.close()
        return found, progress

    return run


def kinds(events) -> list[type]:
    return [type(event) for event in events]


def test_every_input_ends_with_one_event_and_progress_adds_up(events, model, tmp_path):
    """Restored, truncated, refused, skipped, and one large enough for several tiles."""
    (tmp_path / "a.jpg").write_bytes(jpeg(400, 600))
    (tmp_path / "b.jpg").write_bytes(jpeg(40, 56)[:-300])
    (tmp_path / "c.jpg").write_bytes(b"none")
    (tmp_path / "d.jpg").write_bytes(jpeg(80, 56))
    restored = decoding.Decoder(model).restore(tmp_path / "d.jpg")
    restored.save(tmp_path / "d.restored.png")
    (tmp_path / "e.jpg").write_bytes(jpeg(16, 24, gray=True))
    (tmp_path / "f.jpg").write_bytes(jpeg(16, 24))
    (tmp_path / "f.restored.png").mkdir()
    found, progress = events()
    assert kinds(found) == [Made, Done, Failed, Failed, Skipped, Done, Made, Done, Failed]
    assert [event.restored for event in found if isinstance(event, Done)] == [True, False, True]
    ended = [event.input for event in found if isinstance(event, (Done, Failed))]
    assert ended == [str(tmp_path / f"{name}.jpg") for name in "abcdef"]
    assert isinstance(found[-1].error, ConfigError)
    assert progress.done == pytest.approx(progress.total)
    assert progress.done == pytest.approx((400 * 600 + 16 * 24) / 1e6)


def test_only_the_missing_products_are_made(events, sampler, tmp_path):
    (tmp_path / "a.jpg").write_bytes(jpeg(24, 48))
    several = Products(samples=2, deviation=True)
    found, _ = events(sampler, several)
    assert [event.product for event in found[:-1]] == ["1", "2", MAP, NUMBERS]
    assert [event.output.suffix for event in found[:-1]] == [".png"] * 4
    found[1].output.unlink()
    found, progress = events(sampler, several)
    assert kinds(found) == [Skipped, Skipped, Skipped, Made, Done]
    assert found[3].product == "2"
    assert progress.done == pytest.approx(progress.total) == pytest.approx(24 * 48 / 1e6)


def test_a_model_that_cannot_be_loaded_ends_the_run(events, tmp_path, monkeypatch):
    def fail(*arguments):
        raise ModelError("weights do not load")

    (tmp_path / "a.jpg").write_bytes(jpeg())
    monkeypatch.setattr(runtimes, "open_runtime", fail)
    with pytest.raises(program.RunError, match="weights do not load"):
        events()


@pytest.fixture
def two_processors(monkeypatch):
    monkeypatch.setattr(runs, "processors", lambda: 2)


@pytest.mark.usefixtures("two_processors")
def test_files_are_restored_at_once(events, tmp_path, monkeypatch):
    """Each waits for the other before the network: one after the other, neither would go on."""
    both, read = threading.Barrier(2), decoding.Decoder.read

    def meet(self, *arguments):
        both.wait(20)
        return read(self, *arguments)

    for name in "ab":
        (tmp_path / f"{name}.jpg").write_bytes(jpeg(24, 40))
    monkeypatch.setattr(decoding.Decoder, "read", meet)
    assert kinds(events()[0]) == [Made, Done] * 2


@pytest.mark.usefixtures("two_processors")
def test_large_files_are_restored_alone(events, tmp_path, monkeypatch):
    threads, read = {}, decoding.Decoder.read

    def noted(self, path, *arguments):
        threads[path.name] = threading.current_thread()
        return read(self, path, *arguments)

    for name, height in (("a", 16), ("b", 24), ("c", 16)):
        (tmp_path / f"{name}.jpg").write_bytes(jpeg(height, 40))
    monkeypatch.setattr(decoding.Decoder, "read", noted)
    events(most_pixels_at_once=24 * 40 - 1)
    here = threading.current_thread()
    assert {name: thread is here for name, thread in threads.items()} == {
        "a.jpg": False,
        "b.jpg": True,
        "c.jpg": False,
    }


def test_what_the_format_cannot_hold_is_a_warning_in_the_report_too(events, tmp_path):
    record = b"\x1c\x02\x78\x00\x01A"  # an IPTC caption
    resource = b"Photoshop 3.0\0" + b"8BIM\x04\x04\0\0\0\0\0\x06" + record
    (tmp_path / "a.jpg").write_bytes(inserted(jpeg(16, 24), 2, segment(0xED, resource)))
    made, warned, _ = events()[0]
    assert "IPTC" in warned.warning
    assert made.details["warnings"] == [warned.warning]
    made.output.unlink()
    assert kinds(events(keep_metadata=False)[0]) == [Made, Done]
