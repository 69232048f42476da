"""Joint search: a tabu search over RGB on whole units that repair could not mend.

Where channels are pinned at 0 or 255, the components cannot be moved one by one. Here a move is
any small change of one pixel, and its cost the exact excess of all three components. Samples that
are means of several pixels are assumed to move by fractions: the encoder's rounding of the mean
would be a plateau, on which a search finds no direction. Coefficients that stay outside weigh
more and more (Morris's breakout method, 1993), which leads out of local minima.
"""

import functools

import numpy as np

from keras_jpeg_gan.jpeg import emulator
from keras_jpeg_gan.jpeg.projection.budget import SEARCH, Budget
from keras_jpeg_gan.jpeg.projection.units import Cells, Unit

_MARGIN = 0.5  # of c8
_PATIENCE = 0.3  # share of the moves without a new best after which a unit is given up
_PIXELS = 12  # candidates per iteration
_GROWTH = 0.1  # of a coefficient's weight per iteration outside its cell
_NEARNESS = 0.001  # cost per squared grey level of distance from the goal


@functools.cache
def _offsets(channels: int) -> np.ndarray:
    """Changes of a pixel, [K, C] int32: all small ones, and long ones that hardly change Y."""
    if channels == 1:
        return np.array([[-3], [-2], [-1], [1], [2], [3]], np.int32)
    grid = np.stack([axis.ravel() for axis in np.mgrid[-2:3, -2:3, -2:3]], axis=1)
    long = [(0, 0, b) for b in range(3, 10)] + [(r, 0, 0) for r in (3, 4, 5)] + [(0, 3, 0)]
    long += [(1, 0, b) for b in (4, 6)] + [(1, 0, -b) for b in (4, 6)]
    both = np.concatenate([grid[grid.any(axis=1)], long, np.negative(long)])
    return both.astype(np.int32)


