"""A random sample of a stream of vectors, of bounded size."""

import json
from collections.abc import Mapping

import numpy as np


class Reservoir:
    """Keeps each vector with the same probability (Vitter 1985, algorithm R).

    Args:
        size: components of a vector.
        capacity: at most so many vectors are kept.
        seed: determines the choice, which otherwise depends only on the order.

    Attributes:
        count: vectors seen so far.
    """

    def __init__(self, size: int, capacity: int, seed: int = 0) -> None:
        self.count = 0
        self._capacity = capacity
        self._kept = np.empty((0, size), np.float32)
        self._rng = np.random.default_rng(seed)

    @property
    def vectors(self) -> np.ndarray:
        """[min(count, capacity), size] float32."""
        return self._kept

    def add(self, vectors: np.ndarray) -> None:
        """Add vectors [N, size]."""
        room = max(0, self._capacity - len(self._kept))
        taken, rest = vectors[:room], vectors[room:]
        self._kept = np.concatenate([self._kept, taken.astype(np.float32)])
        self.count += len(taken)
        for vector in rest:
            self.count += 1
            place = self._rng.integers(self.count)
            if place < self._capacity:
                self._kept[place] = vector

    def state(self) -> dict[str, np.ndarray]:
        """Everything that `from_state` needs."""
        return {
            "count": np.array(self.count),
            "capacity": np.array(self._capacity),
            "kept": self._kept,
            "rng": np.array(json.dumps(self._rng.bit_generator.state)),
        }

    @classmethod
    def from_state(cls, state: Mapping[str, np.ndarray]) -> "Reservoir":
        """The reservoir that `state` came from."""
        reservoir = cls(state["kept"].shape[1], int(state["capacity"]))
        reservoir.count = int(state["count"])
        reservoir._kept = state["kept"]
        reservoir._rng.bit_generator.state = json.loads(str(state["rng"]))
        return reservoir
