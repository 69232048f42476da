"""One of the workers that TF_CONFIG names, or the only one: trains, and resumes."""

import pathlib
import sys

from keras_jpeg_gan.training import plan
from keras_jpeg_gan.training.tensorflow.run import train
from tests.training import tiny


def main(images: pathlib.Path, workdir: pathlib.Path) -> None:
    tiny.make_small()
    plan.adam = tiny.sgd
    for steps in (1, 2):
        config = tiny.sampler_config(
            images, steps=steps, learning_rate=1e-2, critic_learning_rate=1e-2, log_every=1
        )
        train(config, workdir)


if __name__ == "__main__":
    main(*map(pathlib.Path, sys.argv[1:]))
