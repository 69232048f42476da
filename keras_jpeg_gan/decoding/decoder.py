"""The decoder: from a JPEG file to a restored image with its certificate."""

import contextlib
import dataclasses
import functools
import math
import pathlib
import threading
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from keras_jpeg_gan.decoding import colour, earlier, projections, runtimes, tiles, views
from keras_jpeg_gan.decoding.ahead import one_ahead
from keras_jpeg_gan.decoding.clock import Clock
from keras_jpeg_gan.decoding.memory import Limits
from keras_jpeg_gan.decoding.noise import SEEDS
from keras_jpeg_gan.decoding.noise import window as noise_window
from keras_jpeg_gan.decoding.options import DEFAULTS, RestoreOptions
from keras_jpeg_gan.decoding.restored import Restored
from keras_jpeg_gan.errors import ConfigError, ModelError
from keras_jpeg_gan.jpeg.file import JpegFile, read_bytes
from keras_jpeg_gan.jpeg.levels import Quantized
from keras_jpeg_gan.jpeg.pictures import is_picture, read_picture
from keras_jpeg_gan.jpeg.projection import border, exact
from keras_jpeg_gan.jpeg.projection import floating as float_projection
from keras_jpeg_gan.metrics.deviation import Spread
from keras_jpeg_gan.models.cards import ModelCard, find_model

DEFAULT_MODEL = "default"


