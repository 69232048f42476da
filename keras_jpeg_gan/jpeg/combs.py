"""How likely it is that DCT coefficients were once quantized by a given step.

A quantized coefficient lies on a comb, the multiples of its step. What came later blurs the
teeth: the rounding of pixels and, if the picture was saved again, that save's quantization. There
are two log-likelihood ratios here, in nats, of a comb to none:

- `shifted_gains`, on a grid that no later save shares: the error of each coefficient is about
  normal, so coefficients modulo the step follow a wrapped normal distribution instead of a
  uniform one (Bianchi, Piva and Pérez-González, "Near optimal detection of quantized signals and
  application to JPEG forensics", 2013).
- `aligned_gains`, on the grid of the later save: its levels follow from the earlier ones, so some
  become rare and others frequent (Lukáš and Fridrich, "Estimation of primary quantization matrix
  in double compressed JPEG images", 2003). The distribution before both saves is not known. It is
  taken to be a mixture of zero-mean normal distributions, fitted by expectation maximization
  under each hypothesis.
"""

import functools
import math

import numpy as np

from keras_jpeg_gan.jpeg.emulator import dct_basis

# The lowest 15 coefficients as (down, across): DC, then those that are looked at.
LOWEST = tuple((u, v) for u in range(5) for v in range(5 - u))
AC = LOWEST[1:]

# Deviation of an orthonormal coefficient after the rounding of YCbCr and RGB to whole levels.
ROUNDING = 0.4

_LARGEST_STEP = 255
_BIN = 0.5
_BINS = 1024  # of magnitudes; above are few coefficients
_OUTLIERS = 0.2  # share of coefficients that are off the comb: clipped, drawn over
_NOISE_RATIO = 1.25  # between the deviations that combs are computed for
# Coefficients that are not 0 lie in blocks where the second save erred more than on average.
_NOISE_EXCESS = 2.0

_DEVIATIONS = (0.5 * 2.0 ** np.arange(10)).astype(np.float32)  # of the mixture
_ITERATIONS = 10
_ALIGNED_RANGE = 400  # of coefficients, where the second save's levels are not too many
_FEWEST_LEVELS, _MOST_LEVELS = 16, 128
_BETWEEN_SAVES = 0.5  # deviation of a coefficient from the first save's comb at the second save
_ALIGNED_OUTLIERS = 0.1

# [8, 8] float32, the orthonormal DCT.
BASIS = dct_basis().astype(np.float32)


def shifted_coefficients(patches: np.ndarray) -> np.ndarray:
    """The lowest coefficients of the blocks that begin at every pixel.

    Args:
        patches: [P, H + 7, W + 7] float32.

    Returns:
        [15, P, H, W] float32, in the order of `LOWEST`.
    """
    height, width = patches.shape[1] - 7, patches.shape[2] - 7
    found = np.empty((len(LOWEST), len(patches), height, width), np.float32)
    for u in range(5):
        rows = sum(BASIS[u, i] * patches[:, i : i + height] for i in range(8))
        for v in range(5 - u):
            found[LOWEST.index((u, v))] = sum(
                BASIS[v, i] * rows[:, :, i : i + width] for i in range(8)
            )
    return found


