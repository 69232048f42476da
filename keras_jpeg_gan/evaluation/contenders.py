"""What is measured: libjpeg, the original, a model with a method, or another program."""

import dataclasses
import pathlib
import shlex
import subprocess
import tempfile
import time
from typing import Any, Protocol

import numpy as np

from keras_jpeg_gan.data.sources import read_image
from keras_jpeg_gan.decoding.decoder import Decoder
from keras_jpeg_gan.decoding.earlier import AUTO, OFF
from keras_jpeg_gan.decoding.options import RestoreOptions
from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.jpeg.file import JpegFile
from keras_jpeg_gan.jpeg.projection import floating as float_projection
from keras_jpeg_gan.metrics.deviation import Spread

LIBJPEG, ORIGINAL = "libjpeg", "original"
# What methods call the projections, and what the decoder calls them.
PROJECTIONS = {"sample": "none", "float": "float", "exact": "exact"}
CONTROL = "control"
# Methods that restore as of an earlier save: one that is found, or the one that there was.
KNOWN = "known"


@dataclasses.dataclass(frozen=True)
class Method:
    """What is done with a model.

    Attributes:
        name: as it was given.
        projection: a key of `PROJECTIONS`.
        mean: of how many samples, or 0 for one sample.
        control: white noise in a sample's place.
        earlier: as of which earlier save: `OFF`, `AUTO` or `KNOWN`.
    """

    name: str
    projection: str = "exact"
    mean: int = 0
    control: bool = False
    earlier: str = OFF

    @classmethod
    def parse(cls, text: str) -> "Method":
        """Parse "sample", "float", "exact", "auto", "known", "mean:N[:sample]" or "control".

        Raises:
            ConfigError: it is none of these.
        """
        if text == CONTROL:
            return cls(text, control=True)
        if text in (AUTO, KNOWN):
            return cls(text, earlier=text)
        if text in PROJECTIONS:
            return cls(text, text)
        kind, _, rest = text.partition(":")
        count, _, projection = rest.partition(":")
        projection = projection or "exact"
        if kind != "mean" or not count.isdigit() or int(count) < 2 or projection not in PROJECTIONS:
            raise ConfigError(
                f"method {text!r}: {', '.join(PROJECTIONS)}, {AUTO}, {KNOWN}, mean:N (2 samples or "
                f"more), mean:N:sample, or {CONTROL}"
            )
        return cls(text, projection, mean=int(count))


@dataclasses.dataclass(frozen=True)
class Result:
    """What a contender makes of a file.

    Attributes:
        pixels: [H, W, 3] uint8.
        seconds: processor time, over all cores.
        unrounded: [H, W, 3] float32 before rounding, where there is such a thing.
        deviation: [H, W] of the samples that were averaged, where there were any.
    """

    pixels: np.ndarray
    seconds: float = 0.0
    unrounded: np.ndarray | None = None
    deviation: np.ndarray | None = None


class Trial:
    """One file, its original, and the samples drawn so far, which contenders share.

    Args:
        data: the file's bytes; original: [H, W, 3] uint8, what it shows.
        earlier_save: as `Case.earlier_save`.
    """

    def __init__(self, data: bytes, original: np.ndarray, earlier_save: str = OFF) -> None:
        self.data = data
        self.file = JpegFile.read(data)
        assert self.file.quantized is not None  # it was read, not assumed
        self.quantized = self.file.quantized
        self.original = original
        self.results: dict[tuple[str, int, str, str], Result] = {}
        # The newest network output of each model: methods of one seed follow each other.
        self.estimates: dict[str, tuple[tuple[int, str], np.ndarray, float]] = {}
        self._saves = {OFF: OFF, AUTO: AUTO, KNOWN: earlier_save}
        self._files = {OFF: self.file}

    def as_of(self, earlier: str, decoder: Decoder) -> JpegFile:
        """The file to be restored as of an earlier save: `Method.earlier`."""
        save = self._saves[earlier]
        if save not in self._files:
            file = decoder.read(self.data, RestoreOptions(earlier_save=save))
            self._files[save] = self.file if file.earlier is None else file
        return self._files[save]


