"""What can be made of one file: samples, their mean and their deviation, in one pass."""

import dataclasses
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Protocol

import numpy as np

from keras_jpeg_gan.decoding.decoder import Decoder
from keras_jpeg_gan.decoding.files import writer
from keras_jpeg_gan.decoding.files.provenance import IMAGE, Work
from keras_jpeg_gan.decoding.noise import SEEDS
from keras_jpeg_gan.decoding.options import DEFAULTS, RestoreOptions
from keras_jpeg_gan.decoding.restored import Restored
from keras_jpeg_gan.jpeg.file import JpegFile
from keras_jpeg_gan.metrics.deviation import Spread, deviation_map
from keras_jpeg_gan.models.cards import ModelCard

MAP, NUMBERS = "deviation", "deviation16"
FEWEST_FOR_DEVIATION = 16
_UNITS_PER_GREY_LEVEL = 256  # of the numbers


class Product(Protocol):
    """An image that was made of a file."""

    @property
    def model(self) -> ModelCard:
        """The card of the model that made it."""

    @property
    def seed(self) -> int:
        """The seed of the first sample that went into it."""

    @property
    def count(self) -> int:
        """How many samples went into it."""

    @property
    def work(self) -> Work:
        """What it was made of, and how."""

    @property
    def summary(self) -> str:
        """What there is to say of it, in a line."""

    @property
    def pixels(self) -> np.ndarray:
        """[H, W] or [H, W, 3], uint8 or uint16."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """Warnings of the file and of the restoration, a line each."""

    @property
    def seconds(self) -> Mapping[str, float]:
        """The time that it took, by stage."""

    def encoded(self, image_format: str, keep_metadata: bool = True) -> bytes:
        """The bytes of an image file, in one of `writer.FORMATS`."""

    def details(self, seconds: Mapping[str, float]) -> dict[str, Any]:
        """The fields of a report's record that this kind of image has, ready for JSON.

        Args:
            seconds: by stage, all that the image took.
        """


@dataclasses.dataclass(frozen=True)
class Products:
    """Which images to make of a file. Each has a name: "" or "1", "2" ..., "mean" ...

    Attributes:
        samples: how many samples; the k-th has seed + k.
        mean: how many samples to average; 0 for no mean.
        deviation: whether to make the deviation, as a map to look at and as numbers. It is taken
            over all samples that are drawn, or over `FEWEST_FOR_DEVIATION` if only one is.
    """

    samples: int = 1
    mean: int = 0
    deviation: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all products; a single sample is called ""."""
        several = self.samples > 1
        samples = (str(k + 1) for k in range(self.samples)) if several else ("",)
        mean = ("mean",) if self.mean else ()
        return (*samples, *mean, *((MAP, NUMBERS) if self.deviation else ()))

    @property
    def drawn_for_deviation(self) -> int:
        """How many samples the deviation is taken over."""
        drawn = max(self.samples, self.mean)
        return drawn if drawn > 1 else FEWEST_FOR_DEVIATION

    def drawn(self, names: Collection[str]) -> int:
        """How many samples must be drawn to make the products of these names."""
        own = [name in names for name in self.names[: self.samples]]
        maps = any(name in names for name in (MAP, NUMBERS))
        whole = max(self.mean * ("mean" in names), self.drawn_for_deviation * maps)
        return whole + sum(own[whole:])

    def image_format(self, name: str) -> str | None:
        """The only format that a product is written in, or None if any will do."""
        return "png" if name in (MAP, NUMBERS) else None

    def work(
        self,
        name: str,
        input_sha256: str,
        card: ModelCard,
        seed: int,
        options: RestoreOptions = DEFAULTS,
    ) -> Work:
        """What the product of this name will be made of, and how.

        Args:
            input_sha256: of the file.
            card: of the decoder's model.
            name, seed, options: as for `make`.
        """
        if name in (MAP, NUMBERS):
            product, samples = name, self.drawn_for_deviation
        else:
            product, samples = IMAGE, self.mean if name == "mean" else 1
        if name.isdigit():
            seed = (seed + int(name) - 1) % SEEDS
        return Work.of(input_sha256, card, seed, options, product, samples)

    def make(
        self,
        decoder: Decoder,
        file: JpegFile,
        names: Collection[str],
        seed: int,
        options: RestoreOptions = DEFAULTS,
        progress: Callable[[int], None] | None = None,
    ) -> Iterator[tuple[str, Product]]:
        """Yield the products of these names, with their names, as they become ready.

        No sample is drawn needlessly or twice.

        Args:
            decoder: must have a sampler, unless one sample is all that is asked for.
            file: what to restore.
            names: some of `names`.
            seed: of the first sample.
            options, progress: as for `Decoder.restore`.
        """
        own = dict(enumerate(self.names[: self.samples]))
        maps = [name for name in (MAP, NUMBERS) if name in names]
        for_mean = self.mean if "mean" in names else 0
        for_deviation = self.drawn_for_deviation if maps else 0
        first = None
        means, deviations = Spread(), Spread()
        for k in range(max(self.samples, for_mean, for_deviation)):
            if own.get(k) not in names and k >= max(for_mean, for_deviation):
                continue
            sample = decoder.restore(file, (seed + k) % SEEDS, options, progress)
            first = first or sample
            if own.get(k) in names:
                yield own[k], sample
            if k < for_mean:
                means.add(sample.pixels)
            if k < for_deviation:
                deviations.add(sample.pixels)
            if k + 1 == for_mean:
                yield "mean", decoder.mean_of(means, first)
        for name in maps:
            assert first is not None
            yield name, DeviationMap(name, deviations, first)


class DeviationMap:
    """The deviation of samples of one file, as a gray image: a `Product`.

    Args:
        name: `MAP`, to look at, in 8 bits: white where the samples agree, black from 64 grey
            levels on, following the fourth root in between (as in the paper's figure 9); or
            `NUMBERS`, in 16 bits and units of 1/256 grey level.
        spread: of two samples or more.
        first: the first of these samples.

    Attributes:
        pixels: [H, W] uint8 or uint16.
        model, seed, count: what drew the samples, the seed of the first, and their number.
        work: what it was made of, and how.
        mean: the average of the deviation over the image, in grey levels.
    """

    def __init__(self, name: str, spread: Spread, first: Restored) -> None:
        deviation = spread.deviation
        self.count, self.mean = spread.count, float(deviation.mean())
        self.summary = f"{self.mean:.2f} grey levels on average"
        self.model, self.seed = first.model, first.seed
        self.work = dataclasses.replace(first.work, product=name, samples=self.count)
        self.warnings: tuple[str, ...] = ()  # the samples have them, and the seconds
        self.seconds: dict[str, float] = {}
        self._metadata = first.file.metadata
        if name == MAP:
            self.pixels = deviation_map(deviation)
        else:
            numbers = np.rint(_UNITS_PER_GREY_LEVEL * deviation)
            self.pixels = np.minimum(numbers, 65535).astype(np.uint16)

    def encoded(self, image_format: str, keep_metadata: bool = True) -> bytes:
        """As `Product.encoded`; `NUMBERS` only as PNG.

        The file's metadata go along, for its orientation, but not its colour profile: the map has
        no colours.
        """
        metadata = None
        if keep_metadata:
            metadata = dataclasses.replace(self._metadata, icc_profile=b"")
        return writer.encode(self.pixels, image_format, metadata, self.work.note(self.summary))

    def details(self, seconds: Mapping[str, float]) -> dict[str, Any]:
        """As `Product.details`; the time is the samples'."""
        return {"deviation": round(self.mean, 4)}
