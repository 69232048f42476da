"""An image cut into units: where they lie, and their pixels and cells in batches."""

from collections.abc import Iterator, Sequence

import numpy as np

from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.jpeg import emulator
from keras_jpeg_gan.jpeg.projection.units import Cells, Unit, gather_cells, unit


class Grid:
    """The units of an image and its file.

    Args:
        shape: (H, W) of a gray image, (H, W, 3) of an RGB one.
        levels: [Hb, Wb, 8, 8] integers for each component of the file, without dummy blocks.
        tables: [8, 8] steps >= 1 for each component, natural order.
        sampling: a name or factors (`emulator.factors`).

    Attributes:
        tables: [8, 8] int32 for each component.
        size: rows and columns of units.

    Raises:
        ConfigError: a ratio of factors is not whole, or shapes do not match.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        levels: Sequence[np.ndarray],
        tables: Sequence[np.ndarray],
        sampling: str,
    ) -> None:
        parts = emulator.reduced_factors(sampling)
        channels = 1 if len(shape) == 2 else shape[2]
        if not channels == len(parts) == len(levels) == len(tables):
            raise ConfigError(
                f"pixels of shape {shape} do not fit sampling {sampling} with "
                f"{len(levels)} components and {len(tables)} tables"
            )
        self._height, self._width = shape[:2]
        self._unit_height = 8 * max(v for _, v in parts)
        self._unit_width = 8 * max(h for h, _ in parts)
        self.size = (-(-self._height // self._unit_height), -(-self._width // self._unit_width))
        for (h, v), given in zip(parts, levels, strict=True):
            blocks = (
                -(-self._height * v // self._unit_height),
                -(-self._width * h // self._unit_width),
            )
            if given.shape != (*blocks, 8, 8):
                raise ConfigError(
                    f"levels of shape {given.shape} do not fit pixels of shape {shape}"
                )
        self.tables = [np.asarray(table, np.int32).reshape(8, 8) for table in tables]
        self._levels = levels
        self._parts = parts
        self._sampling = sampling

    def shapes(self) -> Iterator[tuple[Unit, np.ndarray]]:
        """Each shape of units with the places [N, 2] in the grid that have it."""
        for rows, height in _spans(self._height, self._unit_height):
            for columns, width in _spans(self._width, self._unit_width):
                places = np.stack(np.meshgrid(rows, columns, indexing="ij"), axis=-1)
                yield unit(self._sampling, height, width), places.reshape(-1, 2)

    def index(self, shape: Unit, places: np.ndarray) -> np.ndarray:
        """Where in the flat image the first channel of each pixel of units lies: [R, N]."""
        corner = places[:, 0] * self._unit_height * self._width + places[:, 1] * self._unit_width
        index = corner + (shape.rows * self._width + shape.columns)[:, None]
        index *= shape.channels
        return index

    def levels(self, shape: Unit, places: np.ndarray) -> np.ndarray:
        """The levels of units: [64, blocks, N] float32."""
        return np.stack(
            [
                self._levels[block.component][
                    places[:, 0] * self._parts[block.component][1] + block.row,
                    places[:, 1] * self._parts[block.component][0] + block.column,
                ].reshape(-1, 64)
                for block in shape.blocks
            ],
            axis=1,
        ).T.astype(np.float32)

    def steps(self, shape: Unit) -> np.ndarray:
        """The steps of a unit's blocks: [64, blocks, 1] float32."""
        steps = [self.tables[block.component].reshape(64) for block in shape.blocks]
        return np.stack(steps, axis=1)[..., None].astype(np.float32)

    def cells(self, shape: Unit, places: np.ndarray) -> Cells:
        """What the coefficients of units must be."""
        return gather_cells(shape, self._levels, self.tables, self._parts, places)


def gather(pixels: np.ndarray, shape: Unit, index: np.ndarray) -> np.ndarray:
    """The pixels of units: [C, R, N] float32 of an image and `Grid.index`."""
    flat = pixels.reshape(-1)
    return np.stack([flat[index + channel] for channel in range(shape.channels)]).astype(np.float32)


def scatter(values: np.ndarray, index: np.ndarray, image: np.ndarray) -> None:
    """Put the pixels [C, R, N] of units into an image, which is contiguous."""
    flat = image.reshape(-1)
    for channel, plane in enumerate(values):
        flat[index + channel] = plane


def _spans(length: int, size: int) -> Iterator[tuple[np.ndarray, int]]:
    """Numbers of the units along a side that have the same extent, and that extent."""
    whole, rest = divmod(length, size)
    if whole:
        yield np.arange(whole), size
    if rest:
        yield np.array([whole]), rest