class Contender(Protocol):
    """Whatever restores files; a line of the table.

    Attributes:
        model, method: its name, in two parts.
        draws: whether the result depends on the seed.
    """

    model: str
    method: str
    draws: bool

    def restore(self, trial: Trial, seed: int) -> Result:
        """Restore the file.

        Raises:
            JpegGanError: it cannot be restored.
        """


class Libjpeg:
    """The decode that every viewer shows."""

    model, method, draws = LIBJPEG, "decode", False

    def restore(self, trial: Trial, seed: int) -> Result:
        """As `Contender`."""
        return Result(trial.file.pixels)


class Original:
    """The original itself: the ground truth, which checks the measures."""

    model, method, draws = ORIGINAL, "itself", False

    def restore(self, trial: Trial, seed: int) -> Result:
        """As `Contender`."""
        return Result(trial.original)


class Model:
    """A model with a method.

    Args:
        name: what tables call the model.
        decoder: runs the model.
        method: what is done with it; not a control.
    """

    def __init__(self, name: str, decoder: Decoder, method: Method) -> None:
        self.model, self.method = name, method.name
        # Means of different samples differ so little that one is enough.
        self.draws = decoder.card.draws_samples and not method.mean
        self._decoder = decoder
        self._method = method

    def restore(self, trial: Trial, seed: int) -> Result:
        """As `Contender`; a mean averages the samples from seed 0 on."""
        file = trial.as_of(self._method.earlier, self._decoder)
        count = self._method.mean
        if not count:
            return self.sample(trial, seed, self._method.projection, file)
        spread, seconds = Spread(), 0.0
        for k in range(count):
            result = self.sample(trial, k, self._method.projection)
            spread.add(result.pixels)
            seconds += result.seconds
        mean = spread.mean.astype(np.float32)
        final = self._finish(trial, file, mean, 0, self._method.projection)
        return dataclasses.replace(
            final, seconds=seconds + final.seconds, deviation=spread.deviation
        )

    def sample(
        self, trial: Trial, seed: int, projection: str, file: JpegFile | None = None
    ) -> Result:
        """Draw a sample, unless another contender has already; `file`: as of `Trial.as_of`."""
        file = file or trial.file
        key = self.model, seed, projection, _save_of(file)
        if key not in trial.results:
            pixels, seconds = self._estimate(trial, file, seed)
            result = self._finish(trial, file, pixels, seed, projection)
            trial.results[key] = dataclasses.replace(result, seconds=result.seconds + seconds)
        return trial.results[key]

    def _estimate(self, trial: Trial, file: JpegFile, seed: int) -> tuple[np.ndarray, float]:
        newest, key = trial.estimates.get(self.model), (seed, _save_of(file))
        if newest is None or newest[0] != key:
            self._decoder.runtime  # noqa: B018  (loading it does not count as an image's time)
            start = time.process_time()
            pixels = self._decoder.estimate(file, seed)
            newest = key, pixels, time.process_time() - start
            trial.estimates[self.model] = newest
        return newest[1:]

    def _finish(
        self, trial: Trial, file: JpegFile, pixels: np.ndarray, seed: int, projection: str
    ) -> Result:
        start = time.process_time()
        if projection == "float":
            pixels = float_projection.project(pixels, trial.quantized)
            final = np.clip(np.rint(pixels), 0, 255).astype(np.uint8)
        else:
            final = self._decoder.finish(
                pixels, file, seed, RestoreOptions(projection=PROJECTIONS[projection])
            ).pixels
        seconds = time.process_time() - start
        return Result(final, seconds, None if projection == "exact" else pixels)


