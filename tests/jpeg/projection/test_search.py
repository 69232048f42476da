import itertools

import numpy as np
import pytest

from keras_jpeg_gan.jpeg.projection import search as joint_search
from keras_jpeg_gan.jpeg.projection.units import Cells, Unit, unit
from keras_jpeg_gan.jpeg.sampling import Sampling


def whole_unit(name: str) -> Unit:
    sampling = Sampling.parse(name)
    return unit(sampling, sampling.unit_height, sampling.unit_width)


def some_units(
    shape: Unit, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, joint_search._Tables]:
    """Three units' pixels, some at the ends of the range, their goal, and their tables."""
    pixels = generator.integers(-20, 276, (3, shape.channels, len(shape.rows))).clip(0, 255)
    current = np.ascontiguousarray(pixels.transpose(1, 2, 0)).astype(np.int32)
    c8 = shape.coefficients(current)
    low = c8 + generator.integers(-30, 10, c8.shape, dtype=np.int32)
    tables = joint_search._Tables(shape, Cells(low, low + 15))
    return current, current + generator.normal(0, 3, current.shape).astype(np.float32), tables


@pytest.mark.parametrize("sampling", ["gray", "4:4:4", "4:2:0"])
def test_no_change_of_a_pixel_exceeds_its_reach(sampling: str) -> None:
    shape = whole_unit(sampling)
    offsets = joint_search._offsets(shape.channels)
    grid = np.random.default_rng(0).integers(0, 256, (20000, shape.channels), dtype=np.int32)
    changes = shape.integer_changes(grid, offsets)
    for change, reach in zip(changes, joint_search._reach(shape.channels), strict=True):
        assert np.abs(change).max() == reach


@pytest.mark.parametrize("sampling", ["gray", "4:4:4", "4:2:0"])
def test_the_best_move_is_the_best_of_all(sampling: str) -> None:
    """The oracle computes the cost of every single move directly."""
    generator = np.random.default_rng(1)
    shape = whole_unit(sampling)
    planes, goal, tables = some_units(shape, generator)
    units = np.arange(planes.shape[2])
    for _ in range(3):  # weights grow
        _, away = tables.state(planes, units)
    current, target = (np.ascontiguousarray(a.transpose(2, 1, 0)) for a in (planes, goal))
    candidates = generator.integers(0, len(shape.rows), (len(units), 5))
    chosen, new = joint_search._best_move(shape, tables, away, units, candidates, current, target)
    offsets = joint_search._offsets(shape.channels)

    def cost(number: int, pixel: int, value: np.ndarray) -> float:
        old = current[number, pixel]
        (changes,) = np.array(shape.integer_changes(old[None], (value - old)[None])).T
        moved = away[number].astype(np.float64)
        for component, change in enumerate(changes[0]):
            block = tables.block[component, pixel]
            moved[block] += change * tables.column[component, pixel]
        excess = np.maximum(np.abs(moved) - tables.half[number], 0)
        near = np.square(value - target[number, pixel]) - np.square(old - target[number, pixel])
        return float((tables.weight[number] * excess**2).sum() + 0.001 * near.sum())

    for number in range(len(units)):
        values = [
            (int(pixel), current[number, pixel] + offset)
            for pixel, offset in itertools.product(candidates[number], offsets)
        ]
        least = min(
            cost(number, pixel, value)
            for pixel, value in values
            if value.min() >= 0 and value.max() <= 255
        )
        assert new[number].min() >= 0
        assert new[number].max() <= 255
        assert cost(number, int(chosen[number]), new[number]) == pytest.approx(least, rel=1e-4)
