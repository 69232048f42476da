"""Where a file has no colour, the restored image gets none.

A network may see colour in the artefacts of a gray picture. What it adds where the decode is gray
all around is taken out again; beside colour it is kept, since colour bleeds.
"""

import numpy as np

# Side of the cells in pixels; export/ has the same cells.
CELL = 16

_ROWS = 1024  # of pixels at once, a multiple of CELL


def weights(pixels: np.ndarray) -> np.ndarray | None:
    """How much of the network's colour to keep in each cell of 16x16 pixels.

    A cell has colour if R, G and B differ in one of its pixels. The weight is the mean of two
    indicators: whether there is colour in the cell or in one that touches it, and whether there
    is any up to two cells away.

    Args:
        pixels: [H, W, 3] uint8, the decode.

    Returns:
        [ceil(H / 16), ceil(W / 16)] float32: 0, 1/2 or 1; None if all are 1.
    """
    columns = np.arange(0, pixels.shape[1], CELL)
    found = []
    for top in range(0, len(pixels), _ROWS):
        part = pixels[top : top + _ROWS]
        differs = (part[..., 0] != part[..., 1]) | (part[..., 0] != part[..., 2])
        rows = np.arange(0, len(part), CELL)
        found.append(
            np.logical_or.reduceat(np.logical_or.reduceat(differs, columns, axis=1), rows, axis=0)
        )
    near = _grown(np.concatenate(found))
    if near.all():
        return None
    return (near.astype(np.float32) + _grown(near)) / 2


def damp(band: np.ndarray, kept: np.ndarray) -> None:
    """Draw the pixels of a band towards their channels' mean, in place.

    Args:
        band: [h, W, 3] float32, whose first row begins a cell.
        kept: [ceil(h / 16), ceil(W / 16)], its `weights`.
    """
    mean = band.mean(axis=2, keepdims=True)
    each = kept.repeat(CELL, axis=0).repeat(CELL, axis=1)[: band.shape[0], : band.shape[1], None]
    band -= mean
    band *= each
    band += mean


def _grown(cells: np.ndarray) -> np.ndarray:
    """Cells [h, w] that are set, or touch one that is."""
    across = cells.copy()
    across[:, 1:] |= cells[:, :-1]
    across[:, :-1] |= cells[:, 1:]
    grown = across.copy()
    grown[1:] |= across[:-1]
    grown[:-1] |= across[1:]
    return grown
