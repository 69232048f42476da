"""The loop: passes by seed, images left out for all, and resuming where it stopped."""

import dataclasses
import pathlib

import numpy as np
import pytest

from keras_jpeg_gan.data.sources import CachedSource
from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.evaluation.cases import Case
from keras_jpeg_gan.evaluation.contenders import Libjpeg
from keras_jpeg_gan.evaluation.progress import Progress
from keras_jpeg_gan.evaluation.runner import Plan, run
from keras_jpeg_gan.evaluation.sets import SetStatistics
from tests.evaluation.stubs import Choosy, Colours, Noisy

REDNESS = (150, 40, 200)


def picture(index: int) -> np.ndarray:
    pixels = np.random.default_rng(index).integers(0, 50, (40, 40, 3), np.uint8)
    pixels[..., 0] += REDNESS[index]
    return pixels


@pytest.fixture
def source() -> CachedSource:
    return CachedSource(["a", "b", "c"], picture, 0)


def plan(source: CachedSource, *contenders: object, seeds: int = 2) -> Plan:
    colours = SetStatistics(Colours())
    for image in source:
        colours.add(image)
    return Plan(
        cases=[Case(10), Case(30)],
        contenders=[Libjpeg(), *contenders],
        seeds=seeds,
        distortions=["psnr"],
        extractors=[(Colours(), colours.reference())],
    )


def test_all_seeds_of_what_draws_and_one_of_the_others(source: CachedSource) -> None:
    progress = Progress({})
    run(source, plan(source, Noisy(), Noisy(draws=False)), progress)
    rows = [(r.image, r.quality, r.model, r.seed) for r in progress.rows]
    assert len(rows) == 3 * 2 * (1 + 2 + 1)
    assert rows.count(("a", 10, "libjpeg", 0)) == 1
    assert ("a", 10, "libjpeg", 1) not in rows
    assert rows.count(("c", 30, "noisy", 1)) == 1
    assert [s.seed for s in progress.scores] == [0] * 6 + [1] * 2
    assert all(s.images == 3 for s in progress.scores)


@pytest.mark.parametrize("refused_in", [0, 1])
def test_what_one_cannot_restore_is_left_out_for_all(
    source: CachedSource, refused_in: int, capfd: pytest.CaptureFixture[str]
) -> None:
    progress = Progress({})
    run(source, plan(source, Choosy(refused_in)), progress)
    assert {row.image for row in progress.rows} == {"a", "c"}
    assert progress.failures == {"b": "not red"}
    assert capfd.readouterr().err.splitlines() == ["b: not red"]


def test_what_cannot_be_read_is_left_out(capfd: pytest.CaptureFixture[str]) -> None:
    def read(index: int) -> np.ndarray:
        if index == 1:
            raise ConfigError("broken")
        return picture(index)

    progress = Progress({})
    run(CachedSource(["a", "b", "c"], read, 0), plan(CachedSource(["a"], picture, 0)), progress)
    assert {row.image for row in progress.rows} == {"a", "c"}
    assert "b: broken" in capfd.readouterr().err


@pytest.mark.parametrize("images_done", [1, 4])  # in the first pass, and in the second
def test_resumed_it_ends_as_if_it_had_not_stopped(
    source: CachedSource, tmp_path: pathlib.Path, images_done: int
) -> None:
    whole = Progress({"x": 1})
    run(source, plan(source, Noisy()), whole)
    stopped = Progress({"x": 1})
    with pytest.raises(KeyboardInterrupt):
        run(source, plan(source, Noisy(stop_after=2 * images_done + 1)), stopped, tmp_path)
    again_plan = plan(source, Noisy())
    again = Progress.load(tmp_path, {"x": 1}, again_plan.extractor_of)
    assert again.seed * 3 + again.index == images_done
    run(source, again_plan, again, tmp_path)
    assert again.rows == whole.rows
    assert again.scores == whole.scores
    done = Progress.load(tmp_path, {"x": 1}, again_plan.extractor_of)
    run(source, plan(source, Noisy(stop_after=0)), done, tmp_path)  # nothing is left to do
    assert done.rows == whole.rows


def test_other_settings_are_not_mixed(source: CachedSource, tmp_path: pathlib.Path) -> None:
    a_plan = plan(source)
    Progress({"seeds": 1}).save(tmp_path)
    with pytest.raises(ConfigError, match="another seeds; give another --output"):
        Progress.load(tmp_path, {"seeds": 2}, a_plan.extractor_of)
    path = tmp_path / "progress.npz"
    for content in (b"broken", b"", path.read_bytes()[:-1]):
        path.write_bytes(content)
        with pytest.raises(ConfigError, match=r"cannot be read .*; delete it"):
            Progress.load(tmp_path, {"seeds": 1}, a_plan.extractor_of)


def test_rows_have_all_that_tells_them_apart(source: CachedSource) -> None:
    progress = Progress({})
    run(source, plan(source, Noisy()), progress)
    names = ("image", "sampling", "quality", "model", "method", "seed")
    keys = [tuple(dataclasses.asdict(row)[name] for name in names) for row in progress.rows]
    assert len(set(keys)) == len(keys)
