"""What is made of one file: samples, their mean and their deviation, in one pass."""

import dataclasses
from collections.abc import Collection, Iterator
from typing import Any

import numpy as np

from keras_jpeg_gan.decoding import writer
from keras_jpeg_gan.decoding.decoder import Decoder, Restored
from keras_jpeg_gan.decoding.noise import SEEDS
from keras_jpeg_gan.jpeg.file import JpegFile
from keras_jpeg_gan.metrics.deviation import Spread, deviation_map

MAP, NUMBERS = "deviation", "deviation16"
FEWEST_FOR_DEVIATION = 16
_UNITS = 256  # of the numbers, to a grey level


@dataclasses.dataclass(frozen=True)
class Products:
    """What is asked for, each under a name of its own: "", or "1", "2" ..., "mean" ...

    Attributes:
        samples: how many samples, the k-th of seed + k.
        mean: of how many samples the mean; 0 for none.
        deviation: the deviation, as a map to look at and as numbers, of all samples that are
            drawn; of `FEWEST_FOR_DEVIATION` where that is one.
    """

    samples: int = 1
    mean: int = 0
    deviation: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Of all products; the one and only sample has none."""
        several = self.samples > 1
        samples = (str(k + 1) for k in range(self.samples)) if several else ("",)
        mean = ("mean",) if self.mean else ()
        return (*samples, *mean, *((MAP, NUMBERS) if self.deviation else ()))

    @property
    def drawn_for_deviation(self) -> int:
        """How many samples the deviation is of."""
        drawn = max(self.samples, self.mean)
        return drawn if drawn > 1 else FEWEST_FOR_DEVIATION

    def drawn(self, names: Collection[str]) -> int:
        """How many samples are drawn to make the products of these names."""
        own = [name in names for name in self.names[: self.samples]]
        maps = any(name in names for name in (MAP, NUMBERS))
        whole = max(self.mean * ("mean" in names), self.drawn_for_deviation * maps)
        return whole + sum(own[whole:])

    def make(
        self,
        decoder: Decoder,
        file: JpegFile,
        names: Collection[str],
        seed: int,
        **options: Any,
    ) -> "Iterator[tuple[str, Restored | DeviationMap]]":
        """The products of these names as they become ready; no sample is drawn in vain or twice.

        Args:
            decoder: of a sampler, unless one sample is all that is asked for.
            file: what to restore.
            names: of `names`.
            seed: of the first sample.
            options: as `Decoder.restore`.
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
            sample = decoder.restore(file, (seed + k) % SEEDS, **options)
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
    """The deviation of samples of one file as a gray image, PNG whatever the samples are.

    Args:
        name: `MAP`, to look at: 8 bits, white where they agree, black from 64 grey levels on,
            the fourth root between (as the paper's figure 9); or `NUMBERS`: 16 bits, 1/256 grey
            level a unit.
        spread: of two samples or more.
        first: of these.

    Attributes:
        pixels: [H, W] uint8 or uint16.
        model, seed, count: what drew the samples, the first one's seed, and how many there were.
        mean: their deviation in grey levels, on average.
    """

    def __init__(self, name: str, spread: Spread, first: Restored) -> None:
        deviation = spread.deviation
        self.count, self.mean = spread.count, float(deviation.mean())
        self.summary = f"{self.mean:.2f} grey levels on average"
        self.model, self.seed = first.model, first.seed
        self._metadata = first.file.metadata
        if name == MAP:
            self.pixels = deviation_map(deviation)
        else:
            self.pixels = np.minimum(np.rint(_UNITS * deviation), 65535).astype(np.uint16)

    def encoded(self, keep_metadata: bool = True) -> bytes:
        """The PNG; it is turned as the file is, but has no colours that a profile could tell of."""
        metadata = None
        if keep_metadata:
            metadata = dataclasses.replace(self._metadata, icc_profile=b"")
        said = f"deviation of {self.count} samples of model {self.model.name}: {self.summary}"
        return writer.encode(self.pixels, "png", metadata, said)
