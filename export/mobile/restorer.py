"""Restores a JPEG with a TFLite model, tile by tile: the tested counterpart of what phones run.

Restorer.kt and Restorer.swift have the same constants and functions in the same order, and behave
the same. This file needs only NumPy and LiteRT, and Pillow as the platform's decoder.
"""

import argparse
import dataclasses
import io
import json
import pathlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from jpeg_header import (
    Header,
    RestoreError,
    network_tables,
    projection_name,
    projection_tables,
    read_header,
    without_metadata,
)

# Tiles begin and end on multiples of this.
GRID = 16

# Philox-4x32-10 (Salmon et al., 2011).
MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
KEY_STEPS = (0x9E3779B9, 0xBB67AE85)
ROUNDS = 10
LOW = 0xFFFFFFFF


class CancelledError(Exception):
    """The caller has cancelled the restoration."""


@dataclasses.dataclass(frozen=True)
class Card:
    """What NAME.tflite.json says about a network: the side of its tiles, the halo of pixels around
    them that affects their results, and the pixels per position of each noise field, along a side.
    """

    tile: int
    halo: int
    noise_strides: Sequence[int]


@dataclasses.dataclass(frozen=True)
class Span:
    """A tile along one axis: the network sees [start, stop), of which [first, last) is kept."""

    start: int
    stop: int
    first: int
    last: int


def read_card(text: str) -> Card:
    """Read the card of a network for fixed tiles.

    Raises:
        RestoreError: it belongs to another kind of network, or its tiles are too small.
    """
    values = json.loads(text)
    if values["tile"] is None:
        raise RestoreError("a network of any size: export one with --tile=256")
    card = Card(values["tile"], values["halo"], values["noise_strides"])
    if card.tile <= 2 * card.halo:
        raise RestoreError(f"tiles of {card.tile} are too small for a halo of {card.halo}")
    return card