@functools.cache
def _reach(channels: int) -> tuple[int, ...]:
    """The largest change of each integer component that an offset can make."""
    if channels == 1:
        return (int(np.abs(_offsets(1)).max()),)
    changes = np.abs(_offsets(3) @ emulator.COLOR.T).max(axis=0)
    return tuple(int(n) for n in -(-changes // 65536))


def search(
    unit: Unit,
    pixels: np.ndarray,
    goal: np.ndarray,
    cells: Cells,
    iterations: int,
    generator: np.random.Generator,
    budget: Budget,
) -> np.ndarray:
    """Search, starting from the given pixels.

    Args:
        unit: the shape of the units.
        pixels: [C, R, N] int32.
        goal: [C, R, N] float32, which the result stays near.
        cells: of the units.
        iterations: the most moves per unit.
        generator: draws how long a pixel is tabu after a move.
        budget: pays for the work; the search ends when it is spent.

    Returns:
        [C, R, N] int32, the best pixels met: those with the fewest coefficients outside cells.
    """
    current = np.ascontiguousarray(pixels.transpose(2, 1, 0))
    target = np.ascontiguousarray(goal.transpose(2, 1, 0))
    best = current.copy()
    least = np.full(len(current), np.iinfo(np.int64).max)
    since = np.zeros(len(current), np.int64)
    tabu = np.zeros(current.shape[:2], np.int32)
    tables = _Tables(unit, cells)
    active = np.arange(len(current))
    for iteration in range(iterations + 1):
        planes = np.ascontiguousarray(current[active].transpose(2, 1, 0))
        outside, away = tables.state(planes, active)
        better = outside < least[active]
        least[active[better]] = outside[better]
        best[active[better]] = current[active[better]]
        since[active[better]] = iteration
        going = (outside > 0) & (iteration - since[active] <= _PATIENCE * iterations)
        active, away = active[going], away[going]
        if not len(active) or iteration == iterations or budget.spent:
            break
        budget.spend(SEARCH, len(active))
        candidates = tables.candidates(away, active, current[active], tabu[active] > iteration)
        chosen, new = _best_move(unit, tables, away, active, candidates, current, target)
        current[active, chosen] = new
        tabu[active, chosen] = iteration + generator.integers(6, 10, len(active))
    return best.transpose(2, 1, 0)


class _Tables:
    """The cells of the units, [N, blocks, 64], and how a pixel changes coefficients."""

    def __init__(self, unit: Unit, cells: Cells) -> None:
        self.unit = unit
        self.low, self.high = (
            np.ascontiguousarray(bound.transpose(2, 1, 0)) for bound in (cells.low, cells.high)
        )
        self.centre = (self.low + self.high) * np.float32(0.5)
        self.half = (self.high - self.low) * np.float32(0.5) - np.float32(_MARGIN)
        self.weight = np.ones(self.low.shape, np.float32)
        # For each component and pixel, the block to which it belongs and its column there.
        count = len(unit.rows)
        self.block = np.zeros((unit.channels, count), np.intp)
        self.column = np.zeros((unit.channels, count, 64), np.float32)
        for number, block in enumerate(unit.blocks):
            self.block[block.component, block.pixels] = number
            self.column[block.component, block.pixels] = 8 * block.forward.T

    def state(self, planes: np.ndarray, units: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """How many coefficients are outside [B]; distances from the centres [B, blocks, 64].

        Coefficients outside weigh more from now on.
        """
        c8 = self.unit.coefficients(planes).transpose(2, 1, 0)
        wrong = (c8 < self.low[units]) | (c8 > self.high[units])
        self.weight[units] += _GROWTH * wrong
        return wrong.sum(axis=(1, 2)), c8 - self.centre[units]

    def candidates(
        self, away: np.ndarray, units: np.ndarray, pixels: np.ndarray, tabu: np.ndarray
    ) -> np.ndarray:
        """The pixels [B, k] whose change is the most promising."""
        half = self.half[units]
        excess = (away - np.clip(away, -half, half)) * self.weight[units]
        slope = np.zeros((len(units), *self.block.shape), np.float32)
        for number, block in enumerate(self.unit.blocks):
            slope[:, block.component, block.pixels] = excess[:, number] @ (8 * block.forward)
        slope = slope.transpose(0, 2, 1) @ self.unit.matrix
        slope[(slope > 0) & (pixels == 0) | (slope < 0) & (pixels == 255)] = 0
        promise = np.square(slope).sum(axis=2)
        promise[tabu] = -1
        count = min(_PIXELS, promise.shape[1])
        return np.argpartition(-promise, count - 1, axis=1)[:, :count]

    def costs(
        self, component: int, away: np.ndarray, units: np.ndarray, pixels: np.ndarray, reach: int
    ) -> np.ndarray:
        """The weighted squared excess [B, k, 2 reach + 1] after changes of a component."""
        block = self.block[component][pixels]
        # The weights' roots are applied first, to keep passes over the large table few.
        root = np.sqrt(self.weight[units[:, None], block])
        half = self.half[units[:, None], block] * root
        before = away[np.arange(len(units))[:, None], block] * root
        changes = np.arange(-reach, reach + 1, dtype=np.float32)[:, None]
        moved = changes * (self.column[component][pixels] * root)[:, :, None]
        moved += before[:, :, None]
        np.abs(moved, out=moved)
        moved -= half[:, :, None]
        np.maximum(moved, 0, out=moved)
        return np.einsum("bkrc,bkrc->bkr", moved, moved)


def _best_move(
    unit: Unit,
    tables: _Tables,
    away: np.ndarray,
    units: np.ndarray,
    candidates: np.ndarray,
    current: np.ndarray,
    target: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """The pixel [B], and its new value [B, C], with the least cost."""
    offsets = _offsets(unit.channels)
    value = current[units[:, None], candidates]
    goal = target[units[:, None], candidates]
    cost = (2 * _NEARNESS) * ((value - goal) @ offsets.T.astype(np.float32))
    cost += _NEARNESS * (offsets**2).sum(axis=1)
    for component, change in enumerate(unit.integer_changes(value, offsets)):
        reach = _reach(unit.channels)[component]
        table = tables.costs(component, away, units, candidates, reach)
        table -= table[:, :, reach : reach + 1].copy()
        first = np.arange(reach, table.size, table.shape[2]).reshape(*value.shape[:2], 1)
        cost += table.ravel()[first + change]
    beyond = 0
    for channel in range(unit.channels):
        beyond |= value[:, :, channel, None] + offsets[:, channel]
    cost[(beyond & ~255) != 0] = np.inf
    flat = cost.reshape(len(units), -1)
    best = flat.argmin(axis=1)
    line = np.arange(len(units))
    pixel, offset = best // len(offsets), best % len(offsets)
    found = np.isfinite(flat[line, best])
    moved = value[line, pixel] + offsets[offset] * found[:, None]
    return candidates[line, pixel], moved
