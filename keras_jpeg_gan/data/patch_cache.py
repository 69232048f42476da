"""Packed caches: square patches of photographs as uint8 arrays in one folder, with an index.

A cache is small enough to be copied to another machine, and needs neither the images nor their
decoders. Its patches are larger than the training's, which are drawn from them at random.
"""

import itertools
import json
import pathlib
import shutil
import sys
from collections.abc import Iterator, Sequence

import numpy as np
import tqdm
from absl import logging

from keras_jpeg_gan.data.patches import draw_patch
from keras_jpeg_gan.data.sources import (
    UnreadableImageError,
    image_size,
    read_image,
)
from keras_jpeg_gan.errors import ConfigError

INDEX = "index.json"
FORMAT = 1
# No file of a cache is larger than this.
_SHARD_BYTES = 15e6
# The most that a patch takes besides its pixels: a name in the index, its part of a header.
_NAME_BYTES = 300


class PackedSource:
    """The patches of a cache: images by index, each with the name of its photograph.

    Args:
        folder: written by `pack`.

    Raises:
        ConfigError: the folder is not a cache, or parts of it are missing or damaged.
    """

    def __init__(self, folder: str | pathlib.Path) -> None:
        root = pathlib.Path(folder)
        try:
            index = json.loads((root / INDEX).read_text())
            if index["format"] != FORMAT:
                raise ConfigError(
                    f"{folder}: a cache in format {index['format']}, not {FORMAT}: pack it again"
                )
            size: int = index["size"]
            self.names: list[str] = index["names"]
            shards = [np.load(root / name, mmap_mode="r") for name in index["shards"]]
        except (EOFError, OSError, ValueError, KeyError, TypeError) as error:
            raise ConfigError(
                f"{folder}: not a complete packed cache ({error}): pack it again"
            ) from error
        for name, shard in zip(index["shards"], shards, strict=True):
            if shard.dtype != np.uint8 or shard.shape[1:] != (size, size, 3):
                raise ConfigError(f"{folder}: {name} is damaged: pack it again")
        # Plain arrays: np.memmap makes every slice slower.
        self._patches = [patch for shard in shards for patch in np.asarray(shard)]
        if len(self._patches) != len(self.names) or not self.names:
            raise ConfigError(
                f"{folder}: {len(self._patches)} patches, {len(self.names)} names: pack it again"
            )

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> np.ndarray:
        """The patch [size, size, 3] uint8."""
        return self._patches[index]


def pack(
    paths: Sequence[pathlib.Path],
    output: pathlib.Path,
    size: int,
    max_scale: float,
    max_mb: float,
    seed: int = 0,
) -> int:
    """Write a cache: the folder appears whole or not at all.

    All photographs give the same number of patches, at least one, as far as that many fit side
    by side. If there are too many photographs, some, chosen at random, give one each. Those that
    cannot be read are skipped, with a warning that names them.

    Args:
        paths: image files.
        output: a folder that does not exist yet.
        size: side of a patch in pixels.
        max_scale: see `draw_patch`.
        max_mb: largest size of the folder in megabytes (10^6 bytes).
        seed: of every random choice.

    Returns:
        How many patches there are.

    Raises:
        ConfigError: output exists or cannot be written, not even one patch is allowed, or no
            image can be read.
    """
    if output.exists():
        raise ConfigError(f"{output}: already exists; remove it, or name another folder")
    budget = int(max_mb * 1e6 // (3 * size**2 + _NAME_BYTES))
    if budget < 1:
        raise ConfigError(f"{max_mb} MB: too little for a patch of {size} x {size}")
    rng = np.random.default_rng(seed)
    shares = _shares([_room(path, size) for path in paths], budget, rng)
    unfinished = output.with_name(f".{output.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)  # left by a run that was killed
    try:
        unfinished.mkdir(parents=True)
        names: list[str] = []
        shards: list[str] = []
        drawn = _draw(paths, shares, size, max_scale, rng)
        per_shard = max(int(_SHARD_BYTES // (3 * size**2)), 1)
        while part := list(itertools.islice(drawn, per_shard)):
            names += [name for name, _ in part]
            shards.append(f"patches_{len(shards):04d}.npy")
            np.save(unfinished / shards[-1], np.stack([patch for _, patch in part]))
        if not names:
            raise ConfigError(f"none of {len(paths)} images can be read")
        index = {"format": FORMAT, "size": size, "shards": shards, "names": names}
        (unfinished / INDEX).write_text(json.dumps(index, indent=0))
        unfinished.rename(output)
    except OSError as error:
        raise ConfigError(f"{output}: cannot be written ({error.strerror})") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return len(names)


def _room(path: pathlib.Path, size: int) -> int:
    """How many patches fit side by side in an image, at least 1; 0 if it cannot be read."""
    try:
        width, height = image_size(path)
    except UnreadableImageError as error:
        logging.warning("skipped: %s", error)
        return 0
    return max((width // size) * (height // size), 1)


def _shares(rooms: Sequence[int], budget: int, rng: np.random.Generator) -> np.ndarray:
    """How many patches each image gives: rounds of one each until the budget is used up."""
    order = rng.permutation(len(rooms))
    left = np.array(rooms)[order]
    shares = np.zeros_like(left)
    while budget > 0 and (giving := np.flatnonzero(left > shares)[:budget]).size:
        shares[giving] += 1
        budget -= giving.size
    unordered = np.empty_like(shares)
    unordered[order] = shares
    return unordered


def _draw(
    paths: Sequence[pathlib.Path],
    shares: np.ndarray,
    size: int,
    max_scale: float,
    rng: np.random.Generator,
) -> Iterator[tuple[str, np.ndarray]]:
    """Name and patch, image by image; upright, since the training itself turns patches."""
    giving = [(path, share) for path, share in zip(paths, shares, strict=True) if share]
    for path, share in tqdm.tqdm(giving, unit="image", disable=not sys.stderr.isatty()):
        try:
            image = read_image(path)
        except UnreadableImageError as error:
            logging.warning("skipped: %s", error)
            continue
        for _ in range(share):
            yield path.name, draw_patch(image, size, max_scale, rng, transpose=False)