def _save_of(file: JpegFile) -> str:
    """Of which earlier save a file is to be restored, in words; "" if of none."""
    return "" if file.earlier is None else str(file.earlier.save)


class Control:
    """A regression plus white noise, with the sampler's own squared error, projected exactly.

    A sampler must beat this: it is as far from the original as the sample, but nothing in the
    difference was learned. In each image, the variance of the noise is the mean squared error of
    the sample less that of the regression, both projected exactly.

    Args:
        sampler: the model whose error is matched.
        regression: the model that the noise is added to.
        decoder: projects the result.
    """

    method, draws = CONTROL, True

    def __init__(self, sampler: Model, regression: Model, decoder: Decoder) -> None:
        self.model = sampler.model
        self._sampler, self._regression, self._decoder = sampler, regression, decoder

    def restore(self, trial: Trial, seed: int) -> Result:
        """As `Contender`."""
        sample = self._sampler.sample(trial, seed, "exact").pixels
        estimate = self._regression.sample(trial, 0, "exact").pixels
        more = _squared_error(sample, trial.original) - _squared_error(estimate, trial.original)
        noise = np.random.default_rng(seed).standard_normal(estimate.shape, np.float32)
        pixels = estimate + np.float32(np.sqrt(max(more, 0.0))) * noise
        return Result(self._decoder.finish(pixels, trial.file, seed).pixels)


def _squared_error(pixels: np.ndarray, original: np.ndarray) -> float:
    return float(np.mean((pixels.astype(np.float32) - original) ** 2))


class Peer:
    """Another program that restores a JPEG file.

    Args:
        command: with {input}, a JPEG file, and {output}, where it writes an image in any format
            that Pillow reads; or NAME=command, to call it something else than its first word.
        timeout: seconds that it may take for an image.

    Raises:
        ConfigError: the command lacks {input} or {output}.
    """

    method, draws = "peer", False

    def __init__(self, command: str, timeout: float = 600) -> None:
        name, equals, rest = command.partition("=")
        named = bool(equals) and " " not in name
        self._words = shlex.split(rest if named else command)
        self.model = name if named else pathlib.Path(self._words[0]).name if self._words else ""
        self._timeout = timeout
        if not all(any(part in word for word in self._words) for part in ("{input}", "{output}")):
            raise ConfigError(f"peer {command!r}: give a command with {{input}} and {{output}}")

    def restore(self, trial: Trial, seed: int) -> Result:
        """As `Contender`; the processor time of other programs is not measured."""
        with tempfile.TemporaryDirectory() as folder:
            source, target = pathlib.Path(folder) / "input.jpg", pathlib.Path(folder) / "output.png"
            source.write_bytes(trial.data)
            places = {"{input}": str(source), "{output}": str(target)}
            words = [_filled(word, places) for word in self._words]
            self._run(words)
            if not target.exists():
                raise ConfigError(f"peer {self.model}: wrote no output")
            pixels = read_image(target, f"output of peer {self.model}")
        if pixels.shape != trial.original.shape:
            raise ConfigError(
                f"peer {self.model}: output of {pixels.shape[1]}x{pixels.shape[0]} pixels for "
                f"{trial.original.shape[1]}x{trial.original.shape[0]}"
            )
        return Result(pixels)

    def _run(self, words: list[str]) -> None:
        options: dict[str, Any] = {"capture_output": True, "text": True, "errors": "replace"}
        try:
            done = subprocess.run(words, timeout=self._timeout, check=False, **options)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ConfigError(f"peer {self.model}: {error}") from error
        if done.returncode:
            said = (done.stderr.strip() or done.stdout.strip()).splitlines()
            raise ConfigError(
                f"peer {self.model}: exit status {done.returncode}"
                + (f" ({said[-1][:160]})" if said else "")
            )


def _filled(word: str, places: dict[str, str]) -> str:
    for name, path in places.items():
        word = word.replace(name, path)
    return word
