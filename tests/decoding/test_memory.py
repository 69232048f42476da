"""The memory model's rules. benchmarks/memory.py measures whether it is right."""

import dataclasses

import pytest

from keras_jpeg_gan.decoding import memory
from keras_jpeg_gan.decoding.memory import (
    TILES,
    Limits,
    floor_mb,
    free_memory_mb,
    needed_mb,
    room_mb,
    together_mb,
)
from keras_jpeg_gan.errors import JpegFormatError
from keras_jpeg_gan.jpeg.header import read_header
from tests.files import jpeg


def test_less_memory_means_smaller_tiles_and_the_floor_is_the_smallest() -> None:
    size = 4000, 6000
    assert Limits().tile(*size) == TILES[0]
    for tile in TILES:
        just_enough = Limits(max_memory_mb=needed_mb(*size, tile))
        assert just_enough.tile(*size) == tile
        assert floor_mb(*size) <= just_enough.max_memory_mb
    assert list(TILES) == sorted(TILES, reverse=True)
    assert floor_mb(*size) == needed_mb(*size, TILES[-1])


def test_memory_grows_with_rows_alone_once_a_band_is_full_and_with_its_width() -> None:
    assert needed_mb(10_000, 10_000) - needed_mb(9000, 10_000) == pytest.approx(200)
    more = needed_mb(10_000, 10_000, channels=4) - needed_mb(9000, 10_000, channels=4)
    assert more == pytest.approx(300)
    assert needed_mb(10, 10) < needed_mb(1000, 1000)
    assert needed_mb(1000, 60_000) > needed_mb(60_000, 1000) + 1000


def test_what_needs_more_is_refused_with_the_floor() -> None:
    content = jpeg(64, 64)
    read_header(content, Limits(max_memory_mb=280))
    with pytest.raises(JpegFormatError, match=r"64x64 takes 272 MB at least.*--max_memory_mb=270"):
        read_header(content, Limits(max_memory_mb=270))
    exactly = dataclasses.replace(Limits(), max_memory_mb=floor_mb(64, 64))
    read_header(content, exactly)


def test_the_default_is_a_share_of_the_lesser_of_what_is_free(monkeypatch, tmp_path) -> None:
    assert 0 < free_memory_mb() < 1e8
    monkeypatch.setattr(memory, "_from_meminfo", lambda: 8e9)
    monkeypatch.setattr(memory, "_from_control_group", lambda: 2e9)
    assert free_memory_mb() == pytest.approx(0.7 * 2000)
    monkeypatch.setattr(memory, "_from_control_group", lambda: None)
    assert free_memory_mb() == pytest.approx(0.7 * 8000)
    monkeypatch.setattr(memory, "_from_meminfo", lambda: None)
    assert free_memory_mb() == float("inf")


def test_images_together_are_planned_within_the_memory():
    limits = Limits(max_memory_mb=1500)
    sizes = [(200, 500), (2000, 2000), (2000, 500)]
    together = sum(together_mb(*size, limits) for size in sizes)
    assert together <= room_mb(limits)
    alone = [needed_mb(*size, limits.tile(*size)) for size in sizes]
    # The interpreter and its libraries are there once.
    assert together == pytest.approx(sum(alone) - 3 * needed_mb(0, 0))
    assert room_mb(Limits(max_memory_mb=100)) == 0
