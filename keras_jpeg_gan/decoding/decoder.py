"""One JPEG file to one restored image, with its certificate."""

import contextlib
import dataclasses
import functools
import pathlib
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from keras_jpeg_gan.decoding import runtimes, tiles, units
from keras_jpeg_gan.decoding.ahead import one_ahead
from keras_jpeg_gan.decoding.clock import Clock
from keras_jpeg_gan.decoding.noise import SEEDS
from keras_jpeg_gan.decoding.noise import window as noise_window
from keras_jpeg_gan.decoding.restored import UNITS_OF_16_BITS, Restored
from keras_jpeg_gan.errors import ConfigError, ModelError
from keras_jpeg_gan.jpeg import emulator, encoder
from keras_jpeg_gan.jpeg.assumed import read_assumed
from keras_jpeg_gan.jpeg.file import JpegFile, Limits
from keras_jpeg_gan.jpeg.projection import exact
from keras_jpeg_gan.jpeg.projection import floating as float_projection
from keras_jpeg_gan.jpeg.resaved import find_earlier_save
from keras_jpeg_gan.jpeg.tables import network_tables
from keras_jpeg_gan.metrics.deviation import Spread
from keras_jpeg_gan.metrics.violation import Violation
from keras_jpeg_gan.models.cards import ModelCard, find_model

DEFAULT_MODEL = "default"
PROJECTIONS = ("exact", "float", "none")

# Grey levels, beside what a step leaves open: more than any clipping or noise moves a mean by.
_BRIGHTNESS = 32


