"""Repair of a few coefficients just outside their cells: a tabu search, block by block.

A move changes one sample of one component by one and leaves the samples of the others as they
are. The gradient picks eight of all moves, the exact cost picks the best three of these, and the
first of the three that a change of RGB can realise is made. All offending blocks of a component
advance together; arrays here begin with the axis of those blocks.
"""

import functools
from collections.abc import Iterator

import numpy as np

from keras_jpeg_gan.jpeg.projection.budget import REPAIR, REPAIR_OF_SUMS, Budget
from keras_jpeg_gan.jpeg.projection.units import Block, Cells, Unit, dct, dct_matrix

_MARGIN = 0.5  # of c8: what counts as inside
_CANDIDATES = 8  # moves per iteration whose exact cost is computed
_CHOICES = 3  # and those of them for which a realisation is sought
_ITERATIONS = 14
_BLOCKED = 8  # iterations for which a move that cannot be realised is tabu
_TRIES = 8  # the most single pixels to change for one step of a downsampled sample


def repair(
    unit: Unit,
    pixels: np.ndarray,
    goal: np.ndarray,
    cells: Cells,
    wrong: np.ndarray,
    generator: np.random.Generator,
    budget: Budget,
) -> np.ndarray:
    """Mend offending blocks in place, as far as possible.

    Args:
        unit: the shape of the units.
        pixels: [C, R, N] int32, changed in place.
        goal: [C, R, N] float32, which changes stay near.
        cells: of the units.
        wrong: [blocks, N] which blocks to mend.
        generator: draws how long it is tabu to undo a move.
        budget: pays for the work; repair ends when it is spent.

    Returns:
        [N] whether a unit still has an offending block.
    """
    failed = np.zeros(pixels.shape[2], bool)
    for numbers in _alike(unit):
        count = unit.blocks[numbers[0]].members.shape[1]
        if count > 1 and not _has_sums(unit):
            failed |= wrong[numbers].any(axis=0)
        elif wrong[numbers].any():
            search = _Search(unit, numbers, pixels, goal, cells, wrong)
            failed[search.units[search.run(generator, budget)]] = True
            search.store(pixels)
    return failed


def _has_sums(unit: Unit) -> bool:
    """Whether each pixel belongs to one sample per component, and no sample spans two blocks."""
    return not unit.cut and all(8 % length == 0 for ratio in unit.ratios for length in ratio)


def _alike(unit: Unit) -> Iterator[list[int]]:
    """Yield the numbers of blocks that differ only in their place."""
    if unit.cut:
        yield from ([number] for number in range(len(unit.blocks)))
        return
    for component in range(unit.channels):
        yield [n for n, block in enumerate(unit.blocks) if block.component == component]


@functools.cache
def _offsets(channels: int) -> np.ndarray:
    """Small changes of a pixel, [K, C] int32."""
    if channels == 1:
        return np.array([[-1], [1]], np.int32)
    grid = np.stack([axis.ravel() for axis in np.mgrid[-2:3, -2:3, -2:3]], axis=1)
    square = (grid**2).sum(axis=1)
    return grid[(square > 0) & (square <= 6)].astype(np.int32)


