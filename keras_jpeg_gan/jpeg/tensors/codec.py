"""JPEG's compression and decompression, batched and differentiable, for any sampling.

`rounded=True` follows libjpeg's defaults: colours and downsampled, inverse transformed and
upsampled samples are rounded to integers in 0..255, and chroma is smoothed; each rounding has
the straight-through gradient. `rounded=False` is real arithmetic: only levels are rounded, and
nothing is clipped. Both pad as libjpeg does. Apart from a few in a million, the rounded levels of
integer pixels, and the pixels of levels, are libjpeg's own.

Heights and widths may be unknown until the graph runs (TensorFlow); the sampling is static.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.jpeg import emulator
from keras_jpeg_gan.jpeg.levels import Quantized
from keras_jpeg_gan.jpeg.sampling import Sampling
from keras_jpeg_gan.jpeg.tensors import color, dct, rounding


def compress(
    pixels: Any, tables: Sequence[Any], sampling: Sampling, rounded: bool = True
) -> list[Any]:
    """Compress images to levels.

    Args:
        pixels: [B, H, W, 3] (RGB) or [B, H, W, 1] (gray), 0..255, uint8 or float32.
        tables: [B, 8, 8] or [8, 8] float32 for each component, steps, natural order.
        sampling: of the components.
        rounded: as libjpeg, or in real arithmetic (see the module's docstring).

    Returns:
        [B, Hb, Wb, 8, 8] float32 integers for each component, straight-through.

    Raises:
        ConfigError: the sampling and the pixels differ in their number of components.
    """
    coefficients = transform(to_ycbcr(pixels, rounded), tables, sampling, rounded)
    return [rounding.round_half_away(steps) for steps in coefficients]


def decompress(
    quantized: Quantized, height: Any, width: Any, rounded: bool = True, smooth: bool = True
) -> Any:
    """Decompress levels to images.

    Args:
        quantized: levels [B, Hb, Wb, 8, 8] and tables [B, 8, 8] or [8, 8], float32.
        height, width: of the image, integers.
        rounded: as libjpeg, or in real arithmetic (see the module's docstring).
        smooth: use libjpeg's triangle filter ("fancy upsampling") where libjpeg does: for chroma
            of half the width, the height or both. Otherwise chroma is repeated. If the width is
            known, rows of fewer than three samples are repeated too, as in libjpeg.

    Returns:
        [B, H, W, 3] (RGB) or [B, H, W, 1] (gray) float32.
    """
    planes = []
    padded = inverse_transform(quantized.levels, quantized.tables, rounded)
    for plane, (across, down) in zip(padded, quantized.sampling.ratios, strict=True):
        plane = plane + 128
        if rounded:
            plane = ops.clip(plane, 0, 255)
        rows, columns = -(-height // down), -(-width // across)
        plane = plane[:, :rows, :columns]
        # libjpeg does not filter the width of fewer than three samples.
        if smooth and (down <= 2 >= across) and not (across == 2 and _known_below(columns, 3)):
            plane = _upsample_smoothly(plane, across, down, rounded)
        else:
            plane = upsample_nearest(plane, across, down)
        planes.append(plane[:, :height, :width])
    ycbcr = ops.stack(planes, axis=-1)
    return ycbcr if len(planes) == 1 else color.ycbcr_to_rgb(ycbcr, rounded)


def to_ycbcr(pixels: Any, rounded: bool = False) -> Any:
    """RGB to Y, Cb, Cr; gray stays as it is: [B, H, W, 3 or 1] of any type -> float32."""
    pixels = ops.cast(pixels, "float32")
    return pixels if pixels.shape[-1] == 1 else color.rgb_to_ycbcr(pixels, rounded)


def transform(
    ycbcr: Any, tables: Sequence[Any], sampling: Sampling, rounded: bool = False
) -> list[Any]:
    """Unrounded coefficients in steps: the papers' operator D after the colour conversion.

    Args:
        ycbcr: [B, H, W, 3] or [B, H, W, 1] float32.
        tables: [B, 8, 8] or [8, 8] float32 for each component, steps, natural order.
        sampling: of the components.
        rounded: whether to round downsampled samples as libjpeg does, given integer ycbcr.

    Returns:
        [B, Hb, Wb, 8, 8] float32 for each component.

    Raises:
        ConfigError: as `compress`.
    """
    planes = component_planes(ycbcr, sampling, rounded)
    return [
        dct.dct(plane - 128, rounded) / _over_blocks(table)
        for plane, table in zip(planes, tables, strict=True)
    ]


def inverse_transform(
    steps: Sequence[Any], tables: Sequence[Any], rounded: bool = False
) -> list[Any]:
    """Padded component planes, less 128, from coefficients: the inverse of `transform`'s DCT.

    Args:
        steps: [B, Hb, Wb, 8, 8] float32 for each component, in steps.
        tables: [B, 8, 8] or [8, 8] float32 for each component, steps, natural order.
        rounded: whether to round to integers as libjpeg does, given integer coefficients.

    Returns:
        [B, 8 Hb, 8 Wb] float32 for each component, not clipped.
    """
    return [
        dct.idct(component * _over_blocks(table), rounded)
        for component, table in zip(steps, tables, strict=True)
    ]


def component_planes(ycbcr: Any, sampling: Sampling, rounded: bool = False) -> list[Any]:
    """Each component's samples, downsampled and padded as by libjpeg's encoder.

    Args:
        ycbcr: [B, H, W, 3] or [B, H, W, 1] float32.
        sampling: of the components.
        rounded: whether to round means as libjpeg does, given integer ycbcr.

    Returns:
        [B, 8 Hb, 8 Wb] float32 for each component.

    Raises:
        ConfigError: as `compress`.
    """
    batch, height, width, channels = ops.shape(ycbcr)
    if channels != sampling.components:
        raise ConfigError(f"sampling {sampling} does not fit {channels} components")
    filled = _whole_groups(height, sampling)
    planes = []
    for i, (across, down) in enumerate(sampling.ratios):
        rows, columns = (8 * -(-height // (8 * down)), 8 * -(-width // (8 * across)))
        # Columns are repeated at full resolution; rows only to the next whole group, from where
        # on the downsampled row is repeated.
        plane = _repeat_last(ycbcr[..., i], columns * across, axis=2)
        plane = _repeat_last(plane, filled, axis=1)
        if across * down > 1:
            windows = ops.reshape(plane, (batch, filled // down, down, columns, across))
            sums = ops.sum(windows, axis=(2, 4))
            if rounded:
                bias = emulator.downsampling_bias(across, down, 8).astype(np.float32)
                sums = sums + ops.tile(bias, [columns // 8])
            plane = sums / (across * down)
            plane = rounding.floor(plane) if rounded else plane
        planes.append(_repeat_last(plane[:, :rows], rows, axis=1))
    return planes


def spread(planes: Sequence[Any], sampling: Sampling, height: Any, width: Any) -> Any:
    """Spread changes of component planes over the pixels of the image.

    Each pixel changes by the mean of the samples to which it contributes in `component_planes`,
    repeated ones included, weighted by its share in them. If the size is a multiple of the
    unit's, that is nearest upsampling, and the component planes of the change are the planes
    given.

    Args:
        planes: [B, 8 Hb, 8 Wb] float32 for each component.
        sampling: of the components.
        height, width: of the image, integers.

    Returns:
        [B, H, W, 3] or [B, H, W, 1] float32.
    """
    filled = _whole_groups(height, sampling)

    def gather(plane: Any, across: int, down: int) -> Any:
        plane = _fold_last(plane, filled // down, axis=1)
        plane = upsample_nearest(plane, across, down)
        return _fold_last(_fold_last(plane, height, axis=1), width, axis=2)

    changes = [
        gather(plane, *ratio) / gather(ops.ones_like(plane[:1]), *ratio)
        for plane, ratio in zip(planes, sampling.ratios, strict=True)
    ]
    return ops.stack(changes, axis=-1)


def upsample_nearest(plane: Any, across: int, down: int) -> Any:
    """[B, R, C] -> [B, down R, across C], each sample repeated."""
    return ops.repeat(ops.repeat(plane, down, axis=1), across, axis=2)


def _upsample_smoothly(plane: Any, across: int, down: int, rounded: bool) -> Any:
    """libjpeg's triangle filter [B, R, C] -> [B, down R, across C], factors 1 or 2 (jdsample.c).

    Its integers are sums of quarters or sixteenths; halves are rounded down and up in turn: along
    rows if these are doubled, else along columns. Such sums are exact, so it does not matter that
    libjpeg doubles columns first; with rows first, fewer samples are interleaved one by one.
    """
    biases = (8 / 16, 7 / 16) if across * down == 4 else (1 / 4, 2 / 4)
    if across == 2:
        plane = _triangle(plane, axis=2, biases=biases if rounded else (0, 0))
    if down == 2:
        plane = _triangle(plane, axis=1, biases=biases if rounded and across == 1 else (0, 0))
    return rounding.floor(plane) if rounded else plane


def _triangle(plane: Any, axis: int, biases: tuple[float, float]) -> Any:
    """Double the samples along an axis: 3/4 of the nearer, 1/4 of the farther one, plus bias."""
    size = ops.shape(plane)[axis]
    before = ops.take(plane, ops.maximum(ops.arange(size) - 1, 0), axis=axis)
    after = ops.take(plane, ops.minimum(ops.arange(size) + 1, size - 1), axis=axis)
    middle = 0.75 * plane
    pairs = [middle + 0.25 * before + biases[0], middle + 0.25 * after + biases[1]]
    shape = list(ops.shape(plane))
    shape[axis] = 2 * size
    return ops.reshape(ops.stack(pairs, axis + 1), shape)


def _repeat_last(plane: Any, size: Any, axis: int) -> Any:
    """A plane [B, R, C] extended to a size along axis 1 or 2 by its last row or column."""
    shape = list(ops.shape(plane))
    if _known_below(size, shape[axis] + 1):
        return plane
    last = plane[:, -1:] if axis == 1 else plane[:, :, -1:]
    shape[axis] = size - shape[axis]
    return ops.concatenate([plane, ops.broadcast_to(last, shape)], axis=axis)


def _fold_last(plane: Any, size: Any, axis: int) -> Any:
    """The transpose of `_repeat_last`: whatever lies beyond a size is added to the last line."""
    if axis == 1:
        kept, rest = plane[:, : size - 1], plane[:, size - 1 :]
    else:
        kept, rest = plane[:, :, : size - 1], plane[:, :, size - 1 :]
    return ops.concatenate([kept, ops.sum(rest, axis=axis, keepdims=True)], axis=axis)


def _over_blocks(table: Any) -> Any:
    """[B, 8, 8] or [8, 8] -> something that broadcasts to [B, Hb, Wb, 8, 8]."""
    return ops.cast(table, "float32")[..., None, None, :, :]


def _whole_groups(height: Any, sampling: Sampling) -> Any:
    """The rows that the encoder fills before it downsamples: whole groups of the tallest factor."""
    group = sampling.unit_height // 8
    return -(-height // group) * group


def _known_below(size: Any, bound: Any) -> bool:
    return isinstance(size, int) and isinstance(bound, int) and size < bound
