"""How long the exact projection takes, beside libjpeg's compression of the same pixels."""

import pathlib
import time

import numpy as np
from absl import flags

from keras_jpeg_gan import program
from keras_jpeg_gan.data.sources import find_images, read_image
from keras_jpeg_gan.decoding.decoder import DEFAULT_MODEL, Decoder
from keras_jpeg_gan.evaluation.cases import Case
from keras_jpeg_gan.jpeg import encoder
from keras_jpeg_gan.jpeg.file import JpegFile
from keras_jpeg_gan.jpeg.projection import exact
from keras_jpeg_gan.jpeg.sampling import PILLOW_COLOR, Sampling

USAGE = """python benchmarks/projection.py --images=DIR [flags]

Compresses photographs, restores them with a model, and projects the network's output. Prints a
line for each quality and sampling: files exact; processor seconds per megapixel for the projection
alone, mean and maximum; and the mean as a multiple of the time in which libjpeg-turbo compresses
the same pixels a hundred times, measured alongside."""

_IMAGES = flags.DEFINE_string("images", None, "folder of original photographs, lossless")
_MODEL = flags.DEFINE_string("model", DEFAULT_MODEL, "a bundled name or a path")
_QUALITY = flags.DEFINE_list("quality", ["10", "75", "90", "95"], "IJG qualities")
_SAMPLING = flags.DEFINE_list(
    "sampling", ["4:2:0", "4:4:4"], f"of {', '.join(map(str, PILLOW_COLOR))}"
)

_COMPRESSIONS = 20


def main(arguments: list[str]) -> int:
    """Check the flags, and measure."""
    if arguments or not _IMAGES.value:
        raise program.UsageError("give --images=DIR and flags only")
    paths = find_images(_IMAGES.value)
    samplings = map(Sampling.parse, _SAMPLING.value)
    cases = [Case(int(quality), one) for one in samplings for quality in _QUALITY.value]
    decoder = Decoder(_MODEL.value)
    print("| sampling | quality | files exact | s/MP | at most | of 100 compressions |")
    print("| --- | ---: | ---: | ---: | --- | ---: |")
    for case in cases:
        rows = [_measured(path, case, decoder) for path in paths]
        equal, seconds, times = (np.array(part) for part in zip(*rows, strict=True))
        slowest = int(seconds.argmax())
        print(
            f"| {case.sampling} | {case.quality} | {equal.sum()} of {len(rows)} "
            f"| {seconds.mean():.2f} | {seconds[slowest]:.2f} ({paths[slowest].stem}) "
            f"| {times.mean():.2f} |",
            flush=True,
        )
    return program.OK


def _measured(path: pathlib.Path, case: Case, decoder: Decoder) -> tuple[bool, float, float]:
    """Whether it is exact, seconds per megapixel, and the multiple of a hundred compressions."""
    data, original = case.make(read_image(path))
    file = JpegFile.read(data)
    pixels = decoder.estimate(file)
    start = time.process_time()
    found = exact.project(pixels, file.quantized)
    seconds = time.process_time() - start
    start = time.process_time()
    for _ in range(_COMPRESSIONS):
        encoder.encode(found, file.tables, case.sampling)
    hundred = (time.process_time() - start) * 100 / _COMPRESSIONS
    megapixels = original.shape[0] * original.shape[1] / 1e6
    return encoder.certify(found, file.quantized).exact, seconds / megapixels, seconds / hundred


def run() -> None:
    """The program."""
    program.run(main, __name__, USAGE)


if __name__ == "__main__":
    run()
