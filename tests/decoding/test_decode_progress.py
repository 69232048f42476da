"""What jpeg-gan-decode says of the time that it takes."""

import os
import pathlib
import re
import threading
import time

import pytest
from PIL import Image

from keras_jpeg_gan.decoding import decode
from keras_jpeg_gan.decoding import progress as module
from keras_jpeg_gan.decoding.inputs import Input, size_of
from keras_jpeg_gan.decoding.memory import Limits
from keras_jpeg_gan.decoding.progress import Progress, Share
from keras_jpeg_gan.system import captured_standard_error
from tests.files import jpeg


@pytest.fixture
def clock(monkeypatch):
    """A clock that is set by hand: its list's last value is now."""
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[-1])
    return now


def said(capfd) -> str:
    return capfd.readouterr().err


def estimate(clock, capfd, megapixels: int, images: int, speed: float) -> float | None:
    """Seconds that a run is said to take, whose network restores so many megapixels a second."""
    progress = Progress()
    share = Share(progress, 1_000_000 * megapixels * images)
    share.begin(1_000_000 * megapixels, images)
    start = clock[-1]
    for k in range(2 * megapixels * images):
        clock.append(start + (k + 1) / 2 / speed)
        share.add(500_000)
    share.end(restored=True)
    progress.close()
    line = said(capfd)
    if not line:
        return None
    found = re.fullmatch(r"(\d+\.0) megapixels: about (\d+) (s|min)\n", line)
    assert found
    assert float(found[1]) == megapixels * images
    return float(found[2]) * {"s": 1, "min": 60}[found[3]]


def test_the_estimate_is_linear_in_pixels_and_samples(clock, capfd):
    once = estimate(clock, capfd, 24, 1, 0.6)
    assert once == pytest.approx(24 / 0.6 / 0.9, abs=5)  # 0.9: what follows the network counts too
    assert estimate(clock, capfd, 48, 1, 0.6) == pytest.approx(2 * once, abs=30)
    assert estimate(clock, capfd, 24, 8, 0.6) == pytest.approx(8 * once, abs=60)
    assert estimate(clock, capfd, 48, 1, 1.2) == pytest.approx(once, abs=5)


def test_nothing_is_said_of_a_short_run(clock, capfd):
    assert estimate(clock, capfd, 24, 1, 10) is None
    assert estimate(clock, capfd, 1, 1, 1) is None
    assert estimate(clock, capfd, 24, 10, 10) is not None


def test_done_becomes_all_that_there_is_to_do_whatever_happens():
    progress = Progress()
    shares = [Share(progress, pixels) for pixels in (4_000_000, 1_000_000, 0, 3_000_000, 500_000)]
    assert progress.total == pytest.approx(8.5)
    whole, refused, unknown, broken, skipped = shares
    whole.begin(2_000_000, 2)
    for _ in range(4):
        whole.add(1_000_000)
        assert progress.done < 4
    whole.end(restored=True)
    assert progress.done == pytest.approx(4)
    refused.end(restored=False)
    unknown.begin(1_500_000, 1)
    assert progress.total == pytest.approx(4 + 1.5 + 3 + 0.5)
    unknown.add(1_500_000)
    unknown.end(restored=True)
    broken.begin(3_000_000, 1)
    broken.add(1_000_000)
    broken.end(restored=False)
    skipped.end(restored=False)
    assert progress.done == pytest.approx(progress.total)
    assert progress.done == pytest.approx(4 + 1.5 + 0.9)
    progress.close()


def test_progress_never_goes_back():
    progress = Progress()
    share = Share(progress, 3_000_000)
    share.begin(1_000_000, 3)
    done = []
    for _ in range(6):
        share.add(500_000)
        done.append(progress.done)
    share.end(restored=True)
    assert [*done, progress.done] == pytest.approx([0.45, 0.9, 1.45, 1.9, 2.45, 2.9, 3])
    progress.close()


def test_a_share_of_a_run_that_has_ended_is_told():
    progress = Progress()
    share = Share(progress, 0)
    share.begin(100, 1)
    progress.stopped.set()
    with pytest.raises(InterruptedError):
        share.add(50)
    progress.close()


def test_the_whole_command_ends_with_all_done(command, tmp_path, monkeypatch):
    """Restored, refused, cut, skipped, and large ones that take several tiles."""
    runs = []

    class Noted(Progress):
        def __init__(self) -> None:
            super().__init__()
            runs.append(self)

    monkeypatch.setattr("keras_jpeg_gan.decoding.decode.Progress", Noted)
    (tmp_path / "a.jpg").write_bytes(jpeg(400, 600))
    (tmp_path / "b.jpg").write_bytes(jpeg(40, 56)[:-300])
    (tmp_path / "c.jpg").write_bytes(b"none")
    (tmp_path / "d.jpg").write_bytes(jpeg(80, 56))
    (tmp_path / "d.restored.png").write_bytes(b"finished")
    (tmp_path / "e.jpg").write_bytes(jpeg(16, 24, gray=True))
    assert command(tmp_path).status == 1
    (run,) = runs
    assert run.done == pytest.approx(run.total)
    assert run.done == pytest.approx((400 * 600 + 16 * 24) / 1e6)


def test_words_are_not_lost_nor_taken_for_libjpegs(command, tmp_path, capfd):
    """Who reads a file catches standard error, which is the whole process's."""
    (tmp_path / "a.jpg").write_bytes(jpeg())
    command(tmp_path)  # sets the lock
    capfd.readouterr()
    within, text = threading.Event(), []

    def read() -> None:
        with captured_standard_error() as caught:
            within.set()
            time.sleep(0.3)
        text.append(caught.text)

    reader = threading.Thread(target=read)
    reader.start()
    assert within.wait(20)
    decode._say_aside("a word")
    reader.join()
    assert text == [""]
    assert said(capfd) == "a word\n"


def item(path: pathlib.Path) -> Input:
    return Input(str(path), path, pathlib.PurePath(path.name))


def test_a_header_tells_the_size(tmp_path):
    path = tmp_path / "a.jpg"
    for content, size in (
        (jpeg(30, 50), (30, 50)),
        (jpeg(30, 50, progressive=True, comment=b"long" * 10_000), (30, 50)),
        (jpeg(30, 50)[:700], (30, 50)),
        (b"", (0, 0)),
        (b"nothing", (0, 0)),
        (jpeg(30, 50)[:100], (0, 0)),
    ):
        path.write_bytes(content)
        assert size_of(item(path), Limits()) == size
    path.write_bytes(jpeg(30, 50))
    assert size_of(item(path), Limits(max_megapixels=0.001)) == (0, 0)
    assert size_of(item(path), Limits(max_pixels_per_byte=0.1)) == (0, 0)
    assert size_of(item(tmp_path / "gone.jpg"), Limits()) == (0, 0)
    assert size_of(item(tmp_path), Limits()) == (0, 0)
    for name in ("a.png", "a.webp"):
        Image.new("RGB", (70, 20)).save(tmp_path / name)
        assert size_of(item(tmp_path / name), Limits()) == (20, 70)


def test_a_pipe_is_not_read_for_its_size(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    assert size_of(item(tmp_path / "pipe.jpg"), Limits()) == (0, 0)
    assert size_of(Input("standard input", None, pathlib.PurePath("stdin")), Limits()) == (0, 0)