class Decoder:
    """Restores JPEG files with one model, which is loaded when it is first needed.

    Several threads may share a decoder: they take turns at the network, which has threads of
    its own, and do everything else in parallel.

    Args:
        model: the name of a bundled model, or the path of a NAME.weights.h5 with NAME.json
            beside it.
        runtime: one of `runtimes.RUNTIMES`.
        threads: how many the network may use, or None for all.
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
        self, source: str | pathlib.Path | bytes, options: RestoreOptions = DEFAULTS
    ) -> JpegFile:
        """Read a file within the limits, and find out about its hidden samples and its past.

        A JPEG file's border is free if the edge is not repeated there (`jpeg.projection.border`).
        What an earlier save changes about a restoration is in `decoding.earlier`.

        Args:
            source: path or bytes of a JPEG file, or of a PNG or WebP file that was one.
            options: of these, `allow_truncated` and `earlier_save`.

        Raises:
            JpegFormatError: the file cannot be restored.
        """
        data = source
        if not isinstance(data, bytes):
            data = read_bytes(pathlib.Path(data), self.limits)
        if is_picture(data) and options.earlier_save != earlier.OFF:
            return earlier.found(read_picture(data, self.limits), options.earlier_save)
        file = JpegFile.read(data, self.limits, options.allow_truncated)
        assert file.quantized is not None  # it is a JPEG file
        quantized = file.quantized
        if border.is_free(quantized, file.height, file.width):
            quantized = dataclasses.replace(quantized, visible=(file.height, file.width))
            file = dataclasses.replace(file, quantized=quantized)
        return earlier.found(file, options.earlier_save)

    def restore(
        self,
        source: str | pathlib.Path | bytes | JpegFile,
        seed: int = 0,
        options: RestoreOptions = DEFAULTS,
        progress: Callable[[int], None] | None = None,
    ) -> Restored:
        """Restore one file.

        While the network works on one band of rows, the band before it is projected.

        Args:
            source: path or bytes of a JPEG file, or a file that `read` has returned.
            seed: which sample, 0 to 2^64 - 1; a regression ignores it.
            options: how to restore it.
            progress: called after each of the network's tiles, in another thread, with the
                number of pixels it restored; these add up to the image's. An exception that it
                raises ends the restoration.

        Raises:
            JpegFormatError: the file cannot be restored.
            ModelError: the network's output is not finite, or the model cannot be loaded.
            ConfigError: the seed is out of range.
        """
        clock = Clock()
        if isinstance(source, JpegFile):
            file = source
        else:
            with clock.stage("read"):
                file = self.read(source, options)
        ended, seen = False, 0
        whole, shown = math.prod(file.seen.shape[:2]), file.height * file.width

        def after_tile(pixels: int) -> None:
            nonlocal seen
            if ended:
                raise InterruptedError  # nobody waits for the next band
            before, seen = seen, seen + pixels
            if progress is not None:  # a margin does not count
                progress(seen * shown // whole - before * shown // whole)

        bands = self._bands(file, seed, options, clock, after_tile)
        with contextlib.closing(one_ahead(bands)) as ahead:
            try:
                return self._finish(ahead, file, seed, options, clock)
            finally:
                ended = True

    def estimate(
        self, file: JpegFile, seed: int = 0, options: RestoreOptions = DEFAULTS
    ) -> np.ndarray:
        """The network's output for a file, before projection and rounding.

        Args:
            file: a file that `read` has returned.
            seed: which sample.
            options: of these, `temperature` and `blend`.

        Returns:
            [H, W] (gray) or [H, W, C] float32, on the scale 0..255 but not clipped.

        Raises:
            ModelError: the output is not finite, or the model cannot be loaded.
        """
        pixels = np.empty(file.seen.shape, np.float32)
        for top, band in self._bands(file, seed, options, Clock()):
            pixels[top : top + len(band)] = band if band.ndim == pixels.ndim else band[..., None]
        return projections.cropped(pixels, file)

    def finish(
        self,
        pixels: np.ndarray,
        file: JpegFile,
        seed: int = 0,
        options: RestoreOptions = DEFAULTS,
    ) -> Restored:
        """Project an `estimate`, or any other pixels, onto a file, and certify the result.

        Args:
            pixels: of the file's shape, on the scale 0..255, not necessarily integers or clipped.
            file: what they are to be consistent with.
            seed: which sample they are.
            options: of these, `projection` and `bits`.
        """
        if file.earlier is not None:
            pixels = file.earlier.framed(pixels)
        spans = tiles.spans(
            tiles.round_up(len(pixels)), self._tile(file), 0, projections.grid(file)
        )
        bands = ((y.first, pixels[y.first : y.last]) for y in spans)
        return self._finish(bands, file, seed, options, Clock())

    def samples(
        self,
        source: str | pathlib.Path | bytes | JpegFile,
        count: int,
        seed: int = 0,
        options: RestoreOptions = DEFAULTS,
    ) -> Iterator[Restored]:
        """Restore several samples of one file, one after the other; the k-th has seed + k.

        Args:
            source, seed, options: as for `restore`.
            count: how many samples.

        Raises:
            ModelError: the model is a regression. Others as `restore`.
        """
        if not self.card.draws_samples:
            raise ModelError(no_samples(self.card))
        if not isinstance(source, JpegFile):
            source = self.read(source, options)
        return (self.restore(source, (seed + k) % SEEDS, options) for k in range(count))

    def mean(self, samples: Iterable[Restored]) -> Restored:
        """The mean of samples of one file, which approximates the regression: "Ours-A".

        It is consistent if they are, since the set of consistent images is convex. Rounding it
        to 8 bits may undo that, so it is projected as they were.

        Args:
            samples: at least one, as from `samples`; they need not be kept.

        Raises:
            ConfigError: there are no samples, or they have 16 bits.
        """
        spread, first = Spread(), None
        for sample in samples:
            first = first or sample
            spread.add(sample.pixels)
        if first is None:
            raise ConfigError("the mean of no samples")
        return self.mean_of(spread, first)

    def mean_of(self, spread: Spread, first: Restored) -> Restored:
        """As `mean`, for samples that were added to `spread`, and the first of them."""
        if first.pixels.dtype != np.uint8:
            raise ConfigError("the mean is of samples of 8 bits")
        pixels = spread.mean.astype(np.float32)
        mean = self.finish(pixels, first.file, first.seed, first.options)
        return dataclasses.replace(mean, count=spread.count)

    def _finish(
        self,
        bands: Iterable[tuple[int, np.ndarray]],
        file: JpegFile,
        seed: int,
        options: RestoreOptions,
        clock: Clock,
    ) -> Restored:
        """Project bands of rows as they come, and certify the whole."""
        projection, bits = options.projection, options.bits
        if bits == 16 and projection == "exact":
            projection = "float"
        projection, warnings = projections.feasible(projection, file)
        quantized, total, end = file.constraint, 0.0, 0
        shape = file.seen.shape[: 2 if file.gray else 3]
        whole = border.whole_shape(shape, quantized) if quantized else shape
        final = np.empty(whole, np.uint8 if bits == 8 else np.int32)
        for top, pixels in bands:
            with clock.stage("projection"):
                end = top + len(pixels)
                if pixels.ndim > len(shape):
                    pixels = pixels.mean(axis=2)
                total += float(pixels.mean(dtype=np.float64)) * len(pixels)
                if file.earlier is not None and projection == "float":
                    pixels = file.earlier.project(pixels, top)
                part = quantized and quantized.rows(top, end)
                projected = self._project(pixels, part, projection, bits)
                final[top : top + len(projected)] = projected
        if end != len(file.seen):
            raise ModelError(f"restored {end} rows of {len(file.seen)}")
        projections.check_brightness(total / end, file, self.card)
        if final.ndim < file.pixels.ndim:
            final = final[..., None].repeat(3, axis=2)
        with clock.stage("certificate"):
            certificate, violated, agreement = projections.certified(final, file)
        return Restored(
            pixels=np.ascontiguousarray(
                projections.cropped(final, file), np.uint8 if bits == 8 else np.uint16
            ),
            certificate=certificate,
            file=file,
            model=self.card,
            seed=seed,
            projection=projection,
            warnings=(*file.warnings, *warnings),
            seconds=clock.seconds,
            options=options,
            violation=violated,
            agreement=agreement,
        )

    def _bands(
        self,
        file: JpegFile,
        seed: int,
        options: RestoreOptions,
        clock: Clock,
        progress: Callable[[int], None] | None = None,
    ) -> Iterator[tuple[int, np.ndarray]]:
        """Run the network band by band, and blend its output.

        Yields:
            A band's first row, and its [h, W] (of a gray picture) or [h, W, C] float32, on the
            scale 0..255 but not clipped.
        """
        runtime, shown, gray, seen = self.runtime, views.of(file), file.gray, file.seen
        kept = None if gray else colour.weights(seen[..., :3])
        noisy = self.card.draws_samples and options.temperature > 0

        def network(window: np.ndarray, top: int, left: int) -> np.ndarray:
            with clock.stage("network"):
                noise = None
                if noisy:
                    height, width = window.shape[1:3]
                    noise = [
                        np.float32(options.temperature)
                        * noise_window(seed, f, top // s, left // s, height // s, width // s)
                        for f, s in enumerate(runtime.noise_strides)
                    ]
                    noise = [field[None, ..., None] for field in noise]
                pictures = [view.picture(window) for view in shown]
            with self._turn, clock.stage("network"):  # waiting for the turn does not count
                restored = [
                    runtime.restore(picture, view.tables, noise)
                    for view, picture in zip(shown, pictures, strict=True)
                ]
            found = [view.values(image) for view, image in zip(shown, restored, strict=True)]
            return np.concatenate(found, axis=3)

        decoded = np.atleast_3d(seen)
        decoded = decoded[..., :1] if gray else decoded
        tile, grid = self._tile(file), projections.grid(file)
        for top, band in tiles.bands(network, decoded, runtime.halo, tile, grid, progress):
            if not np.isfinite(band).all():
                raise ModelError(f"model {self.card.name}: its output is not finite for this file")
            if kept is not None:
                rows = slice(top // colour.CELL, -(-(top + len(band)) // colour.CELL))
                colour.damp(band[..., :3], kept[rows])
            if options.blend < 1:
                band *= np.float32(options.blend)
                band += np.float32(1 - options.blend) * decoded[top : top + len(band)]
            yield top, band[..., 0] if gray else band

    def _tile(self, file: JpegFile) -> int:
        """The side of the network's tiles, a multiple of the grid on which bands begin."""
        tile = self.limits.tile(file.height, file.width, file.channels)
        return tiles.round_up(tile, projections.grid(file))

    def _project(
        self,
        pixels: np.ndarray,
        quantized: Quantized | None,
        projection: str,
        bits: int,
    ) -> np.ndarray:
        """Project and round a band of rows, given the levels of these rows."""
        if quantized is not None:
            if quantized.visible is not None:
                pixels = border.extended(pixels, quantized)
            if projection == "exact":
                return exact.project(pixels, quantized)
            if projection == "float":
                pixels = float_projection.project(pixels, quantized)
        if not np.isfinite(pixels).all():
            raise ModelError(f"model {self.card.name}: its projection is not finite for this file")
        if bits == 16:
            return projections.in_16_bits(pixels, quantized)
        return np.clip(np.rint(pixels), 0, 255).astype(np.uint8)


def no_samples(card: ModelCard) -> str:
    """Why a regression has no samples, mean or deviation, as a message."""
    return f"model {card.name} is a regression: it draws no samples"
