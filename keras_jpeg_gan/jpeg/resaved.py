"""An earlier JPEG save of a picture, found in its pixels.

Compressing leaves each DCT coefficient on a comb, on the grid of that save. The rounding of pixels
or a finer save blurs the comb and seldom wipes it out. So `combs` gives the likelihood of each
known table on each of the 64 grids, from luma alone, since chroma is often subsampled. The
likeliest save counts as found if it stands out from all other grids.
"""

import functools
import math
import re
from dataclasses import dataclass

import numpy as np

from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.jpeg import combs, emulator
from keras_jpeg_gan.jpeg.published_tables import PUBLISHED_TABLES
from keras_jpeg_gan.jpeg.tables import estimate_quality, quality_tables

OWN_TABLES = "own tables"

_KNOWN_SAVE = re.compile(r"(\d{1,3})(?:@([0-7]),([0-7]))?", re.ASCII)

_MOST_BLOCKS = 4096  # that are looked at, on each grid
_PATCH = 64
_QUALITIES = 99  # from 1 on, that are known; 100 leaves no comb
_SMALLEST_SIDE = 40

# Nats: the margin above other grids from which a save with known tables, or one with steps of its
# own, counts as found. Photographs saved once have shown up to 15, drawings 45 and, with steps of
# their own, 90.
_EVEN_MARGINS = 50.0, 150.0
# Steps of their own: the cost of choosing each among some 250, the frequencies in which they must
# show, and how many times better than a known table they must fit to be preferred to it.
_OWN_STEP, _FEWEST_OWN_STEPS, _BETTER_FIT = 12.0, 8, 2.0
# Some of these must be mixed: vertical and horizontal lines alone give combs to the others.
_MIXED, _FEWEST_MIXED = [u > 0 and v > 0 for u, v in combs.AC], 3
# An earlier save matters if its steps are coarser than the later one's: by this mean logarithm.
_COARSER = 0.14


@dataclass(frozen=True, eq=False)
class EarlierSave:
    """A save that a picture went through.

    Attributes:
        offset: (x, y), 0..7: the columns and rows before its grid's first whole block.
        luma, chroma: [8, 8] steps. Where `name` is `OWN_TABLES`, only luma's lowest 15 steps were
            found, and the rest is that of `quality`.
        quality: the IJG quality, or that which is nearest.
        name: "quality 30", a key of `PUBLISHED_TABLES`, or `OWN_TABLES`.
        confidence: 0.5..1, by how much the save stands out from all other grids; 1 if it was not
            found but given.
    """

    offset: tuple[int, int]
    luma: np.ndarray
    chroma: np.ndarray
    quality: int
    name: str
    confidence: float

    @classmethod
    def parse(cls, text: str) -> "EarlierSave":
        """A save that is known: "QUALITY" or "QUALITY@X,Y", such as "30" or "30@3,5".

        Raises:
            ConfigError: the text is neither, or a number is out of range.
        """
        match = _KNOWN_SAVE.fullmatch(text)
        if match is None:
            raise ConfigError(
                f"earlier save {text!r}: a quality, 1 to 100, and where its grid begins, 0 to 7 "
                "columns and rows from the corner: 30 or 30@3,5"
            )
        quality, x, y = (int(number or 0) for number in match.groups())
        luma, chroma = quality_tables(quality)
        return cls((x, y), luma, chroma, quality, f"quality {quality}", 1.0)

    def __str__(self) -> str:
        if self.name.startswith("quality"):
            words = self.name
        elif self.name == OWN_TABLES:
            words = f"{OWN_TABLES} near quality {self.quality}"
        else:
            words = f"the tables of {self.name}, near quality {self.quality}"
        return words if self.offset == (0, 0) else f"{words} on a grid shifted by {self.offset}"


@dataclass(frozen=True)
class _Save:
    """A save that may have been: its grid, 8 y + x, and margin (nats) above other grids.

    `number` is that of the known table, or None for steps of its own; `gains` is [14, 256] by
    frequency and step.
    """

    grid: int
    margin: float
    number: int | None
    gains: np.ndarray


