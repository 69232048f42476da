"""How far images are from a file's levels, and the nearest images that are consistent with them.

D x are an image's unrounded coefficients in steps, in real arithmetic, L the file's levels. An
image is consistent where |D x - L| <= 1/2 everywhere (Man et al., arXiv 2211.11827; Bahat and
Michaeli). All functions are differentiable and use real arithmetic; whether libjpeg gives back
the levels of an 8-bit image is for the certificate to say.

Levels are [B, Hb, Wb, 8, 8] and tables [B, 8, 8] or [8, 8], float32, for each component.
"""

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.jpeg.levels import Quantized
from keras_jpeg_gan.jpeg.sampling import Sampling
from keras_jpeg_gan.jpeg.tensors import codec, color

# Where the penalty starts and where it becomes linear, in steps.
TOLERATED, LINEAR = 0.4, 0.6

# Iterations of the float projection where the image's border cuts a unit.
EDGE_ITERATIONS = 60


def coefficients(pixels: Any, tables: Sequence[Any], sampling: Sampling) -> list[Any]:
    """D x: the unrounded coefficients of images in steps.

    Args:
        pixels: [B, H, W, 3] (RGB) or [B, H, W, 1] (gray), 0..255, uint8 or float32.
        tables: for each component, natural order.
        sampling: of the components.

    Returns:
        [B, Hb, Wb, 8, 8] float32 for each component.

    Raises:
        ConfigError: as `codec.compress`.
    """
    return codec.transform(codec.to_ycbcr(pixels), tables, sampling)


def violation(pixels: Any, quantized: Quantized) -> list[Any]:
    """|D x - L| in steps; consistent is <= 1/2.

    Args:
        pixels: [B, H, W, 3] (RGB) or [B, H, W, 1] (gray), 0..255, uint8 or float32.
        quantized: of the files.

    Returns:
        [B, Hb, Wb, 8, 8] float32 for each component.

    Raises:
        ConfigError: as `codec.compress`.
    """
    found = coefficients(pixels, quantized.tables, quantized.sampling)
    return [ops.abs(a - b) for a, b in zip(found, quantized.levels, strict=True)]


def batch_of_one(pixels: np.ndarray, quantized: Quantized) -> tuple[Any, Quantized]:
    """Convert an image and its file from NumPy to what the functions here take.

    Args:
        pixels: [H, W] or [H, W, C], 0..255.
        quantized: levels [Hb, Wb, 8, 8] and tables [8, 8].

    Returns:
        [1, H, W, C] float32; levels [1, Hb, Wb, 8, 8] and tables [8, 8] float32.

    Raises:
        ConfigError: the file is neither gray nor YCbCr, of which alone the codec here knows.
    """
    if len(quantized.parts) > 1:
        raise ConfigError(f"{quantized.model.value}: only gray and YCbCr files fit tensors")
    return (
        ops.convert_to_tensor(pixels.reshape(1, *pixels.shape[:2], -1), "float32"),
        Quantized(
            [ops.convert_to_tensor(part[None], "float32") for part in quantized.levels],
            [ops.convert_to_tensor(table, "float32") for table in quantized.tables],
            quantized.sampling,
        ),
    )


def penalty(pixels: Any, quantized: Quantized) -> Any:
    """The training penalty C: each image's mean of phi(D x - L) over all its coefficients.

    phi is 0 up to 0.4 steps, 2.5 (|e| - 0.4)^2 up to 0.6, |e| - 0.5 beyond. Y, Cb and Cr are
    clipped to [0, 255] before the transform, and pass no gradient where they are clipped.

    Args:
        pixels, quantized: as `violation`.

    Returns:
        [B] float32; at 4:2:0 luma weighs four times as much as Cb or Cr.

    Raises:
        ConfigError: as `codec.compress`.
    """
    ycbcr = ops.clip(codec.to_ycbcr(pixels), 0, 255)
    found = codec.transform(ycbcr, quantized.tables, quantized.sampling)
    costs = [phi(a - b) for a, b in zip(found, quantized.levels, strict=True)]
    flat = [ops.reshape(cost, (ops.shape(cost)[0], -1)) for cost in costs]
    return ops.mean(ops.concatenate(flat, axis=1), axis=1)


