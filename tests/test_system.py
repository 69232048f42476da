import os

from keras_jpeg_gan import system


def test_processors_are_counted_by_the_best_that_the_system_has(monkeypatch):
    """Those that this process may use where the system can tell, else all; never none."""
    monkeypatch.setattr(os, "process_cpu_count", lambda: 3, raising=False)
    assert system.processors() == 3
    monkeypatch.delattr(os, "process_cpu_count")
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 5}, raising=False)
    assert system.processors() == 2
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 7)
    assert system.processors() == 7
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert system.processors() == 1


def test_a_file_of_bytes_is_closed_and_goes_with_the_block():
    with system.as_file(b"content", ".jpg") as path:
        assert path.suffix == ".jpg"
        path.rename(path.with_name("free"))  # on Windows this fails for an open file
        path.with_name("free").rename(path)
        assert path.read_bytes() == b"content"
    assert not path.exists()
    assert not path.parent.exists()
