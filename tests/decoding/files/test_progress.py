"""How long a run is said to take, and how far it is said to have come."""

import re

import pytest

from keras_jpeg_gan.decoding.files import progress as module
from keras_jpeg_gan.decoding.files.progress import Progress, Share


@pytest.fixture
def clock(monkeypatch):
    """A clock that is set by hand: the last value of the list is the time."""
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[-1])
    return now


def said(capfd) -> str:
    return capfd.readouterr().err


def estimate(clock, capfd, megapixels: int, images: int, speed: float) -> float | None:
    """Seconds that a run is said to take at this speed of the network, in megapixels per second."""
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


def test_no_estimate_is_printed_for_a_short_run(clock, capfd):
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


def test_a_share_of_a_run_that_was_stopped_raises():
    progress = Progress()
    share = Share(progress, 0)
    share.begin(100, 1)
    progress.stopped.set()
    with pytest.raises(InterruptedError):
        share.add(50)
    progress.close()
