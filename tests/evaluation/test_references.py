"""Statistics of reference images: computed once, resumed when interrupted, kept by identity."""

import pathlib

import numpy as np
import pytest

from keras_jpeg_gan.data.sources import CachedSource
from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.evaluation.references import reference
from tests.evaluation.stubs import Colours


def picture(index: int) -> np.ndarray:
    return np.random.default_rng(index).integers(0, 256, (40, 70, 3), np.uint8)


class Counting(Colours):
    """Counts images; stops where it is told to."""

    def __init__(self, stop_at: int = 10**9) -> None:
        self.seen = 0
        self.stop_at = stop_at

    def prepare(self, pixels: np.ndarray) -> np.ndarray:
        if self.seen == self.stop_at:
            raise KeyboardInterrupt
        self.seen += 1
        return super().prepare(pixels)


SOURCE = CachedSource(["a", "b", "c"], picture, 0)


def test_they_are_computed_once_for_each_identity_and_network(tmp_path: pathlib.Path) -> None:
    first, again = Counting(), Counting()
    statistics = reference(SOURCE, "photographs", first, tmp_path / "cache")
    kept = reference(SOURCE, "photographs", again, tmp_path / "cache")
    assert (first.seen, again.seen, kept.images) == (3, 0, 3)
    np.testing.assert_array_equal(
        kept.reference().gaussian.covariance, statistics.reference().gaussian.covariance
    )
    other_network = type("Other", (Counting,), {"sha256": "def"})()
    for identity, extractor in (("others", Counting()), ("photographs", other_network)):
        reference(SOURCE, identity, extractor, tmp_path / "cache")
        assert extractor.seen == 3


def test_an_interrupted_one_is_resumed(tmp_path: pathlib.Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        reference(SOURCE, "photographs", Counting(stop_at=2), tmp_path)
    rest = Counting()
    resumed = reference(SOURCE, "photographs", rest, tmp_path)
    whole = reference(SOURCE, "photographs", Counting(), tmp_path / "elsewhere")
    assert (rest.seen, resumed.images) == (1, 3)
    for ours, theirs in zip(
        (resumed.reference().gaussian.mean, resumed.reference().vectors),
        (whole.reference().gaussian.mean, whole.reference().vectors),
        strict=True,
    ):
        np.testing.assert_array_equal(ours, theirs)


def test_a_damaged_one_is_named_and_measured_again(
    tmp_path: pathlib.Path, caplog: pytest.LogCaptureFixture
) -> None:
    reference(SOURCE, "photographs", Counting(), tmp_path)
    (path,) = tmp_path.iterdir()
    for content in (b"", path.read_bytes()[:-1]):
        path.write_bytes(content)
        caplog.clear()
        again = Counting()
        assert reference(SOURCE, "photographs", again, tmp_path).images == again.seen == 3
        (line,) = caplog.messages
        assert line.startswith(f"{path}: damaged: ")
        assert line.endswith("; measured again")


def test_a_cache_that_cannot_be_written_is_named(tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="--cache="):
        reference(SOURCE, "photographs", Counting(), tmp_path / "file" / "cache")
