"""Exact projection: an 8-bit image near a given one that compresses to exactly a file's levels.

The emulated encoder (emulator.py) tells what any image compresses to. The stages on the way to
one that compresses to the file's levels: a float projection that keeps a margin (alternating.py),
rounding with feedback of its errors (rounding.py), and repair of the coefficients that still miss
(repair.py). The few units that are left, mostly clipped ones, go through all this again with
other settings, and a wider search (search.py).
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.jpeg.levels import Quantized
from keras_jpeg_gan.jpeg.projection import alternating as float_stage
from keras_jpeg_gan.jpeg.projection.budget import Budget
from keras_jpeg_gan.jpeg.projection.grid import Grid, gather, scatter
from keras_jpeg_gan.jpeg.projection.repair import repair
from keras_jpeg_gan.jpeg.projection.rounding import feedback, round_units
from keras_jpeg_gan.jpeg.projection.search import search
from keras_jpeg_gan.jpeg.projection.units import Unit
from keras_jpeg_gan.system import one_blas_thread

# Pixels in a batch of units.
_BATCH = 1 << 18

_DEVIATIONS = 3.0  # margin in standard deviations of the rounding noise
_SHARE = 0.3  # but at most this share of a step
_FINE = 4  # tables whose steps are all at least this need no feedback in the first round

# Hard rounds are for few units: with more, only the cheap parts are done. And if a round mends
# hardly any of many, no exact image is within reach (mostly with steps of one).
_HARD_UNITS = 256
_HARD_SHARE = 1 / 16
_HARD_BATCH = 1024
_MANY = 16
_STUCK = 0.9
_STUCK_CHEAPLY = 0.5  # without the joint search


@dataclass(frozen=True)
class _Round:
    """How hard to try.

    Attributes:
        margin: factor of the usual margin.
        iterations: of the float stage.
        snap: channel values this near to 0 or 255 are fixed there; None fixes none.
        strength: of the rounding's feedback.
        reach: a unit is given up if its float solution stays this far (in c8) from a cell.
        patience: a unit is given up if it still misses more coefficients than this.
        moves: of the joint search; 0 in the first round.
        jitter: standard deviation of noise added to the given pixels, to start elsewhere.
        smooth: start from what the levels alone say instead of the given pixels: where these are
            clipped, their detail may leave no integers within reach.
    """

    margin: float
    iterations: int
    snap: float | None
    strength: float
    reach: float = 64
    patience: int = 64
    moves: int = 80
    jitter: float = 0
    smooth: bool = False


_FIRST = _Round(1.0, 20, None, 8, reach=512, patience=10**6, moves=0)
_ROUNDS = (
    _Round(0.5, 15, 1.5, 4),
    _Round(0.5, 60, None, 64),
    _Round(0.5, 60, 1.5, 16, moves=200, smooth=True),
    _Round(0.05, 150, 8, 64, moves=400),
    _Round(0.2, 100, 4, 64, patience=8, moves=400),
    _Round(0.1, 150, None, 16, patience=8, moves=400),
    _Round(0.0, 150, 2, 16, patience=4, moves=400),
    _Round(0.0, 150, 24, 64, patience=4, moves=400),
    _Round(0.6, 40, None, 24, patience=4, moves=400),
    _Round(0.4, 60, 1.5, 64, patience=4, moves=400),
)
# Once more, with longer searches, for units that miss hardly anything.
_HARD = _ROUNDS + tuple(dataclasses.replace(e, patience=2, moves=600) for e in _ROUNDS)
# And from other starting points, if only few such units are left.
_ELSEWHERE = tuple(
    dataclasses.replace(effort, patience=2, jitter=jitter)
    for jitter in (1, 2, 3, 4)
    for effort in _ROUNDS
)
_NEARLY = 2

_UNSEEN = np.iinfo(np.int64).max  # missed by a unit that was not attempted yet

# If units are few, copies that start slightly apart are tried side by side. That costs next to
# nothing, since the time goes to the interpreter.
_FEW = 8
_COPIES = 8
_APART = 0.5  # grey levels, standard deviation, from one to the next


def project(pixels: np.ndarray, quantized: Quantized) -> np.ndarray:
    """An 8-bit image near the given one that libjpeg compresses to the file's levels.

    If none is found (steps of 1, levels of another kind of encoder) within the work that the size
    allows (`Budget`), the result is the best one met; `encoder.certify` tells what it misses. It
    depends on the arguments alone.

    Args:
        pixels: [H, W] (gray), [H, W, 3] (RGB) or [H, W, 4] (inks), 0..255, float or uint8: what
            to stay near.
        quantized: of the file.

    Returns:
        uint8, of the shape of pixels.

    Raises:
        ConfigError: libjpeg's encoder cannot write the sampling (`Sampling.can_encode`), or
            shapes do not match.
    """
    if not quantized.sampling.can_encode:
        raise ConfigError(
            f"sampling {quantized.sampling}: libjpeg's encoder cannot write it; use the float "
            "projection"
        )
    with one_blas_thread():
        return quantized.by_parts(_project_part, pixels)


def _project_part(pixels: np.ndarray, quantized: Quantized) -> np.ndarray:
    image = _Image(pixels, quantized)
    generator = np.random.default_rng(0)
    fine = min(int(table.min()) for table in image.grid.tables) < _FINE
    first = _FIRST if fine else dataclasses.replace(_FIRST, strength=1)
    for shape, places in image.grid.shapes():
        size = max(1, _BATCH // len(shape.rows))
        left = _attempt_all(image, shape, places, size, first, generator)
        few = _HARD_UNITS + int(_HARD_SHARE * len(places))
        _try_hard(image, shape, left, few, _HARD, generator)
        missed = image.missed[places[:, 0], places[:, 1]]
        nearly = places[(missed > 0) & (missed <= _NEARLY)]
        if len(nearly) < _MANY:
            _try_hard(image, shape, nearly, few, _ELSEWHERE, generator)
        image.settle(shape, places)
    return image.result


def _try_hard(
    image: "_Image",
    shape: Unit,
    left: np.ndarray,
    few: int,
    efforts: Sequence[_Round],
    generator: np.random.Generator,
) -> None:
    """Run one round after another, each on the units that the one before left."""
    for effort in efforts:
        before = len(left)
        if not before:
            break
        stuck = _STUCK
        if before > few:
            effort = dataclasses.replace(effort, moves=0)
            stuck = _STUCK_CHEAPLY
        tried = left if before > _FEW else np.repeat(left, _COPIES, axis=0)
        left = _attempt_all(image, shape, tried, _HARD_BATCH, effort, generator)
        left = np.unique(left, axis=0)
        if before >= _MANY and len(left) > stuck * before:
            break


def _attempt_all(
    image: "_Image",
    shape: Unit,
    places: np.ndarray,
    size: int,
    effort: _Round,
    generator: np.random.Generator,
) -> np.ndarray:
    """Attempt units in batches of `size`; return the places [., 2] of those to continue with."""
    left = [
        image.attempt(shape, places[start : start + size], effort, generator)
        for start in range(0, len(places), size)
    ]
    return np.concatenate(left)


class _Image:
    """The file, the goal, and what has been found so far."""

    def __init__(self, pixels: np.ndarray, quantized: Quantized) -> None:
        self.grid = Grid(pixels.shape, quantized)
        self.pixels = np.ascontiguousarray(pixels)
        self.result = np.empty(pixels.shape, np.uint8)
        # Coefficients outside their cells, by unit.
        self.missed = np.full(self.grid.size, _UNSEEN)
        self.budget = Budget(pixels.shape[0] * pixels.shape[1])

    def attempt(
        self, shape: Unit, places: np.ndarray, effort: _Round, generator: np.random.Generator
    ) -> np.ndarray:
        """Project units, keep what is better, and return the places to continue with."""
        fresh = int(np.count_nonzero(self.missed[places[:, 0], places[:, 1]] == _UNSEEN))
        self.budget.allow(fresh * len(shape.rows))
        if self.budget.spent and not fresh:
            return places[:0]
        index = self.grid.index(shape, places)
        given = gather(self.pixels, shape, index)
        cells = self.grid.cells(shape, places)
        if effort.smooth:
            given = float_stage.centre(shape, cells)
        # Copies of a place follow each other; the n-th starts n times _APART from what is given.
        numbers = np.arange(len(places))
        copies = np.append(False, (places[1:] == places[:-1]).all(axis=1))
        nth = numbers - np.maximum.accumulate(np.where(copies, 0, numbers))
        apart = _APART * nth + effort.jitter
        if apart.any():
            noise = generator.standard_normal(given.shape, np.float32)
            given += apart.astype(np.float32) * noise
        tables = self.grid.tables
        rounding = feedback(shape, tables, effort.strength)
        margins = np.stack(
            [
                np.minimum(
                    effort.margin * _DEVIATIONS * item.noise,
                    _SHARE * min(1, effort.margin * 1.5) * tables[b.component].reshape(64),
                )
                for b, item in zip(shape.blocks, rounding, strict=True)
            ],
            axis=1,
        )
        boxes = float_stage.boxes(cells, margins)
        iterations = max(effort.iterations, 150) if shape.cut else effort.iterations
        goal = float_stage.project(shape, given, boxes, iterations, self.budget)
        bounds = None
        if effort.snap is not None:
            bounds = _snapped(goal, effort.snap)
            goal = float_stage.project(shape, goal, boxes, iterations, self.budget, bounds)
        found = round_units(shape, goal, rounding, bounds)

        wrong = np.asarray(cells.missed(shape.coefficients(found)).any(axis=0))
        missed = np.zeros(len(places), np.int64)
        units = np.flatnonzero(wrong.any(axis=0))
        tried, goal, cells, wrong = (
            found[:, :, units],
            goal[:, :, units],
            cells.take(units),
            wrong[:, units],
        )
        wrong &= float_stage.distance(shape, goal, cells) <= effort.reach
        hopeful = wrong.any(axis=0)
        left = np.flatnonzero(repair(shape, tried, goal, cells, wrong, generator, self.budget))
        if effort.moves and len(left):
            tried[:, :, left] = search(
                shape,
                tried[:, :, left],
                goal[:, :, left],
                cells.take(left),
                effort.moves,
                generator,
                self.budget,
            )
        found[:, :, units] = tried
        missed[units] = cells.missed(shape.coefficients(tried)).sum(axis=(0, 1))
        better = np.flatnonzero(missed < self.missed[places[:, 0], places[:, 1]])
        better = better[np.argsort(-missed[better], kind="stable")]  # of copies, the best is last
        self.missed[places[better, 0], places[better, 1]] = missed[better]
        best = self.missed[places[:, 0], places[:, 1]]
        scatter(found[:, :, better], index[:, better], self.result)
        worth = hopeful & (best[units] > 0) & (best[units] <= effort.patience)
        return places[units[worth]]

    def settle(self, shape: Unit, places: np.ndarray) -> None:
        """Do without exactness where no RGB image gives the hidden samples.

        Chroma of zero, as some encoders leave it there, is no 8-bit RGB. The visible pixels of
        such units become those that would be right beside hidden values of any size.
        """
        hidden = self.grid.hidden(shape, places)
        places = places[hidden.any(axis=0) & (self.missed[places[:, 0], places[:, 1]] > 0)]
        if not len(places):
            return
        index, cells = self.grid.index(shape, places), self.grid.cells(shape, places)
        given, hidden = gather(self.pixels, shape, index), self.grid.hidden(shape, places)
        boxes = float_stage.boxes(cells, np.zeros((64, len(shape.blocks))))
        within = float_stage.project(shape, given, boxes, _FIRST.iterations, self.budget)
        far = np.flatnonzero(float_stage.distance(shape, within, cells) > float_stage.FAR)
        low, high = float_stage.unbounded(given[..., far])
        low, high = np.where(hidden[:, far], low, 0), np.where(hidden[:, far], high, 255)
        goal = float_stage.project(
            shape, given[..., far], boxes.take(far), _FIRST.iterations, self.budget, (low, high)
        )
        rounding = feedback(shape, self.grid.tables, _FIRST.strength)
        found = round_units(shape, goal, rounding, (low, high))
        scatter(np.clip(found, 0, 255), index[:, far], self.result)


def _snapped(goal: np.ndarray, reach: float) -> tuple[np.ndarray, np.ndarray]:
    """Bounds that fix values near 0 and 255 there."""
    low = np.where(goal >= 255 - reach, np.float32(255), np.float32(0))
    high = np.where(goal <= reach, np.float32(0), np.float32(255))
    return low, np.maximum(low, high)
