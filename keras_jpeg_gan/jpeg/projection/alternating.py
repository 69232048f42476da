"""The float stage: the nearest image in [0, 255] with coefficients well inside their cells.

Projections onto two convex sets, the cells and the gamut, alternate. They are accelerated as in
Beck and Teboulle's FISTA (2009), and each unit restarts by itself (O'Donoghue and Candes, 2015).
"""

from dataclasses import dataclass

import numpy as np

from keras_jpeg_gan.jpeg.projection.budget import FLOAT, Budget
from keras_jpeg_gan.jpeg.projection.units import Cells, Unit

# Grey levels by which a solution may leave [0, 255]: rounding absorbs them.
_TOLERANCE = 0.02
# A solution whose coefficients stay further (in c8) from their cells is no matter of precision:
# there is none. libjpeg's rounding leaves 16 at most (quality 100, 4:2:0), and of 24 files with
# black below the image, at qualities 5 to 90, each has units that stay 800 and more away.
FAR = 32
# A cut unit never quite converges; steps of fewer grey levels than this count as standing still.
_STILL = 0.002


@dataclass(frozen=True)
class Boxes:
    """Cells minus a margin, in orthonormal coefficients.

    Attributes:
        low, high: [64, blocks, N] float32.
    """

    low: np.ndarray
    high: np.ndarray

    def take(self, units: np.ndarray) -> "Boxes":
        """The boxes of some units of the batch."""
        return Boxes(self.low[..., units], self.high[..., units])


def boxes(cells: Cells, margins: np.ndarray) -> Boxes:
    """Shrink cells by margins [64, blocks] of orthonormal coefficients."""
    inset = margins.astype(np.float32)[:, :, None]
    eighth = np.float32(1 / 8)
    return Boxes(cells.low * eighth + inset, cells.high * eighth - inset)


def onto_cells(unit: Unit, channels: np.ndarray, boxes: Boxes) -> np.ndarray:
    """The nearest channel values [C, R, N] (in YCbCr) with coefficients in the boxes."""
    planes = unit.components(channels)
    changes = np.zeros_like(planes)
    for number, block in enumerate(unit.blocks):
        coefficients = block.coefficients(planes[block.component])
        change = np.minimum(coefficients, boxes.high[:, number])
        np.maximum(change, boxes.low[:, number], out=change)
        change -= coefficients
        block.change(change, changes[block.component])
    result = unit.channel_changes(changes)
    result += channels
    return result


def centre(unit: Unit, cells: Cells) -> np.ndarray:
    """Channel values [C, R, N] float32 with coefficients in the middle of their cells.

    They have no detail beyond that of the components' samples.
    """
    middle = (cells.low + cells.high).astype(np.float32) * np.float32(1 / 16)
    gray = np.full((unit.channels, len(unit.rows), middle.shape[2]), 128, np.float32)
    return onto_cells(unit, gray, Boxes(middle, middle))


def project(
    unit: Unit,
    channels: np.ndarray,
    boxes: Boxes,
    iterations: int,
    budget: Budget,
    bounds: tuple[np.ndarray, np.ndarray] | None = None,
) -> np.ndarray:
    """Channel values within bounds, near the given ones, with coefficients in the boxes.

    Args:
        unit: the shape of the units.
        channels: [C, R, N] float32.
        boxes: what the coefficients must be in.
        iterations: the largest number of steps.
        budget: pays for all steps but the first; they end when it is spent.
        bounds: lowest and highest channel values [C, R, N]; 0 and 255 if not given.

    Returns:
        [C, R, N] float32 within the bounds, and in the boxes as far as the iterations got.
    """
    low: np.ndarray
    high: np.ndarray
    low, high = (
        bounds if bounds is not None else (np.array(0, np.float32), np.array(255, np.float32))
    )
    moved = onto_cells(unit, channels, boxes)
    solution = np.clip(moved, low, high)
    active = np.arange(channels.shape[2]) if unit.cut else _unfinished(moved, solution)
    current = solution[:, :, active]
    step = current - channels[:, :, active]
    boxes, momentum = boxes.take(active), np.ones(len(active), np.float32)
    if bounds is not None:
        low, high = low[..., active], high[..., active]
    for _ in range(iterations - 1):
        if not len(active) or budget.spent:
            break
        budget.spend(FLOAT, current.size)
        ahead = step
        ahead *= momentum / (momentum + 3)
        ahead += current
        moved = onto_cells(unit, ahead, boxes)
        following = np.clip(moved, low, high)
        step = following - current
        current = following
        ahead -= current
        turned = np.einsum("crn,crn->n", ahead, step) > 0
        momentum = np.where(turned, np.float32(1), momentum + 1)
        if unit.cut:
            going = np.flatnonzero(np.abs(step).max(axis=(0, 1)) > _STILL)
        else:
            going = _unfinished(moved, current)
        if len(going) < 0.8 * len(active):
            solution[:, :, active] = current
            active, momentum = active[going], momentum[going]
            current, step = current[:, :, going], step[:, :, going]
            boxes = boxes.take(going)
            if bounds is not None:
                low, high = low[..., going], high[..., going]
    solution[:, :, active] = current
    return solution


def unbounded(channels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bounds that are none, for `project`."""
    infinite = np.broadcast_to(np.float32(np.inf), channels.shape)
    return -infinite, infinite


def _unfinished(moved: np.ndarray, clipped: np.ndarray) -> np.ndarray:
    beyond = moved - clipped
    np.abs(beyond, out=beyond)
    return np.flatnonzero(beyond.max(axis=(0, 1)) > _TOLERANCE)


def distance(unit: Unit, channels: np.ndarray, cells: Cells) -> np.ndarray:
    """The largest distance [N], in c8, of a real coefficient from its cell."""
    planes = unit.components(channels)
    result = np.zeros(channels.shape[2], np.float32)
    for number, block in enumerate(unit.blocks):
        c8 = 8 * block.coefficients(planes[block.component])
        outside = np.maximum(c8 - cells.high[:, number], cells.low[:, number] - c8)
        np.maximum(result, outside.max(axis=0), out=result)
    return result