def repeated(coefficients: np.ndarray) -> np.ndarray:
    """Which blocks have the same AC coefficients as an earlier block on their grid.

    Drawings and flat areas repeat themselves, and many equal blocks say no more than one.

    Args:
        coefficients: [15, P, H, W] of `shifted_coefficients`, H and W multiples of 8.

    Returns:
        [P, H, W] bool.
    """
    # Elementwise, so that equal blocks have equal sums to the last bit.
    keys = sum(np.float32(np.sqrt(i + 2)) * plane for i, plane in enumerate(coefficients[1:]))
    patches, height, width = keys.shape
    by_grid = keys.reshape(patches, height // 8, 8, width // 8, 8).transpose(2, 4, 0, 1, 3)
    by_grid = by_grid.reshape(64, -1)
    order = np.argsort(by_grid, axis=1, kind="stable")
    ordered = np.take_along_axis(by_grid, order, axis=1)
    equal = np.zeros(by_grid.shape, bool)
    np.put_along_axis(equal, order[:, 1:], ordered[:, 1:] == ordered[:, :-1], axis=1)
    back = equal.reshape(8, 8, patches, height // 8, width // 8).transpose(2, 3, 0, 4, 1)
    return back.reshape(keys.shape)


def histograms(coefficients: np.ndarray, left_out: np.ndarray) -> np.ndarray:
    """Counts of magnitudes of one frequency on each of the 64 grids.

    Args:
        coefficients: [P, H, W], H and W multiples of 8.
        left_out: [P, H, W] bool, blocks that do not count.

    Returns:
        [64, bins] float32; grid 8 y + x begins at row y and column x.
    """
    _, height, width = coefficients.shape
    bins = np.rint(np.abs(coefficients) * np.float32(1 / _BIN)).astype(np.int32)
    np.minimum(bins, _BINS, out=bins)
    bins[left_out] = _BINS
    grids = 8 * (np.arange(height, dtype=np.int32)[:, None] % 8)
    grids = grids + np.arange(width, dtype=np.int32) % 8
    bins += grids * (_BINS + 1)
    counts = np.bincount(bins.ravel(), minlength=64 * (_BINS + 1))
    return counts.reshape(64, _BINS + 1)[:, :_BINS].astype(np.float32)


def shifted_gains(counts: np.ndarray, deviations: np.ndarray) -> np.ndarray:
    """Log-likelihood of each step, relative to no comb.

    Coefficients within half a step of 0 do not count: they gather there in any picture.

    Args:
        counts: [N, bins] of `histograms`.
        deviations: [N] of the noise that blurs the comb.

    Returns:
        [N, 256] nats by step; 0 for step 0.
    """
    numbers = np.rint(np.log(np.maximum(deviations, ROUNDING) / ROUNDING) / np.log(_NOISE_RATIO))
    gains = np.zeros((len(counts), _LARGEST_STEP + 1), np.float32)
    for number in np.unique(numbers):
        same = numbers == number
        gains[same, 1:] = counts[same] @ _comb(int(number)).T
    return gains


@functools.cache
def _comb(number: int) -> np.ndarray:
    """[steps, bins] float32: what a coefficient of each bin adds to the log-likelihood."""
    deviation = np.hypot(ROUNDING * _NOISE_RATIO**number, _BIN / np.sqrt(12))
    steps = np.arange(1, _LARGEST_STEP + 1, dtype=np.float32)[:, None]
    values = _BIN * np.arange(_BINS, dtype=np.float32)
    off = np.abs(values - steps * np.rint(values / steps))  # from the nearest tooth
    teeth = sum(
        np.exp(-0.5 * (distance / deviation) ** 2) for distance in (off, steps - off, steps + off)
    )
    density = teeth * steps / (deviation * np.sqrt(2 * np.pi))
    gains = np.log(_OUTLIERS + (1 - _OUTLIERS) * density)
    gains[values <= steps / 2] = 0
    gains[steps[:, 0] < 2 * deviation] = 0  # no teeth are left
    return gains.astype(np.float32)


def requantization_noise(coefficients: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Standard deviations of the noise that a save adds to coefficients on every grid.

    Estimated from the picture itself: blocks half a block off that save's grid, where it left no
    comb, are quantized by its table, and the variances of the errors are carried to all grids.

    Args:
        coefficients: [Hb, Wb, 8, 8] on the grid at (4, 4).
        table: [8, 8] steps.

    Returns:
        [64, 15] by grid and frequency of `LOWEST`, including the rounding of pixels.
    """
    levels = np.rint(coefficients / table)
    busy = np.count_nonzero(levels, axis=(2, 3)) - (levels[..., 0, 0] != 0)
    weights = busy / max(busy.sum(), 1)
    errors = (coefficients - table * levels) ** 2
    variances = np.einsum("hwij,hw->ij", errors, weights)
    spread = _spread(variances).reshape(64, 8, 8)
    chosen = np.stack([spread[:, u, v] for u, v in LOWEST], axis=1)
    return np.sqrt(_NOISE_EXCESS * chosen + ROUNDING**2)


def carried(variances: np.ndarray, offset: tuple[int, int]) -> np.ndarray:
    """Standard deviations [8, 8] on a grid at (y, x) of errors with variances [8, 8] at (0, 0)."""
    return np.sqrt(_spread(variances)[offset])


def _spread(variances: np.ndarray) -> np.ndarray:
    """[8, 8, 8, 8] by grid (y, x) and frequency: variances [8, 8] of one grid, carried to all."""
    share = _shares()
    return np.einsum("yui,xvj,ij->yxuv", share, share, variances)


@functools.cache
def _shares() -> np.ndarray:
    """[8 shifts, 8, 8]: the share of frequency j's variance that reaches i on a shifted grid."""
    pair = np.kron(np.eye(2), BASIS)  # of two blocks side by side
    moved = np.stack([BASIS @ pair[:, shift : shift + 8].T for shift in range(8)])
    return (moved**2).reshape(8, 8, 2, 8).sum(axis=2)


def aligned_gains(coefficients: np.ndarray, step: int, steps: np.ndarray) -> np.ndarray:
    """Log-likelihood that coefficients on the later save's grid were quantized before.

    Args:
        coefficients: those of one frequency, after the later save.
        step: the later save's.
        steps: [Q] candidates for the earlier save; only those above `step` are compared.

    Returns:
        [256] nats by step, relative to one save; 0 for other steps.
    """
    gains = np.zeros(_LARGEST_STEP + 1, np.float32)
    steps = np.unique(steps[steps > step])
    if not steps.size:
        return gains
    count = int(np.clip(_ALIGNED_RANGE / step, _FEWEST_LEVELS, _MOST_LEVELS))
    levels = np.rint(np.abs(coefficients) * (1 / step)).astype(np.int32).ravel()
    counts = np.bincount(np.minimum(levels, count - 1), minlength=count).astype(np.float32)
    once = _cell_masses(np.array([step]), count)
    twice = (1 - _ALIGNED_OUTLIERS) * _twice(steps, step, count) + _ALIGNED_OUTLIERS * once
    likelihood = _fitted(counts, np.concatenate([once, twice]))
    gains[steps] = likelihood[1:] - likelihood[0]
    return gains


def _cell_masses(steps: np.ndarray, count: int) -> np.ndarray:
    """[Q, count, components]: mass of each level's cell, of both signs; the last has the tail."""
    edges = (np.arange(count - 1) + 0.5) * steps[:, None]
    inside = 2 * _normal(edges[..., None] / _DEVIATIONS) - 1
    return np.diff(inside, axis=1, prepend=0, append=1).astype(np.float32)


def _twice(steps: np.ndarray, step: int, count: int) -> np.ndarray:
    """[Q, count, components]: mass of each level of the later save after an earlier one."""
    first = math.ceil(count * step / steps.min()) + 1
    masses = _cell_masses(steps, first)
    teeth = steps[:, None] * np.arange(first)
    nearest = np.rint(teeth / step).astype(int)
    rows = np.broadcast_to(np.arange(len(steps))[:, None], teeth.shape)
    reach = math.ceil(3 * _BETWEEN_SAVES / step)
    found = np.zeros((len(steps), count, len(_DEVIATIONS)), np.float32)
    for shift in range(-reach, reach + 1):
        level = nearest + shift
        low, high = ((level + side) * step - teeth for side in (-0.5, 0.5))
        part = _normal(high / _BETWEEN_SAVES) - _normal(low / _BETWEEN_SAVES)
        part[:, 0] *= 2 if shift > 0 else 1  # the tooth at 0 reaches as far to the other side
        # A step above the later one: no two teeth are nearest to one level, so none adds twice.
        inside = (level >= 0) & (level < count - 1)
        found[rows[inside], level[inside]] += (part[..., None] * masses)[inside]
    found[:, -1] += np.maximum(1 - found.sum(axis=1), 0)
    return found


def _fitted(counts: np.ndarray, masses: np.ndarray) -> np.ndarray:
    """Largest log-likelihood [Q] of counts [levels] under mixtures of masses [Q, levels, C]."""
    masses = np.maximum(masses, 1e-6)
    weights = np.full((len(masses), masses.shape[2], 1), 1 / masses.shape[2], np.float32)
    shares = counts / max(counts.sum(), 1)
    for _ in range(_ITERATIONS):
        ratio = shares / (masses @ weights)[..., 0]
        weights *= np.swapaxes(masses, 1, 2) @ ratio[..., None]
    return (counts * np.log((masses @ weights)[..., 0])).sum(axis=1)


_GRID = np.linspace(-6, 6, 2401)
_CUMULATIVE = np.array([0.5 * (1 + math.erf(x / math.sqrt(2))) for x in _GRID])


def _normal(x: np.ndarray) -> np.ndarray:
    """The standard normal distribution function, to 3e-6."""
    return np.interp(x, _GRID, _CUMULATIVE)