def spans(size: int, tile: int, halo: int) -> list[Span]:
    """Tiles of one length that together keep every position of an axis once.

    The first tile begins and the last one ends with the axis, since networks notice its ends. What
    is kept lies at least `halo` from every other end of a tile. An axis shorter than a tile has two
    tiles, one aligned with each end, which reach beyond the other end; each keeps its own half.

    Args:
        size: length of the axis; it is rounded up to `GRID`.
    """
    rounded = -(-size // GRID) * GRID
    if rounded < tile:
        middle = (size + 1) // 2
        return [Span(0, tile, 0, middle), Span(rounded - tile, rounded, middle, size)]
    found = []
    first = 0
    while first < size:
        start = min(max(first - halo, 0), rounded - tile)
        stop = start + tile
        last = min(stop if stop == rounded else stop - halo, size)
        found.append(Span(start, stop, first, last))
        first = last
    return found


def cut(picture: np.ndarray, rows: Span, columns: Span) -> np.ndarray:
    """A tile of a picture [H, W, 3] uint8 as float32 [T, T, 3]; beyond it its edge is repeated."""
    height, width = picture.shape[:2]
    y = np.clip(np.arange(rows.start, rows.stop), 0, height - 1)
    x = np.clip(np.arange(columns.start, columns.stop), 0, width - 1)
    return picture[y[:, None], x].astype(np.float32)


def paste(tile: np.ndarray, rows: Span, columns: Span, picture: np.ndarray) -> None:
    """Copy the kept part of a tile into a picture, rounded and clipped.

    Raises:
        RestoreError: the tile has values that are not finite.
    """
    kept = tile[
        rows.first - rows.start : rows.last - rows.start,
        columns.first - columns.start : columns.last - columns.start,
    ]
    if not np.isfinite(kept).all():
        raise RestoreError("the network's output is not finite: run it without the delegate")
    rounded = np.clip(np.rint(kept), 0, 255).astype(np.uint8)
    picture[rows.first : rows.last, columns.first : columns.last] = rounded


def grown(cells: np.ndarray) -> np.ndarray:
    """Cells [H, W] that are set, or touch one that is."""
    padded = np.pad(cells, 1)
    height, width = cells.shape
    shifted = [padded[y : y + height, x : x + width] for y in range(3) for x in range(3)]
    return np.logical_or.reduce(shifted)


def kept_colour(picture: np.ndarray) -> np.ndarray:
    """How much of the network's colour to keep in each cell of 16 x 16 pixels: 0, 1/2 or 1.

    A cell has colour if R, G and B differ in one of its pixels. The weight is the mean of two
    indicators: whether there is colour in the cell or in one that touches it, and whether there
    is any up to two cells away. So a gray picture stays gray.

    Args:
        picture: the decode, [H, W, 3] uint8.
    """
    cells = (picture != picture[..., :1]).any(axis=2)
    for axis in (0, 1):
        cells = np.logical_or.reduceat(cells, np.arange(0, cells.shape[axis], GRID), axis)
    near = grown(cells)
    return (near.astype(np.float32) + grown(near)) / 2


def damp(tile: np.ndarray, rows: Span, columns: Span, kept: np.ndarray) -> np.ndarray:
    """Draw a tile's pixels towards their channels' mean, as far as their colour is not kept."""
    y = np.clip(np.arange(rows.start, rows.stop) // GRID, 0, kept.shape[0] - 1)
    x = np.clip(np.arange(columns.start, columns.stop) // GRID, 0, kept.shape[1] - 1)
    mean = tile.mean(axis=2, keepdims=True)
    return mean + kept[y[:, None], x, None] * (tile - mean)


def philox(counter: Sequence[Any], key: Sequence[int]) -> list[Any]:
    """Four random words from four counter words and two key words: 32 bits each, held in 64."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(ROUNDS):
        first = c0 * MULTIPLIERS[0]
        second = c2 * MULTIPLIERS[1]
        c0, c1, c2, c3 = (
            (second >> 32) ^ c1 ^ k0,
            second & LOW,
            (first >> 32) ^ c3 ^ k1,
            first & LOW,
        )
        k0 = (k0 + KEY_STEPS[0]) & LOW
        k1 = (k1 + KEY_STEPS[1]) & LOW
    return [c0, c1, c2, c3]


def noise(seed: int, field: int, top: int, left: int, side: int) -> np.ndarray:
    """Standard normals [side, side] float32 of a noise field, starting at row `top`, column `left`.

    Those at row i, columns 4 m to 4 m + 3 come from the counter (m, i, field, 0) under the low
    and the high half of the seed, by the Box-Muller transform in double precision. Rows
    and columns may be negative.
    """
    begin, end = left >> 2, (left + side + 3) >> 2
    group = (np.arange(begin, end) & LOW).astype(np.uint64)
    row = (np.arange(top, top + side) & LOW).astype(np.uint64)[:, None]
    zero = np.zeros((side, end - begin), np.uint64)
    words = philox([zero + group, zero + row, zero + field, zero], [seed & LOW, (seed >> 32) & LOW])
    u = [(word + 0.5) / 4294967296.0 for word in words]
    normals = np.empty((side, end - begin, 4), np.float32)
    for pair in (0, 2):
        radius, angle = np.sqrt(-2 * np.log(u[pair])), 2 * np.pi * u[pair + 1]
        normals[..., pair] = radius * np.cos(angle)
        normals[..., pair + 1] = radius * np.sin(angle)
    return normals.reshape(side, -1)[:, left - 4 * begin : left - 4 * begin + side]


def decode(data: bytes) -> np.ndarray:
    """The platform's decode of a file, [H, W, 3] uint8, without rotation or colour conversion."""
    from PIL import Image

    with Image.open(io.BytesIO(without_metadata(data))) as image:
        return np.asarray(image.convert("RGB"))


def to_image(picture: np.ndarray) -> Any:
    """The picture [H, W, 3] uint8 as an image of the platform."""
    from PIL import Image

    return Image.fromarray(picture)


class Restorer:
    """A network, and optionally the float projection, ready to restore one picture at a time.

    Args:
        network: a TFLite model for fixed tiles with float pixels.
        card: its card.
        projection: projection_TILE.tflite for the same tiles, or none.
        threads: processor threads, for both.
    """

    def __init__(
        self, network: bytes, card: Card, projection: bytes | None = None, threads: int = 4
    ) -> None:
        self.card = card
        self.network = Interpreter(model_content=network, num_threads=threads)
        self.projection = None
        if projection is not None:
            self.projection = Interpreter(model_content=projection, num_threads=threads)

    def restore(
        self,
        header: Header,
        decoded: np.ndarray,
        seed: int = 0,
        cancelled: Callable[[], bool] = lambda: False,
        progress: Callable[[float], None] = lambda done: None,
    ) -> np.ndarray:
        """Restore a picture.

        Args:
            header: the file's header.
            decoded: the file's `decode`.
            seed: the sample to draw, 0 to 2^64 - 1.
            cancelled: called before each tile; True stops the restoration.
            progress: called after each tile with the share that is done.

        Returns:
            [H, W, 3] uint8; all channels are equal if those of the decode are.

        Raises:
            CancelledError: `cancelled` returned True.
            RestoreError: the decode does not have the header's size, the network's output is
                not finite, or there is no projection for the file's sampling.
        """
        if decoded.shape != (header.height, header.width, 3):
            raise RestoreError("the decoder gives another size than the header")
        restored = np.empty_like(decoded)
        rows_of_tiles = spans(header.height, self.card.tile, self.card.halo)
        columns_of_tiles = spans(header.width, self.card.tile, self.card.halo)
        kept = kept_colour(decoded)
        done = 0
        for rows in rows_of_tiles:
            for columns in columns_of_tiles:
                if cancelled():
                    raise CancelledError
                pixels = cut(decoded, rows, columns)
                tile = self.run_network(pixels, header, rows, columns, seed)
                tile = damp(tile, rows, columns, kept)
                if self.projection is not None:
                    tile = self.project(tile, pixels, header)
                paste(tile, rows, columns, restored)
                done += 1
                progress(done / (len(rows_of_tiles) * len(columns_of_tiles)))
        return restored

    def run_network(
        self, pixels: np.ndarray, header: Header, rows: Span, columns: Span, seed: int
    ) -> np.ndarray:
        """The network's output for a tile [T, T, 3], with the noise of the tile's position."""
        inputs = {"pixels": pixels[None], "tables": network_tables(header)[None]}
        for field, stride in enumerate(self.card.noise_strides):
            top, left = rows.start // stride, columns.start // stride
            normals = noise(seed, field, top, left, self.card.tile // stride)
            inputs[f"noise_{field}"] = normals[None, ..., None]
        return run(self.network, "restore", inputs, "restored")

    def project(self, tile: np.ndarray, pixels: np.ndarray, header: Header) -> np.ndarray:
        """The nearest tile, in real arithmetic, that has the levels of the decoded one."""
        inputs = {
            "pixels": tile[None],
            "decoded": pixels[None],
            "tables": projection_tables(header)[None],
        }
        return run(self.projection, projection_name(header), inputs, "projected")


def run(interpreter: Any, name: str, inputs: dict[str, np.ndarray], output: str) -> np.ndarray:
    """The output of a signature, without its first axis."""
    return interpreter.get_signature_runner(name)(**inputs)[output][0]


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Restore a JPEG file with a TFLite model.")
    parser.add_argument("network", type=pathlib.Path, help="NAME.tflite, with its card beside it")
    parser.add_argument("input", type=pathlib.Path, help="a JPEG file")
    parser.add_argument("output", type=pathlib.Path, help="a PNG file")
    parser.add_argument("--projection", type=pathlib.Path, help="projection_TILE.tflite")
    parser.add_argument("--seed", type=int, default=0, help="the sample to draw")
    given = parser.parse_args()
    card = read_card(given.network.with_name(given.network.name + ".json").read_text())
    projection = None if given.projection is None else given.projection.read_bytes()
    restorer = Restorer(given.network.read_bytes(), card, projection)
    data = given.input.read_bytes()
    try:
        restored = restorer.restore(read_header(data), decode(data), given.seed)
    except RestoreError as error:
        parser.exit(1, f"{given.input}: {error}\n")
    to_image(restored).save(given.output)


if __name__ == "__main__":
    main()
