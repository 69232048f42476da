"""An image divided into units: where they lie, and their pixels and cells in batches."""

from collections.abc import Iterator

import numpy as np

from keras_jpeg_gan.jpeg import emulator
from keras_jpeg_gan.jpeg.levels import Quantized
from keras_jpeg_gan.jpeg.projection.units import Block, Cells, Unit, unit


class Grid:
    """The units of an image and its file.

    Args:
        shape: (H, W) of a gray image, (H, W, 3) of an RGB one.
        quantized: of the file.

    Attributes:
        tables: [8, 8] int32 for each component.
        size: rows and columns of units.

    Raises:
        ConfigError: shapes do not match.
    """

    def __init__(self, shape: tuple[int, ...], quantized: Quantized) -> None:
        quantized.check_fits(shape)
        self._height, self._width = shape[:2]
        self._sampling = quantized.sampling
        self._unit_height, self._unit_width = self._sampling.unit_height, self._sampling.unit_width
        self.size = (-(-self._height // self._unit_height), -(-self._width // self._unit_width))
        self.tables = [np.asarray(table, np.int32).reshape(8, 8) for table in quantized.tables]
        self._levels = quantized.levels
        self._visible = quantized.visible or (self._height, self._width)

    def shapes(self) -> Iterator[tuple[Unit, np.ndarray]]:
        """Yield each shape of units with the places [N, 2] in the grid that have it."""
        for rows, height in _spans(self._height, self._unit_height):
            for columns, width in _spans(self._width, self._unit_width):
                places = np.stack(np.meshgrid(rows, columns, indexing="ij"), axis=-1)
                yield unit(self._sampling, height, width), places.reshape(-1, 2)

    def index(self, shape: Unit, places: np.ndarray) -> np.ndarray:
        """The position in the flat image of the first channel of each pixel: [R, N]."""
        corner = places[:, 0] * self._unit_height * self._width + places[:, 1] * self._unit_width
        index = corner + (shape.rows * self._width + shape.columns)[:, None]
        index *= shape.channels
        return index

    def hidden(self, shape: Unit, places: np.ndarray) -> np.ndarray:
        """Which pixels of units are beyond the image that is seen: [R, N] bool."""
        rows = places[:, 0] * self._unit_height + shape.rows[:, None]
        columns = places[:, 1] * self._unit_width + shape.columns[:, None]
        return (rows >= self._visible[0]) | (columns >= self._visible[1])

    def levels(self, shape: Unit, places: np.ndarray) -> np.ndarray:
        """The levels of units: [64, blocks, N] float32."""
        found = [self._block_levels(block, places) for block in shape.blocks]
        return np.stack(found, axis=1).T.astype(np.float32)

    def steps(self, shape: Unit) -> np.ndarray:
        """The steps of a unit's blocks: [64, blocks, 1] float32."""
        steps = [self.tables[block.component].reshape(64) for block in shape.blocks]
        return np.stack(steps, axis=1)[..., None].astype(np.float32)

    def cells(self, shape: Unit, places: np.ndarray) -> Cells:
        """The cells of the coefficients of units."""
        low = np.empty((64, len(shape.blocks), len(places)), np.int32)
        high = np.empty_like(low)
        for number, block in enumerate(shape.blocks):
            steps = self.tables[block.component].reshape(64, 1)
            wanted = self._block_levels(block, places)
            low[:, number], high[:, number] = emulator.cells(wanted.T, steps)
        free = ~self.bound(shape, places)
        low[:, free], high[:, free] = -emulator.C8_LIMIT, emulator.C8_LIMIT
        return Cells(low, high)

    def bound(self, shape: Unit, places: np.ndarray) -> np.ndarray:
        """Which blocks of units the file has levels of: [blocks, N] bool."""
        return np.stack([self._has_levels(block, places) for block in shape.blocks])

    def _has_levels(self, block: Block, places: np.ndarray) -> np.ndarray:
        rows, columns = self._position(block, places)
        height, width = self._levels[block.component].shape[:2]
        return (rows < height) & (columns < width)

    def _position(self, block: Block, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Row and column [N] of a block among its component's."""
        across, down = self._sampling.reduced[block.component]
        return places[:, 0] * down + block.row, places[:, 1] * across + block.column

    def _block_levels(self, block: Block, places: np.ndarray) -> np.ndarray:
        """The levels [N, 64] of one block of each unit; zeros where the file has none."""
        rows, columns = self._position(block, places)
        levels = self._levels[block.component]
        has = self._has_levels(block, places)
        found = np.zeros((len(places), 64), levels.dtype)
        found[has] = levels[rows[has], columns[has]].reshape(-1, 64)
        return found


def gather(pixels: np.ndarray, shape: Unit, index: np.ndarray) -> np.ndarray:
    """Gather the pixels of units, [C, R, N] float32, by `Grid.index`."""
    flat = pixels.reshape(-1)
    return np.stack([flat[index + channel] for channel in range(shape.channels)]).astype(np.float32)


def scatter(values: np.ndarray, index: np.ndarray, image: np.ndarray) -> None:
    """Write the pixels [C, R, N] of units to a contiguous image."""
    flat = image.reshape(-1)
    for channel, plane in enumerate(values):
        flat[index + channel] = plane


def _spans(length: int, size: int) -> Iterator[tuple[np.ndarray, int]]:
    """Yield the numbers of the units along a side with the same extent, and that extent."""
    whole, rest = divmod(length, size)
    if whole:
        yield np.arange(whole), size
    if rest:
        yield np.array([whole]), rest
