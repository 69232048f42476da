"""How far a set of images is from a reference set, by the features of a network."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from keras_jpeg_gan import metrics
from keras_jpeg_gan.metrics.extractors import FeatureExtractor

DISTANCE, KID, PRECISION_RECALL = "distance", "kid", "precision_recall"
SET_METRICS = (DISTANCE, KID, PRECISION_RECALL)


@dataclasses.dataclass(frozen=True)
class Score:
    """How far the images of one contender and seed are, as a set, from a reference set.

    Attributes:
        sampling ... seed: which images, as in `Row`.
        network: whose features are compared; distance_name: what their distance is called.
        images: in the set; vectors: of their features.
        distance: Fréchet; kid, kid_error: mean and standard error over subsets.
        precision, recall: shares of features within reach of the other set's. None for a
            measure that was not asked for, or that precomputed statistics do not allow.
    """

    sampling: str
    quality: int
    first_quality: int
    shift: str
    model: str
    method: str
    seed: int
    network: str
    distance_name: str
    images: int
    vectors: int
    distance: float | None = None
    kid: float | None = None
    kid_error: float | None = None
    precision: float | None = None
    recall: float | None = None


@dataclasses.dataclass(frozen=True)
class Reference:
    """What sets are compared with.

    Attributes:
        gaussian: the moments of the features.
        vectors: [N, size] some of the features, or None where only moments are known.
    """

    gaussian: metrics.Gaussian
    vectors: np.ndarray | None = None


class SetStatistics:
    """Statistics of the features of a stream of images, in memory that does not grow with it.

    Images wait until they fill one of the network's batches.

    Args:
        extractor: the network.

    Attributes:
        images: how many so far.
    """

    CAPACITY = 5000  # vectors kept for KID, precision and recall
    FEWEST = 5  # vectors that make a set

    def __init__(self, extractor: FeatureExtractor) -> None:
        self._extractor = extractor
        self.images = 0
        self._moments = metrics.Moments(extractor.size)
        self._some = metrics.Reservoir(extractor.size, self.CAPACITY, seed=0)
        self._waiting: list[np.ndarray] = []

    def add(self, pixels: np.ndarray) -> None:
        """Add an image [H, W, 3]."""
        self._waiting += list(self._extractor.prepare(pixels))
        self.images += 1
        batch = self._extractor.batch
        while len(self._waiting) >= batch:
            self._extract(self._waiting[:batch])
            del self._waiting[:batch]

    def _extract(self, inputs: Sequence[np.ndarray]) -> None:
        vectors = self._extractor.features(np.stack(inputs))
        self._moments.add(vectors)
        self._some.add(vectors)

    def flush(self) -> None:
        """Extract the features of what is waiting."""
        if self._waiting:
            self._extract(self._waiting)
            self._waiting = []

    @property
    def vectors(self) -> int:
        """How many feature vectors the images have."""
        return self._moments.count + len(self._waiting)

    def reference(self) -> Reference:
        """These statistics as what others are compared with.

        Raises:
            ConfigError: there are fewer than two feature vectors.
        """
        self.flush()
        return Reference(self._moments.gaussian(), self._some.vectors)

    def scores(self, reference: Reference, wanted: Sequence[str]) -> dict[str, Any]:
        """The fields of `Score` from `network` on.

        Args:
            reference: the set to compare with.
            wanted: some of `SET_METRICS`.

        Raises:
            ConfigError: there are too few features, or the reference's are of another size.
        """
        self.flush()
        found: dict[str, Any] = {
            "network": self._extractor.name,
            "distance_name": self._extractor.distance_name,
            "images": self.images,
            "vectors": self.vectors,
        }
        if DISTANCE in wanted:
            ours = self._moments.gaussian()
            found["distance"] = metrics.frechet_distance(ours, reference.gaussian)
        if reference.vectors is None:
            return found
        pair = reference.vectors, self._some.vectors
        if KID in wanted:
            found["kid"], found["kid_error"] = metrics.kid(*pair)
        if PRECISION_RECALL in wanted:
            found["precision"], found["recall"] = metrics.precision_recall(*pair)
        return found

    def state(self) -> dict[str, np.ndarray]:
        """Everything that `from_state` needs; what is waiting is extracted first."""
        self.flush()
        parts = {"moments": self._moments.state(), "some": self._some.state()}
        flat = {f"{part}.{name}": v for part, s in parts.items() for name, v in s.items()}
        return {"images": np.array(self.images), **flat}

    @classmethod
    def from_state(
        cls, extractor: FeatureExtractor, state: Mapping[str, np.ndarray]
    ) -> "SetStatistics":
        """The statistics that `state` came from."""
        statistics = cls(extractor)
        statistics.images = int(state["images"])

        def part(name: str) -> dict[str, np.ndarray]:
            return {k.removeprefix(f"{name}."): v for k, v in state.items() if k.startswith(name)}

        statistics._moments = metrics.Moments.from_state(part("moments"))
        statistics._some = metrics.Reservoir.from_state(part("some"))
        return statistics
