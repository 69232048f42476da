"""Draws samples of one photograph and shows where they differ.

    python examples/draw_samples.py examples/wood.jpg samples --count=8

Every sample is a photograph that the file can have come from: compressed again, each gives the
file's own levels. What they agree on, the file determines; what they differ in is invented.
"""

import argparse
import pathlib

import numpy as np
from PIL import Image

import keras_jpeg_gan as jpeg_gan
from keras_jpeg_gan.evaluation.plots import crop, most_uncertain
from keras_jpeg_gan.metrics.deviation import Spread, deviation_map

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("input", type=pathlib.Path)
parser.add_argument("folder", type=pathlib.Path, help="where the pictures go")
parser.add_argument("--count", type=int, default=8, help="how many samples, 2 or more")
arguments = parser.parse_args()
arguments.folder.mkdir(parents=True, exist_ok=True)

decoder = jpeg_gan.Decoder()
samples = list(decoder.samples(arguments.input, arguments.count))  # seeds 0, 1, ...
for sample in samples:
    sample.save(arguments.folder / f"sample_{sample.seed}.png")
    print(f"seed {sample.seed}: {sample.summary}")

# The mean approaches the best estimate of each pixel: sharp where the samples agree, and blurred
# where they do not. It is projected, too.
mean = decoder.mean(samples)
mean.save(arguments.folder / "mean.png")
print(f"mean: {mean.summary}")

# The standard deviation over the samples, in grey levels; in the map, white is none.
deviation = Spread(sample.pixels for sample in samples).deviation
shown = deviation_map(deviation)
Image.fromarray(shown).save(arguments.folder / "deviation.png")
left, top, side = box = most_uncertain(deviation, 96)
print(f"deviation: {deviation.mean():.1f} grey levels on average")
print(f"most between ({left}, {top}) and ({left + side}, {top + side}): differences.png")

# That square, enlarged: the JPEG, three samples, the mean, the deviation.
pictures = [samples[0].file.pixels, *(sample.pixels for sample in samples[:3]), mean.pixels, shown]
row = [np.asarray(Image.fromarray(crop(pixels, box)).convert("RGB")) for pixels in pictures]
strip = Image.fromarray(np.hstack(row))
strip.resize((3 * strip.width, 3 * strip.height), Image.Resampling.NEAREST).save(
    arguments.folder / "differences.png"
)
