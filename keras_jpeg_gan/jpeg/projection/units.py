"""Units of the exact projection: the smallest parts of an image that share no level.

A unit is 8x8 pixels at 4:4:4 and in grayscale, 16x16 at 4:2:0, and in general 8 times the largest
factors. Units at the right and lower edge may be cut; libjpeg's padding there is tied to the
pixels that it copies. All arrays of a batch of units end in the axis of the units, so that
everything runs over contiguous memory: planes are [C, R, N], coefficients of a block [64, N],
for C components (or channels), R pixels of the unit that are in the image, and N units.
"""

import functools
from dataclasses import dataclass

import numpy as np

from keras_jpeg_gan.jpeg import emulator
from keras_jpeg_gan.jpeg.sampling import Sampling

# RGB -> YCbCr as in the encoder's integers, and back; the identity for grayscale.
_MATRICES = {1: np.ones((1, 1), np.float32), 3: (emulator.COLOR / 65536).astype(np.float32)}
_INVERSES = {
    1: np.ones((1, 1), np.float32),
    3: np.linalg.inv(emulator.COLOR / 65536).astype(np.float32),
}
_OFFSET = np.array([0.0, 128.0, 128.0], np.float32)


def dct_matrix() -> np.ndarray:
    """The orthonormal DCT of 8x8 samples: [64 coefficients, 64 samples] float64, raster order."""
    basis = emulator.dct_basis()
    return np.kron(basis, basis)


_SAMPLE_DCT = dct_matrix().astype(np.float32)


@dataclass(frozen=True)
class Block:
    """A component's block in a unit: how its coefficients follow from the unit's pixels.

    Attributes:
        component: its index.
        row, column: its place among the component's blocks in the unit.
        members: [64, A] the pixels that each sample is the mean of, repeated where padding copies.
        bias: [64, 1] int32 that the encoder adds to the sum of the members before dividing.
        real: [T] the samples that lie in the image, ascending; source: [64] the index in `real`
            of the sample that each sample repeats: itself if it is real.
        pixels: the unit's pixels that the block depends on: a slice, or indices.
        forward: [64, n] float32, from those pixels' component values to orthonormal coefficients.
        constant: [64, 1] float32, to be added to these: level shift and downsampling bias.
        backward: [n, 64] float32, from a change of the coefficients to a change of the pixels
            that causes it; in cut blocks, the mean over the copies of a pixel.
        averages: whether each pixel belongs to the mean of one sample only, so that there is a
            faster way than these matrices.
    """

    component: int
    row: int
    column: int
    members: np.ndarray
    bias: np.ndarray
    real: np.ndarray
    source: np.ndarray
    pixels: slice | np.ndarray
    forward: np.ndarray
    constant: np.ndarray
    backward: np.ndarray
    averages: bool

    def samples(self, component: np.ndarray) -> np.ndarray:
        """The encoder's integer samples [64, N] of a component's integers [R, N]."""
        count = self.members.shape[1]
        if count == 1:
            return component[self.members[:, 0]]
        total = component[self.members[:, 0]]
        for member in self.members.T[1:]:
            total += component[member]
        total += self.bias
        return total // count

    def coefficients(self, component: np.ndarray) -> np.ndarray:
        """Real orthonormal coefficients [64, N] of a component's values [R, N] float32."""
        if self.averages:
            total = component[self.members[:, 0]]
            for member in self.members.T[1:]:
                total += component[member]
            found = _SAMPLE_DCT @ total
            found *= np.float32(1 / self.members.shape[1])
        else:
            found = self.forward @ component[self.pixels]
        found += self.constant
        return found

    def change(self, coefficients: np.ndarray, component: np.ndarray) -> None:
        """Write to [R, N] the change of the pixels that changes the coefficients by [64, N]."""
        if self.averages:
            samples = _SAMPLE_DCT.T @ coefficients
            for member in self.members.T:
                component[member] = samples
        else:
            component[self.pixels] = self.backward @ coefficients