class Decoder:
    """Restores JPEG files with one model, which is loaded when the first file needs it.

    Several threads may use one: they take turns at the network, which has threads of its own,
    and do the rest at once.

    Args:
        model: a bundled name, or the path of a NAME.weights.h5 with NAME.json beside it.
        runtime: of `runtimes.RUNTIMES`.
        threads: of the network, or None for all.
        limits: what a file may ask for.

    Raises:
        ModelError: there is no such model.
    """

    def __init__(
        self,
        model: str | pathlib.Path = DEFAULT_MODEL,
        runtime: str = "auto",
        threads: int | None = None,
        limits: Limits | None = None,
    ) -> None:
        _, self.card = find_model(model)
        self.limits = limits or Limits()
        self._model = model
        self._runtime_kind = runtime
        self._threads = threads
        self._turn = threading.Lock()

    @functools.cached_property
    def runtime(self) -> runtimes.Runtime:
        """The loaded network.

        Raises:
            ModelError: it cannot be loaded.
            ConfigError: the runtime is unknown, or its threads cannot be set.
        """
        return runtimes.open_runtime(self._runtime_kind, self._model, self._threads)

    def read(
        self,
        source: str | pathlib.Path | bytes,
        allow_truncated: bool = False,
        assume_quality: int | None = None,
    ) -> JpegFile:
        """A JPEG file within the limits; a warning says if it was likely saved before.

        Args:
            source: path or bytes.
            allow_truncated: read what a cut file still has.
            assume_quality: take a PNG, WebP or JPEG file for the decode of one of this quality
                (`jpeg.assumed`).

        Raises:
            JpegFormatError: it is none that can be restored.
            ConfigError: the quality is out of range.
        """
        if assume_quality is not None:
            return read_assumed(source, assume_quality, self.limits, allow_truncated)
        file = JpegFile.read(source, self.limits, allow_truncated)
        if not emulator.has_whole_luma(file.sampling):
            return file  # its pixels do not show the luma that was quantized
        save = find_earlier_save(file.pixels, file.tables[0])
        if save is None:
            return file
        remark = (
            f"it was likely saved before, at {save}: --assume_quality={save.quality} restores "
            "from that"
        )
        return dataclasses.replace(file, warnings=(*file.warnings, remark))

    def restore(
        self,
        source: str | pathlib.Path | bytes | JpegFile,
        seed: int = 0,
        projection: str = "exact",
        blend: float = 1.0,
        allow_truncated: bool = False,
        temperature: float = 1.0,
        bits: int = 8,
        assume_quality: int | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> Restored:
        """Restore one file.

        While the network is at one band of rows, the band before it is projected.

        Args:
            source: path or bytes of a JPEG file, or one that was read.
            seed: which sample; without effect for a regression.
            projection: of `PROJECTIONS`; the float one, and none, are rounded.
            blend: 0 libjpeg's decode ... 1 restored, before the projection.
            allow_truncated: restore what a cut file still has.
            temperature: scale of the noise; 0 is none. Without effect for a regression.
            bits: 8, or 16 for the float projection (if exact) or the network's output (if none)
                to 1/257 grey level.
            assume_quality: as `read`; then nothing is projected.
            progress: called after each of the network's tiles with how many pixels it restored,
                which sum up to the image's; in a thread of its own. What it raises ends the
                restoration.

        Raises:
            JpegFormatError: the file is none that can be restored.
            ModelError: the network's output is not finite, or the model cannot be loaded.
            ConfigError: an argument is not in its range.
        """
        if projection not in PROJECTIONS:
            raise ConfigError(f"projection {projection!r}: one of {', '.join(PROJECTIONS)}")
        if not 0 <= blend <= 1:
            raise ConfigError(f"blend {blend}: 0 to 1")
        if not temperature >= 0:
            raise ConfigError(f"temperature {temperature}: 0 or more")
        if bits not in (8, 16):
            raise ConfigError(f"{bits} bits: 8 or 16")
        clock = Clock()
        if isinstance(source, JpegFile):
            file = source
        else:
            with clock.stage("read"):
                file = self.read(source, allow_truncated, assume_quality)
        ended = False

        def after_tile(pixels: int) -> None:
            if ended:
                raise InterruptedError  # nobody waits for the next band any more
            if progress is not None:
                progress(pixels)

        bands = self._bands(file, seed, temperature, clock, blend, after_tile)
        with contextlib.closing(one_ahead(bands)) as ahead:
            try:
                return self._finish(ahead, file, seed, projection, clock, bits)
            finally:
                ended = True

    def estimate(self, file: JpegFile, seed: int = 0, temperature: float = 1.0) -> np.ndarray:
        """What the network makes of a file, before projection and rounding.

        Returns:
            [H, W] (gray) or [H, W, 3] float32, 0..255 but not clipped.

        Raises:
            ModelError: the output is not finite, or the model cannot be loaded.
        """
        pixels = np.empty(file.pixels.shape, np.float32)
        for top, band in self._bands(file, seed, temperature, Clock()):
            pixels[top : top + len(band)] = band
        return pixels

    def finish(
        self, pixels: np.ndarray, file: JpegFile, seed: int = 0, projection: str = "exact"
    ) -> Restored:
        """Project an `estimate`, or any other pixels, onto a file, and certify the result.

        Args:
            pixels: of the file's shape, 0..255, not necessarily whole or clipped.
            file: what they are to be consistent with.
            seed: which sample they are.
            projection: of `PROJECTIONS`.
        """
        spans = tiles.spans(tiles.round_up(file.height), self._tile(file), 0, units.grid(file))
        bands = ((y.first, pixels[y.first : y.last]) for y in spans)
        return self._finish(bands, file, seed, projection, Clock())

    def samples(
        self,
        source: str | pathlib.Path | bytes | JpegFile,
        count: int,
        seed: int = 0,
        **options: Any,
    ) -> Iterator[Restored]:
        """Several restored images of one file, one after the other; the k-th has seed + k.

        Args:
            source, seed, options: as `restore`, which makes each.
            count: how many.

        Raises:
            ModelError: the model is a regression. Others as `restore`.
        """
        if not self.card.draws_samples:
            raise ModelError(no_samples(self.card))
        if not isinstance(source, JpegFile):
            source = self.read(source, options.pop("allow_truncated", False))
        return (self.restore(source, (seed + k) % SEEDS, **options) for k in range(count))

    def mean(self, samples: Iterable[Restored]) -> Restored:
        """The mean of samples of one file, which comes near the regression: "Ours-A".

        It is consistent where they are, since the set of consistent images is convex; rounded
        to 8 bits it is projected as they were.

        Args:
            samples: at least one, of `samples`; they need not be kept.

        Raises:
            ConfigError: there is none.
        """
        spread, first = Spread(), None
        for sample in samples:
            first = first or sample
            spread.add(sample.pixels)
        if first is None:
            raise ConfigError("the mean of no samples")
        return self.mean_of(spread, first)

    def mean_of(self, spread: Spread, first: Restored) -> Restored:
        """As `mean`, of samples that `spread` has counted, and the first of them."""
        if first.pixels.dtype != np.uint8:
            raise ConfigError("the mean is of samples of 8 bits")
        pixels = spread.mean.astype(np.float32)
        mean = self.finish(pixels, first.file, first.seed, first.projection)
        return dataclasses.replace(mean, count=spread.count)

    def _finish(
        self,
        bands: Iterable[tuple[int, np.ndarray]],
        file: JpegFile,
        seed: int,
        projection: str,
        clock: Clock,
        bits: int = 8,
    ) -> Restored:
        """Project bands of rows as they come, and certify the whole."""
        if bits == 16 and projection == "exact":
            projection = "float"
        projection, warnings = units.feasible(projection, file)
        final = np.empty(file.pixels.shape, np.uint8 if bits == 8 else np.uint16)
        total, end = 0.0, 0
        for top, pixels in bands:
            with clock.stage("projection"):
                end = top + len(pixels)
                total += float(pixels.sum(dtype=np.float64))
                final[top:end] = self._project(
                    pixels, units.levels_between(file, top, end), file, projection, bits
                )
        if end != file.height:
            raise ModelError(f"restored {end} rows of {file.height}")
        _check_brightness(total / final.size, file, self.card)
        certificate = violated = None
        with clock.stage("certificate"):
            if file.levels and encoder.can_encode(file.sampling):
                given = (file.levels, file.tables, file.sampling)
                if bits == 8:
                    certificate = encoder.certify(final, *given)
                else:
                    pixels = final.astype(np.float32) / UNITS_OF_16_BITS
                    violated = Violation.of(float_projection.violations(pixels, *given))
        return Restored(
            pixels=final,
            certificate=certificate,
            file=file,
            model=self.card,
            seed=seed,
            projection=projection,
            warnings=(*file.warnings, *warnings),
            seconds=clock.seconds,
            violation=violated,
        )

    def _bands(
        self,
        file: JpegFile,
        seed: int,
        temperature: float,
        clock: Clock,
        blend: float = 1.0,
        progress: Callable[[int], None] | None = None,
    ) -> Iterator[tuple[int, np.ndarray]]:
        """The network's image by bands: the first row, and [h, W] or [h, W, 3] float32.

        Values are 0..255, but not clipped.
        """
        runtime, tables = self.runtime, network_tables(file.tables)[None]
        gray = file.pixels.ndim == 2
        noisy = self.card.draws_samples and temperature > 0

        def network(window: np.ndarray, top: int, left: int) -> np.ndarray:
            with clock.stage("network"):
                noise = None
                if noisy:
                    height, width = window.shape[1:3]
                    noise = [
                        np.float32(temperature)
                        * noise_window(seed, f, top // s, left // s, height // s, width // s)
                        for f, s in enumerate(runtime.noise_strides)
                    ]
                    noise = [field[None, ..., None] for field in noise]
                # Of all gray images the mean of the channels is the nearest.
                colour = np.repeat(window, 3, axis=3) if gray else window
                colour = colour.astype(np.float32)
            with self._turn, clock.stage("network"):  # waiting for the turn is no stage's time
                restored = runtime.restore(colour, tables, noise)
            return restored.mean(axis=3, keepdims=True) if gray else restored

        decoded = file.pixels[..., None] if gray else file.pixels
        tile, grid = self._tile(file), units.grid(file)
        for top, band in tiles.bands(network, decoded, runtime.halo, tile, grid, progress):
            if not np.isfinite(band).all():
                raise ModelError(f"model {self.card.name}: its output is not finite for this file")
            if blend < 1:
                band *= np.float32(blend)
                band += np.float32(1 - blend) * decoded[top : top + len(band)]
            yield top, band[..., 0] if gray else band

    def _tile(self, file: JpegFile) -> int:
        """Side of the network's tiles: bands begin on multiples of the file's units too."""
        return tiles.round_up(self.limits.tile(file.height, file.width), units.grid(file))

    def _project(
        self,
        pixels: np.ndarray,
        levels: Sequence[np.ndarray],
        file: JpegFile,
        projection: str,
        bits: int,
    ) -> np.ndarray:
        """A band of rows, with the levels of these rows."""
        if projection == "exact":
            return exact.project(pixels, levels, file.tables, file.sampling)
        if projection == "float":
            pixels = float_projection.project(pixels, levels, file.tables, file.sampling)
        if not np.isfinite(pixels).all():
            raise ModelError(f"model {self.card.name}: its projection is not finite for this file")
        if bits == 16:
            return np.clip(np.rint(UNITS_OF_16_BITS * pixels), 0, 65535).astype(np.uint16)
        return np.clip(np.rint(pixels), 0, 255).astype(np.uint8)


def _check_brightness(mean: float, file: JpegFile, card: ModelCard) -> None:
    """Refuse what is no restoration of the file, such as black, whatever the projection.

    The levels say the mean of each block to half a step of DC, so that it can be the decode's.

    Raises:
        ModelError: their means are too far apart.
    """
    change = abs(mean - float(file.pixels.mean()))
    if not change <= _BRIGHTNESS + file.tables[0][0, 0] / 16:
        raise ModelError(
            f"model {card.name}: its output is {change:.0f} grey levels off the file's mean: the "
            "model is broken, or --temperature too high"
        )


def no_samples(card: ModelCard) -> str:
    """Why a regression has no samples, mean or deviation."""
    return f"model {card.name} is a regression: it draws no samples"