def phi(error: Any) -> Any:
    """The penalty of an error [...] in steps: once differentiable, [...]."""
    width = LINEAR - TOLERATED
    excess = ops.relu(ops.abs(error) - TOLERATED)
    quadratic = ops.minimum(excess, width)
    return 0.5 * quadratic**2 / width + (excess - quadratic)


def project(pixels: Any, quantized: Quantized, margin: float = 0.0) -> Any:
    """The float projection: the nearest consistent images, in Y, Cb, Cr and real arithmetic.

    Only the change of the coefficients is transformed back, repeated over each sample's pixels
    and added, so that a consistent image stays as it is, bit for bit, and chroma detail is kept.
    Nothing is clipped: the result may leave 0..255.

    In whole units this is the orthogonal projection, and violations end at 1/2 - margin up to
    float32's precision (1e-4 grey levels). In units that the right or lower border cuts, padded
    samples are copies of real ones, and not every coefficient can be reached; there an
    accelerated alternating projection runs for `EDGE_ITERATIONS`. Its result is consistent, but
    not quite the nearest: within 1e-3 steps on libjpeg's levels up to quality 90. From 95 on,
    libjpeg's rounding leaves some cut blocks without an exact preimage in real arithmetic.

    Args:
        pixels, quantized: as `violation`.
        margin: by how many steps, 0 to 1/2, to stay within the cells.

    Returns:
        The shape of pixels, float32.

    Raises:
        ConfigError: as `codec.compress`.
    """
    pixels = _step(ops.cast(pixels, "float32"), quantized, margin)
    sampling = quantized.sampling
    sizes = ops.shape(pixels)[2], ops.shape(pixels)[1]
    units = sampling.unit_width, sampling.unit_height
    for axis, (size, unit) in enumerate(zip(sizes, units, strict=True)):  # across, down
        arguments = pixels, quantized, margin, axis
        if isinstance(size, int):
            pixels = pixels if size % unit == 0 else _project_border(*arguments)
        else:
            pixels = ops.cond(
                ops.equal(size % unit, 0),
                lambda whole=pixels: whole,
                functools.partial(_project_border, *arguments),
            )
    return pixels


def _project_border(pixels: Any, quantized: Quantized, margin: float, axis: int) -> Any:
    """Project the units that the right (axis 0) or lower (1) border cuts once more."""
    factors = quantized.sampling.reduced
    in_blocks = max(pair[axis] for pair in factors)
    cut = (ops.shape(pixels)[2 - axis] - 1) // (8 * in_blocks)
    inner, border = _split(pixels, 8 * in_blocks * cut, axis)
    border_levels = [
        _split(component, pair[axis] * cut, axis)[1]
        for component, pair in zip(quantized.levels, factors, strict=True)
    ]
    cut_off = Quantized(border_levels, quantized.tables, quantized.sampling)
    return ops.concatenate([inner, _iterate(border, cut_off, margin)], axis=2 - axis)


def _step(pixels: Any, quantized: Quantized, margin: float) -> Any:
    """Clamp the coefficients to their cells, and spread the change over the pixels."""
    reach = 0.5 - margin
    found = coefficients(pixels, quantized.tables, quantized.sampling)
    errors = [a - b for a, b in zip(found, quantized.levels, strict=True)]
    steps = [ops.clip(error, -reach, reach) - error for error in errors]
    planes = codec.inverse_transform(steps, quantized.tables)
    change = codec.spread(planes, quantized.sampling, *ops.shape(pixels)[1:3])
    return pixels + (change if len(planes) == 1 else color.ycbcr_change_to_rgb(change))


def _iterate(pixels: Any, quantized: Quantized, margin: float) -> Any:
    """Many steps with Nesterov's momentum (Beck and Teboulle's FISTA with its simpler weights)."""

    def body(k: Any, state: tuple[Any, Any]) -> tuple[Any, Any]:
        before, ahead = state
        after = _step(ahead, quantized, margin)
        momentum = ops.cast(k, "float32") / (ops.cast(k, "float32") + 3)
        return after, after + momentum * (after - before)

    return ops.fori_loop(0, EDGE_ITERATIONS, body, (pixels, pixels))[0]


def _split(tensor: Any, position: Any, axis: int) -> tuple[Any, Any]:
    """Left and right of a column (axis 0), or above and below a row (axis 1)."""
    if axis == 0:
        return tensor[:, :, :position], tensor[:, :, position:]
    return tensor[:, :position], tensor[:, position:]