class _Search:
    """The offending blocks of a component: B blocks with n pixels each."""

    def __init__(
        self,
        unit: Unit,
        numbers: list[int],
        pixels: np.ndarray,
        goal: np.ndarray,
        cells: Cells,
        wrong: np.ndarray,
    ) -> None:
        self.unit = unit
        self.blocks: list[Block] = [unit.blocks[number] for number in numbers]
        self.parts = [np.flatnonzero(wrong[number]) for number in numbers]
        self.units = np.concatenate(self.parts)
        block = self.blocks[0]
        self.component = block.component
        self.count = block.members.shape[1]
        self.bias = block.bias
        self.pixels = self._gather(pixels)  # [B, n, C]
        self.goal = self._gather(goal)
        low, high = (
            np.concatenate(
                [bound[:, number, part].T for number, part in zip(numbers, self.parts, strict=True)]
            )
            for bound in (cells.low, cells.high)
        )
        self.low, self.high = low, high
        self.centre = (low + high) * np.float32(0.5)
        self.half = (high - low) * np.float32(0.5) - np.float32(_MARGIN)
        pixel_numbers = np.arange(len(unit.rows))[block.pixels]
        self.members = np.searchsorted(pixel_numbers, block.members)  # [64, A] of the n pixels
        if self.count == 1:
            self.columns = np.ascontiguousarray(8 * block.forward.T)  # [moves, 64]
            self.groups = np.arange(len(pixel_numbers))[:, None]  # [moves, A]
        else:
            self.columns = (8 * dct_matrix().T).astype(np.float32)
            self.groups = self.members
        self._find_sums(unit, pixels)
        self._find_offsets(unit)

    def _gather(self, planes: np.ndarray) -> np.ndarray:
        return np.concatenate(
            [
                planes[:, block.pixels][:, :, part].transpose(2, 1, 0)
                for block, part in zip(self.blocks, self.parts, strict=True)
            ]
        )

    def store(self, pixels: np.ndarray) -> None:
        """Write the pixels back to [C, R, N]."""
        start = 0
        for block, part in zip(self.blocks, self.parts, strict=True):
            found = self.pixels[start : start + len(part)]
            rows = np.arange(pixels.shape[1])[block.pixels]
            pixels[:, rows[:, None], part] = found.transpose(2, 1, 0)
            start += len(part)

    def _find_sums(self, unit: Unit, pixels: np.ndarray) -> None:
        """Find the sums behind downsampled samples, which may change without the samples.

        Where there are no such sums, all integers must stay the same.
        """
        self.sizes: dict[int, int] = {}
        self.owners: dict[int, np.ndarray] = {}  # [n] the sample of each pixel
        self.sums: dict[int, np.ndarray] = {}  # [B, n] its biased sum
        if not _has_sums(unit):
            return
        planes = unit.integers(pixels)
        for component, (across, down) in enumerate(unit.ratios):
            if across * down == 1:
                continue
            owner = np.empty(pixels.shape[1], np.intp)
            total = np.empty(pixels.shape[1:], np.int32)
            for number, block in enumerate(unit.blocks):
                if block.component == component:
                    owner[block.members] = (64 * number + np.arange(64))[:, None]
                    sums = planes[component][block.members].sum(axis=1, dtype=np.int32)
                    total[block.members] = (sums + block.bias)[:, None]
            self.sizes[component] = across * down
            self.owners[component] = owner[self.blocks[0].pixels]
            self.sums[component] = self._gather(total[None])[:, :, 0]

    def _find_offsets(self, unit: Unit) -> None:
        """Keep the offsets that can be admissible at all."""
        offsets = _offsets(unit.channels)
        change = offsets @ unit.matrix.T
        near = (np.abs(change[:, self.component]) < 2) & (change[:, self.component] != 0)
        for component in set(range(unit.channels)) - {self.component}:
            near &= np.abs(change[:, component]) < self.sizes.get(component, 1)
        self.offsets = offsets[near]

    def run(self, generator: np.random.Generator, budget: Budget) -> np.ndarray:
        """Search, and return the places [.] of the blocks that are still wrong."""
        active = np.arange(len(self.pixels))
        moves = len(self.columns)
        prices = REPAIR if self.count == 1 else REPAIR_OF_SUMS
        tabu = np.zeros((len(active), 2 * moves), np.int8)
        line = np.arange(len(active))[:, None]
        for iteration in range(_ITERATIONS + 1):
            c8 = self._coefficients(active)
            wrong = ((c8 < self.low[active]) | (c8 > self.high[active])).any(axis=1)
            active, c8 = active[wrong], c8[wrong]
            if not len(active) or iteration == _ITERATIONS or budget.spent:
                break
            budget.spend(prices, len(active))
            away = c8 - self.centre[active]
            inner = self.half[active]
            excess = away - np.clip(away, -inner, inner)
            slope = excess @ self.columns.T
            score = np.concatenate([slope, -slope], axis=1)
            score[tabu[active] > iteration] = np.inf
            best = score.argpartition(min(_CANDIDATES, 2 * moves) - 1, axis=1)[:, :_CANDIDATES]
            moved = self.columns[best % moves]
            np.negative(moved, out=moved, where=(best >= moves)[:, :, None])
            moved += away[:, None]
            moved -= np.clip(moved, -inner[:, None], inner[:, None])
            cost = np.einsum("bkc,bkc->bk", moved, moved)
            rows = line[: len(active)]
            cost[score[rows, best] == np.inf] = np.inf
            ranks = cost.argsort(axis=1)[:, :_CHOICES]
            usable = np.isfinite(cost[rows, ranks])
            self._move(active, best[rows, ranks], usable, tabu, iteration, generator)
        return active

    def _coefficients(self, active: np.ndarray) -> np.ndarray:
        """c8 [B, 64] of the active blocks."""
        channels = np.ascontiguousarray(self.pixels[active].transpose(2, 1, 0))
        plane = self.unit.integers(channels)[self.component]
        if self.count == 1:
            samples = plane[self.members[:, 0]]
        else:
            samples = plane[self.members].sum(axis=1, dtype=np.int32)
            samples = (samples + self.bias) // self.count
        return dct(samples).T

    def _move(
        self,
        active: np.ndarray,
        choices: np.ndarray,
        usable: np.ndarray,
        tabu: np.ndarray,
        iteration: int,
        generator: np.random.Generator,
    ) -> None:
        """Make the first of the choices [B, k] that can be realised, and mark what is now tabu."""
        moves = len(self.columns)
        count = choices.shape[1]
        rows = np.repeat(active, count)
        flat = choices.ravel()
        places = self.groups[flat % moves]
        way = np.where(flat < moves, 1, -1)
        done, value, sums = self._realise(rows, places, way, usable.ravel())
        done = done.reshape(choices.shape)
        some = done.any(axis=1)
        first = np.where(some, done.argmax(axis=1), count)
        vain = usable & (np.arange(count) < first[:, None])
        tabu[rows.reshape(choices.shape)[vain], choices[vain]] = iteration + 1 + _BLOCKED
        chosen = (np.arange(len(active)) * count + first)[some]
        back = (flat[chosen] + moves) % (2 * moves)
        tabu[rows[chosen], back] = iteration + generator.integers(7, 11, len(chosen))
        self.pixels[rows[chosen, None], places[chosen]] = value[chosen]
        for component, total in sums.items():
            # A coarser sample than the changed one reaches beyond its pixels.
            owner = self.owners[component]
            for a in range(places.shape[1]):
                same = owner == owner[places[chosen, a]][:, None]
                block, pixel = np.nonzero(same)
                self.sums[component][rows[chosen[block]], pixel] = total[chosen[block], a]

    def _realise(
        self, rows: np.ndarray, places: np.ndarray, way: np.ndarray, usable: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, dict[int, np.ndarray]]:
        """Find changes of pixels that move samples by `way`.

        Args:
            rows: [M] the block of each move; places: [M, A] the sample's pixels; way: [M] +-1;
            usable: [M] which to try at all.

        Returns:
            (whether it is possible [M], the new pixels [M, A, C], the new sums [M, A]).
        """
        value = self.pixels[rows[:, None], places]
        goal = self.goal[rows[:, None], places]
        sums = {c: total[rows[:, None], places] for c, total in self.sums.items()}
        done = np.zeros(len(rows), bool)
        going = np.flatnonzero(usable)
        for _ in range(1 if self.count == 1 else _TRIES):
            if not len(going):
                break
            part = {c: total[going] for c, total in sums.items()}
            found, choice, offset, change = self._nearest(
                value[going], goal[going], part, way[going]
            )
            going, choice = going[found], choice[found]
            value[going, choice] += self.offsets[offset[found]]
            for c, total in sums.items():
                owner = self.owners[c][places[going]]
                same = owner == owner[np.arange(len(going)), choice][:, None]
                total[going] += same * change[c][found][:, None]
            if self.count == 1:
                done[going] = True
                break
            before = part[self.component][found, 0] // self.count
            moved = sums[self.component][going, 0] // self.count != before
            done[going[moved]] = True
            going = going[~moved]
        return done, value, sums

    def _nearest(
        self,
        value: np.ndarray,
        goal: np.ndarray,
        sums: dict[int, np.ndarray],
        way: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, dict[int, np.ndarray]]:
        """The admissible change of one pixel in [M, A, C] that ends nearest to the goal.

        Returns:
            (whether there is one [M], which pixel [M], which offset [M], the change [M] of the
            downsampled components' integers).
        """
        new = value[:, :, None] + self.offsets  # [M, A, K, C]
        allowed = ((new & ~255) == 0).all(axis=3)
        changes = self.unit.integer_changes(value, self.offsets)
        for component, change in enumerate(changes):
            if component == self.component:
                allowed &= change == way[:, None, None]
            elif component in sums:
                rest = sums[component] % self.sizes[component]
                allowed &= (rest[:, :, None] + change) // self.sizes[component] == 0
            else:
                allowed &= change == 0
        distance = 2 * ((value - goal) @ self.offsets.T.astype(np.float32))
        distance += (self.offsets**2).sum(axis=1)
        distance[~allowed] = np.inf
        flat = distance.reshape(len(value), -1)
        best = flat.argmin(axis=1)
        line = np.arange(len(value))
        return (
            np.isfinite(flat[line, best]),
            best // len(self.offsets),
            best % len(self.offsets),
            {c: changes[c].reshape(flat.shape)[line, best] for c in sums},
        )
