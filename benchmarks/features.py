"""How long the statistics of deep features take, beside the network that gives the features."""

import time

import numpy as np
from absl import flags

from keras_jpeg_gan import metrics, program
from keras_jpeg_gan.evaluation.sets import SetStatistics

USAGE = """python -m benchmarks.features [flags]

Feeds feature vectors of Inception's width from a network that costs nothing into the statistics
of an evaluation, and prints processor seconds: for all vectors, for the reference's square root,
which is computed once, and for each distance after that."""

_IMAGES = flags.DEFINE_integer("images", 64_000, "vectors of the set: 32 realizations of 2,000", 10)
_SIZE = flags.DEFINE_integer("size", 2048, "components of a vector", 2)


class Stub:
    """A network of Inception's width whose features are its inputs."""

    name, batch, distance_name, network, sha256 = "stub", 32, "FD stub", None, ""

    def __init__(self, size: int) -> None:
        self.size = size

    def prepare(self, pixels: np.ndarray) -> np.ndarray:
        """As `FeatureExtractor`."""
        return pixels

    def features(self, inputs: np.ndarray) -> np.ndarray:
        """As `FeatureExtractor`."""
        return inputs.reshape(len(inputs), -1).astype(np.float64)


def main(arguments: list[str]) -> int:
    """Check what was given, and measure."""
    if arguments:
        raise program.UsageError(f"unexpected {arguments[0]!r}")
    images, size = _IMAGES.value, _SIZE.value
    rng = np.random.default_rng(0)
    # Spectra that fall off as those of real features do.
    scale = np.exp(-np.linspace(0, 6, size)).astype(np.float32)
    inputs = rng.standard_normal((4096, 1, 1, 1, size), np.float32) * scale
    statistics = SetStatistics(Stub(size))
    start = time.process_time()
    for index in range(images):
        statistics.add(inputs[index % len(inputs)])
    statistics.flush()
    adding = time.process_time() - start
    other = metrics.Moments(size)
    other.add(inputs.reshape(len(inputs), size) * 1.1)
    reference = other.gaussian()
    start = time.process_time()
    _ = reference.root
    root = time.process_time() - start
    ours = statistics.reference().gaussian
    start = time.process_time()
    metrics.frechet_distance(ours, reference)
    distance = time.process_time() - start
    print(f"| {images:,} vectors of {size:,} | processor seconds |\n| --- | ---: |")
    print(f"| added to the statistics | {adding:.1f} ({1e3 * adding / images:.2f} ms each) |")
    print(f"| the reference's square root, once | {root:.1f} |")
    print(f"| each distance | {distance:.1f} |")
    return program.OK


if __name__ == "__main__":
    program.run(main, __name__, USAGE)