def find_earlier_save(
    pixels: np.ndarray, luma_table: np.ndarray | None = None
) -> EarlierSave | None:
    """Find a JPEG save that a picture went through before it became what it is.

    Args:
        pixels: [H, W] or [H, W, 3] uint8, the picture, or the decode of a JPEG file.
        luma_table: [8, 8] steps of that file, whose grid begins at the first pixel. Then only
            what they do not explain counts, and only a save with coarser steps is looked for.
            None for a picture of another format: of several saves the last is found, and one
            before it can be looked for in `pixels[y:, x:]`, with the last's offset and table.

    Returns:
        The save, or None where none stands out: the picture is too small, was saved once, or
        never.
    """
    if min(pixels.shape[:2]) < _SMALLEST_SIDE:
        return None
    patches = luma(_patches(pixels), pixels.ndim == 2)
    coefficients = combs.shifted_coefficients(patches)
    repeated = combs.repeated(coefficients)
    if luma_table is None:
        noise = np.full((64, len(combs.LOWEST)), combs.ROUNDING)
        searches = [_best(_shifted_gains(coefficients, repeated, noise), None)]
    else:
        table = luma_table.astype(np.float32)
        noise = combs.requantization_noise(_patch_blocks(patches[:, 4:, 4:]), table)
        gains = _shifted_gains(coefficients, repeated, noise)
        gains[0] = 0
        aligned = _aligned_gains(coefficients, repeated, table)[None]
        searches = [_best(gains, table), _best(aligned, table)]
    # Known tables first: steps of their own fit by chance, or as shadows of a grid, more often.
    for saves, even in zip(zip(*searches, strict=True), _EVEN_MARGINS, strict=True):
        save = max(saves, key=lambda save: save.margin)
        if save.margin >= even:
            confidence = 1 / (1 + math.exp(4 * (1 - save.margin / even)))
            counts = combs.histograms(coefficients[0], repeated)[[save.grid]]
            return _described(save, confidence, counts, noise[save.grid, :1])
    return None


