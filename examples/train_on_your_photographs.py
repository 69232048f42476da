"""Fine-tunes the bundled regression on your photographs, and restores a JPEG with the result.

    pip install ".[train]"
    python examples/train_on_your_photographs.py photographs runs/mine examples/wood.jpg

The photographs are originals, or JPEG files of high quality: the training compresses them itself,
again and again, and learns to undo that. A few hundred are better than a few. The defaults take
about five minutes on two idle cores; given again with more --steps, the command resumes.
"""

import argparse
import pathlib
import sys

from absl import logging

import keras_jpeg_gan as jpeg_gan
from keras_jpeg_gan.models.cards import find_model
from keras_jpeg_gan.training.tensorflow.run import train

sys.path.append(str(pathlib.Path(__file__).parents[1]))  # where the package `configs` is
from configs import default

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("photographs", type=pathlib.Path, help="a folder, searched recursively")
parser.add_argument("workdir", type=pathlib.Path, help="for checkpoints, weights and metrics")
parser.add_argument("jpeg", type=pathlib.Path, help="what to restore with the result")
parser.add_argument("--steps", type=int, default=1000)
parser.add_argument("--patch", type=int, default=64, help="side of the training patches, in pixels")
arguments = parser.parse_args()

weights, card = find_model("regression")
config = default.get_config()
config.update(
    images=str(arguments.photographs),
    preset=card.preset,
    initial_weights=str(weights),
    patch=arguments.patch,
    validation_size=arguments.patch,
    batch=16,
    steps=arguments.steps,
    loss="rmse",
    learning_rate=2e-4,
    ema=0.99,  # averages the last hundred steps or so
    validation_share=0.2,
    log_every=max(1, arguments.steps // 10),
    validate_every=arguments.steps,
    pictures_every=0,
    tensorboard=False,
)

logging.set_verbosity(logging.INFO)
try:
    train(config, arguments.workdir)
except jpeg_gan.JpegGanError as error:
    sys.exit(f"{arguments.photographs}: {error}")

# The weights have their card beside them, and are a model like the bundled ones.
mine = arguments.workdir / "generator.weights.h5"
restored = jpeg_gan.Decoder(mine).restore(arguments.jpeg)
restored.save(arguments.workdir / f"{arguments.jpeg.stem}.png")
print(f"{arguments.workdir / arguments.jpeg.stem}.png: {restored.summary}")
print(f"without TensorFlow from now on: python export/tflite.py --light --model={mine}")