@dataclass(frozen=True)
class Unit:
    """The shape of units: what all those with the same pixels have in common.

    Attributes:
        channels: 1 (gray) or 3 (RGB).
        rows, columns: [R] place of each pixel in the unit; 8x8 areas one after another.
        ratios: for each component, how many pixels across and down make a sample.
        blocks: all blocks except dummies, by component.
        cut: whether padding begins within the unit.
    """

    channels: int
    rows: np.ndarray
    columns: np.ndarray
    ratios: tuple[tuple[int, int], ...]
    blocks: tuple[Block, ...]
    cut: bool

    @property
    def matrix(self) -> np.ndarray:
        """[C, C] float32 from channels to components, without the offset."""
        return _MATRICES[self.channels]

    @property
    def inverse(self) -> np.ndarray:
        """[C, C] float32 from changes of components to changes of channels."""
        return _INVERSES[self.channels]

    def components(self, channels: np.ndarray) -> np.ndarray:
        """Real component values [C, ..., N] of channel values [C, ..., N] float32."""
        if self.channels == 1:
            return channels
        planes = self.matrix @ channels.reshape(3, -1)
        planes += _OFFSET[:, None]
        return planes.reshape(channels.shape)

    def channel_changes(self, changes: np.ndarray) -> np.ndarray:
        """The changes of channels [C, ..., N] that make these changes of components [C, ..., N]."""
        if self.channels == 1:
            return changes
        return (self.inverse @ changes.reshape(3, -1)).reshape(changes.shape)

    def integers(self, channels: np.ndarray) -> list[np.ndarray]:
        """The encoder's integer components, each [..., N], of integer channels [C, ..., N]."""
        if self.channels == 1:
            return [channels[0]]
        return emulator.rgb_to_ycbcr(channels[0], channels[1], channels[2])

    def integer_changes(self, values: np.ndarray, offsets: np.ndarray) -> list[np.ndarray]:
        """How offsets change the integer components of pixels.

        Args:
            values: [..., C] int32, integer channel values of pixels.
            offsets: [K, C] int32.

        Returns:
            [..., K] int32 for each component.
        """
        if self.channels == 1:
            return [np.broadcast_to(offsets[:, 0], (*values.shape[:-1], len(offsets)))]
        rest = values @ emulator.COLOR.T + emulator.COLOR_ROUNDING
        rest &= 0xFFFF
        change = offsets @ emulator.COLOR.T
        return [(rest[..., c, None] + change[:, c]) >> 16 for c in range(3)]

    def coefficients(self, channels: np.ndarray) -> np.ndarray:
        """The encoder's c8 [64, blocks, N] int32 of integer channels [C, R, N]."""
        planes = self.integers(channels)
        samples = np.empty((64, len(self.blocks), channels.shape[-1]), np.int32)
        for number, block in enumerate(self.blocks):
            samples[:, number] = block.samples(planes[block.component])
        return dct(samples)


def dct(samples: np.ndarray) -> np.ndarray:
    """c8 [64, ...] int32 of integer samples [64, ...] int32."""
    return emulator.forward_dct(samples.reshape(8, 8, -1)).reshape(samples.shape)


@dataclass(frozen=True)
class Cells:
    """What the coefficients of a batch of units must be in: closed intervals of c8.

    Attributes:
        low, high: [64, blocks, N] int32.
    """

    low: np.ndarray
    high: np.ndarray

    def take(self, units: np.ndarray) -> "Cells":
        """The cells of some units of the batch."""
        return Cells(self.low[..., units], self.high[..., units])

    def missed(self, c8: np.ndarray) -> np.ndarray:
        """Which coefficients [64, blocks, N] are outside."""
        return (c8 < self.low) | (c8 > self.high)


@functools.lru_cache(maxsize=32)
def unit(sampling: Sampling, height: int, width: int) -> Unit:
    """The shape of a sampling's units that have height x width pixels in the image."""
    ratios = sampling.ratios
    full_height, full_width = sampling.unit_height, sampling.unit_width
    y, x = (axis.ravel() for axis in np.mgrid[:height, :width])
    order = np.lexsort((x, y, x // 8, y // 8))
    y, x = y[order], x[order]
    index = np.empty((height, width), np.intp)
    index[y, x] = np.arange(len(y))
    blocks = [
        _block(component, row, column, ratios[component], index, full_height // 8)
        for component, (h, v) in enumerate(sampling.reduced)
        for row in range(v)
        for column in range(h)
        if 8 * row * ratios[component][1] < height and 8 * column * ratios[component][0] < width
    ]
    cut = (height, width) != (full_height, full_width)
    return Unit(sampling.components, y, x, ratios, tuple(blocks), cut)


def _block(
    component: int,
    row: int,
    column: int,
    ratio: tuple[int, int],
    index: np.ndarray,
    group_height: int,
) -> Block:
    """Describe one block; index: [height, width] the number of each of the unit's pixels."""
    across, down = ratio
    height, width = index.shape
    v, u = (axis.ravel() for axis in np.mgrid[8 * row : 8 * row + 8, 8 * column : 8 * column + 8])
    # Downwards, the last downsampled row is repeated from the end of its group of pixel rows on;
    # to the right, the last column of pixels.
    last_row = -(-height // group_height) * group_height // down - 1
    sampled_rows = np.minimum(v, last_row)
    member_rows = sampled_rows[:, None] * down + np.repeat(np.arange(down), across)
    member_columns = u[:, None] * across + np.tile(np.arange(across), down)
    members = index[np.minimum(member_rows, height - 1), np.minimum(member_columns, width - 1)]
    bias = emulator.downsampling_bias(across, down, 8 * column + 8)[u]

    inside = (v * down < height) & (u * across < width)
    real = np.flatnonzero(inside)
    place = np.cumsum(inside) - 1
    source_row = np.minimum(v, (height - 1) // down) - 8 * row
    source_column = np.minimum(u, (width - 1) // across) - 8 * column
    source = place[8 * source_row + source_column]

    used = np.unique(members)
    occurrences = np.zeros((64, len(used)))
    np.add.at(occurrences, (np.arange(64)[:, None], np.searchsorted(used, members)), 1)
    count = across * down
    k = dct_matrix()
    shift = (bias - (count - 1) / 2) / count - 128.0
    contiguous = used[-1] - used[0] + 1 == len(used)
    return Block(
        component,
        row,
        column,
        members,
        bias[:, None].astype(np.int32),
        real,
        source,
        slice(int(used[0]), int(used[-1]) + 1) if contiguous else used,
        (k @ occurrences / count).astype(np.float32),
        (k @ shift)[:, None].astype(np.float32),
        ((occurrences / occurrences.sum(axis=0)).T @ k.T).astype(np.float32),
        count > 1 and members.size == len(used),
    )