def _patches(pixels: np.ndarray) -> np.ndarray:
    """[P, h + 7, w + 7, ...]: the whole picture, or patches spread over it, on the first grid."""
    height, width = ((length - 7) // 8 * 8 for length in pixels.shape[:2])
    if height * width <= 64 * _MOST_BLOCKS:
        return pixels[None, : height + 7, : width + 7]
    sides = min(height, _PATCH), min(width, _PATCH)
    down, across = height // sides[0], width // sides[1]
    count = min(down * across, 64 * _MOST_BLOCKS // (sides[0] * sides[1]))
    chosen = np.linspace(0, down * across - 1, count).astype(int)
    corners = [(sides[0] * (i // across), sides[1] * (i % across)) for i in chosen]
    return np.stack([pixels[y : y + sides[0] + 7, x : x + sides[1] + 7] for y, x in corners])


def luma(pixels: np.ndarray, gray: bool) -> np.ndarray:
    """[..., H, W] float32, about 0, of gray pixels [..., H, W] or RGB [..., H, W, 3], 0..255."""
    if not gray:
        pixels = pixels @ (emulator.COLOR[0] / 65536).astype(np.float32)
    return pixels.astype(np.float32) - 128


def luma_blocks(plane: np.ndarray) -> np.ndarray:
    """[Hb, Wb, 8, 8] float32, orthonormal coefficients of whole blocks of `luma`'s [H, W]."""
    height, width = (length // 8 for length in plane.shape)
    samples = plane[: 8 * height, : 8 * width].reshape(height, 8, width, 8)
    return combs.BASIS @ samples.transpose(0, 2, 1, 3) @ combs.BASIS.T


def _patch_blocks(patches: np.ndarray) -> np.ndarray:
    """[P Hb, Wb, 8, 8], as `luma_blocks`, of patches [P, H, W], one below the other."""
    height = patches.shape[1] // 8 * 8
    return luma_blocks(patches[:, :height].reshape(-1, patches.shape[2]))


@functools.cache
def _known() -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
    """Names, tables [T, 2, 8, 8], and their steps [T, 14] at `combs.AC`."""
    tables = {f"quality {quality}": quality_tables(quality) for quality in range(1, _QUALITIES + 1)}
    known = np.stack([*tables.values(), *PUBLISHED_TABLES.values()])
    steps = np.stack([known[:, 0, u, v] for u, v in combs.AC], axis=1)
    return (*tables, *PUBLISHED_TABLES), known, steps


def _shifted_gains(coefficients: np.ndarray, repeated: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """[64, 14, 256] on all grids, where no later save shares them."""
    found = [
        combs.shifted_gains(combs.histograms(coefficients[1 + i], repeated), noise[:, 1 + i])
        for i in range(len(combs.AC))
    ]
    return np.stack(found, axis=1)


def _aligned_gains(coefficients: np.ndarray, repeated: np.ndarray, table: np.ndarray) -> np.ndarray:
    """[14, 256] on the grid of the table's save."""
    _, _, steps = _known()
    own = coefficients[:, :, ::8, ::8][:, ~repeated[:, ::8, ::8]]
    found = [
        combs.aligned_gains(own[1 + i], int(table[at]), steps[:, i])
        for i, at in enumerate(combs.AC)
    ]
    return np.stack(found)


def _best(gains: np.ndarray, table: np.ndarray | None) -> tuple[_Save, _Save]:
    """The likeliest save with a known table, and with steps of its own.

    Args:
        gains: [G, 14, 256], by grid; table: [8, 8] of the later save.
    """
    _, _, steps = _known()
    each = gains[:, np.arange(len(combs.AC)), steps]  # [G, T, 14]
    known = _without_strongest(each)
    own = np.maximum(gains.max(axis=2) - _OWN_STEP, 0)
    shown = np.count_nonzero(own, axis=1), np.count_nonzero(own[:, _MIXED], axis=1)
    own[(shown[0] < _FEWEST_OWN_STEPS) | (shown[1] < _FEWEST_MIXED)] = 0
    if table is not None:
        later = np.array([table[at] for at in combs.AC])
        known[:, np.log(steps / later).mean(axis=1) < _COARSER] = 0
        ratios = np.log(np.maximum(gains.argmax(axis=2), 1) / later)
        own[(ratios * (own > 0)).sum(axis=1) < _COARSER * np.count_nonzero(own, axis=1)] = 0
    saves = []
    for scores in (known.max(axis=1), _without_strongest(own)):
        grid = int(np.argmax(scores))
        others = np.delete(scores, grid).max(initial=0)
        saves.append((grid, float(scores[grid] - others)))
    (known_grid, known_margin), (own_grid, own_margin) = saves
    # Some tables agree in these frequencies, such as those of 49, 50 and 51: take the middle one.
    sums = np.where(known[known_grid] > 0, each[known_grid].sum(axis=1), -np.inf)
    ties = np.flatnonzero(sums == sums.max())
    number = int(ties[len(ties) // 2])
    fits = _without_strongest(own)[known_grid] <= _BETTER_FIT * known[known_grid, number]
    return (
        _Save(known_grid, known_margin, number if fits else None, gains[known_grid]),
        _Save(own_grid, own_margin, None, gains[own_grid]),
    )


def _without_strongest(gains: np.ndarray) -> np.ndarray:
    """The sum over the last axis, without the largest two: a save shows in many frequencies."""
    return np.sort(gains, axis=-1)[..., :-2].sum(axis=-1)


def _described(
    save: _Save, confidence: float, counts: np.ndarray, deviation: np.ndarray
) -> EarlierSave:
    """A save in the user's terms; `counts` [1, bins] and `deviation` [1] are those of its DC."""
    names, known, steps = _known()
    y, x = divmod(save.grid, 8)
    if save.number is not None:
        (luma, chroma), name = known[save.number].copy(), names[save.number]
        quality = estimate_quality(luma, chroma)
        return EarlierSave((x, y), luma, chroma, quality, name, confidence)
    shown = save.gains.max(axis=1) > _OWN_STEP
    own = save.gains.argmax(axis=1)[shown]
    distances = np.abs(np.log(steps[:_QUALITIES, shown] / own)).mean(axis=1)
    quality = 1 + int(distances.argmin())
    luma, chroma = quality_tables(quality)
    for at, step in zip(np.array(combs.AC)[shown], own, strict=True):
        luma[tuple(at)] = step
    (gains,) = combs.shifted_gains(counts, deviation)
    if gains.max() > _OWN_STEP:
        luma[0, 0] = gains.argmax()
    return EarlierSave((x, y), luma, chroma, quality, OWN_TABLES, confidence)
