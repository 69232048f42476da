"""Rounding by decision feedback: Babai's nearest plane on the weighted coefficients.

Rounding each pixel by itself leaves white noise in all coefficients: too much for cells one or
two units wide. Here each pixel is rounded with regard to the errors so far, weighted so that the
remaining noise goes to the coefficients with coarse steps. In colour, too, the error that counts
is that of the encoder's own integers.
"""

from dataclasses import dataclass

import numpy as np

from keras_jpeg_gan.jpeg.projection.units import Block, Unit, dct_matrix

# Variance that the encoder's integer DCT adds to an orthonormal coefficient.
_DCT_VARIANCE = 0.009


@dataclass(frozen=True)
class Feedback:
    """The order of a block's samples, and how an error influences later ones.

    Attributes:
        order: [T] the block's real samples in the order in which they are decided.
        weights: [T, T] float32, strictly lower triangular: row t is the errors' influence on
            sample t; None if it is zero and rounding is plain.
        noise: [64] standard deviation of the coefficients after rounding.
    """

    order: np.ndarray
    weights: np.ndarray | None
    noise: np.ndarray


def pixel_order(unit: Unit) -> np.ndarray:
    """The order in which a unit's pixels are decided.

    Groups of pixels that share a sample of the coarsest component follow in raster order.
    """
    counts = [block.members.shape[1] for block in unit.blocks]
    keys: list[np.ndarray] = [np.arange(len(unit.rows))]
    for component in sorted(
        {block.component for block in unit.blocks},
        key=lambda c: max(n for n, b in zip(counts, unit.blocks, strict=True) if b.component == c),
    ):
        owner = np.empty(len(unit.rows), np.intp)
        for block in unit.blocks:
            if block.component == component:
                y, x = block.real // 8 + 8 * block.row, block.real % 8 + 8 * block.column
                owner[block.members[block.real]] = (y * 64 + x)[:, None]
        keys.append(owner)
    return np.lexsort(keys)


def feedback(unit: Unit, tables: list[np.ndarray], strength: float) -> list[Feedback]:
    """The feedback of each block of the unit.

    Args:
        unit: the shape of units.
        tables: [8, 8] steps of each component.
        strength: steps below it get more weight: a coefficient's is strength / step, at least 1.
    """
    rank = np.empty(len(unit.rows), np.intp)
    rank[pixel_order(unit)] = np.arange(len(unit.rows))
    return [
        _block_feedback(unit, block, tables[block.component].reshape(64), strength, rank)
        for block in unit.blocks
    ]


def _block_feedback(
    unit: Unit, block: Block, steps: np.ndarray, strength: float, rank: np.ndarray
) -> Feedback:
    order = np.argsort(rank[block.members[block.real]].max(axis=1))
    columns = np.zeros((64, len(block.real)))
    tied = np.zeros((64, len(block.real)))
    tied[np.arange(64), block.source] = 1
    columns = (dct_matrix() @ tied)[:, order]
    weight = np.maximum(1.0, strength / steps)
    count = block.members.shape[1]
    row = unit.matrix[block.component].astype(np.float64)
    rounding = (row @ row + (unit.channels > 1)) / count + (count > 1)
    deviation = np.sqrt(rounding / 12 + _DCT_VARIANCE)
    if (weight == 1).all() and len(order) == 64:
        return Feedback(block.real[order], None, np.full(64, deviation))
    gram = columns.T @ (weight[:, None] ** 2 * columns)
    # gram = R'R with R lower triangular: the Cholesky factor of gram rotated by 180 degrees.
    lower = np.linalg.cholesky(gram[::-1, ::-1]).T[::-1, ::-1]
    weights = lower / np.diag(lower)[:, None]
    noise = deviation * np.linalg.norm(columns @ np.linalg.inv(weights), axis=1)
    return Feedback(block.real[order], np.tril(weights, -1).astype(np.float32), noise)


def round_units(
    unit: Unit,
    channels: np.ndarray,
    feedbacks: list[Feedback],
    bounds: tuple[np.ndarray, np.ndarray] | None = None,
) -> np.ndarray:
    """Round channel values [C, R, N] float32 to integers [C, R, N] int32 within the bounds."""
    low: np.ndarray
    high: np.ndarray
    low, high = (
        bounds if bounds is not None else (np.array(0, np.float32), np.array(255, np.float32))
    )
    if all(item.weights is None for item in feedbacks):
        return np.clip(np.rint(channels), low, high).astype(np.int32)
    goal = unit.components(channels)
    count = channels.shape[2]
    result = np.empty(channels.shape, np.int32)
    integers = np.empty(channels.shape, np.int32)
    blocks = [
        _Running(block, item, goal, count)
        for block, item in zip(unit.blocks, feedbacks, strict=True)
    ]
    starts: dict[int, list[tuple[_Running, int]]] = {}
    ends: dict[int, list[tuple[_Running, int]]] = {}
    order = pixel_order(unit)
    rank = np.empty(len(order), np.intp)
    rank[order] = np.arange(len(order))
    for running in blocks:
        ranks = rank[running.block.members[running.feedback.order]]
        for t, (first, last) in enumerate(zip(ranks.min(axis=1), ranks.max(axis=1), strict=True)):
            starts.setdefault(int(first), []).append((running, t))
            ends.setdefault(int(last), []).append((running, t))
    shift = np.zeros((unit.channels, count), np.float32)
    for step, pixel in enumerate(order):
        for running, t in starts.get(step, ()):
            shift[running.block.component] = running.influence(t)
        wanted = channels[:, pixel] - unit.inverse @ shift
        np.rint(wanted, out=wanted)
        if bounds is None:
            np.clip(wanted, low, high, out=wanted)
        else:
            np.clip(wanted, low[:, pixel], high[:, pixel], out=wanted)
        value = wanted.astype(np.int32)
        result[:, pixel] = value
        integers[:, pixel] = unit.integers(value)
        for running, t in ends.get(step, ()):
            running.close(t, integers)
    return result


class _Running:
    """The errors of one block's samples as they are decided."""

    def __init__(self, block: Block, feedback: Feedback, goal: np.ndarray, count: int) -> None:
        self.block = block
        self.feedback = feedback
        self.goal = goal[block.component]
        # Zero until decided: if a sample of one component is a row of pixels and of another a
        # column, later ones begin before earlier ones end.
        self.errors = np.zeros((len(feedback.order), count), np.float32)

    def influence(self, t: int) -> np.ndarray | np.float32:
        if self.feedback.weights is None or not t:
            return np.float32(0)
        return self.feedback.weights[t, :t] @ self.errors[:t]

    def close(self, t: int, integers: np.ndarray) -> None:
        if self.feedback.weights is None:
            return
        sample = self.feedback.order[t]
        members = self.block.members[sample]
        plane = integers[self.block.component]
        if len(members) == 1:
            np.subtract(plane[members[0]], self.goal[members[0]], out=self.errors[t])
            return
        count = len(members)
        bias = int(self.block.bias[sample, 0])
        decided = (plane[members].sum(axis=0, dtype=np.int32) + bias) // count
        goal = self.goal[members].mean(axis=0) + np.float32((bias - (count - 1) / 2) / count)
        self.errors[t] = decided - goal
