"""An untrained model of a preset with its TFLite model: it costs what a trained one does.

python benchmarks/untrained.py compact build/compact.weights.h5
python -m benchmarks.run --model=build/compact.weights.h5 --section=decode
"""

import argparse
import pathlib
import subprocess
import sys

import keras

from keras_jpeg_gan.models.networks import from_preset
from keras_jpeg_gan.models.presets import PRESETS
from keras_jpeg_gan.models.saving import save_model

_EXPORTER = pathlib.Path(__file__).parents[1] / "export" / "tflite.py"


def main() -> None:
    """Write the model, then have the exporter write NAME.tflite beside it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("preset", choices=sorted(PRESETS))
    parser.add_argument("path", type=pathlib.Path, help="NAME.weights.h5")
    given = parser.parse_args()
    keras.utils.set_random_seed(0)
    generator = from_preset(given.preset)
    given.path.parent.mkdir(parents=True, exist_ok=True)
    save_model(generator, given.path, "sampler", {"steps": 0}, {})
    command = [sys.executable, str(_EXPORTER), f"--model={given.path}", "--light"]
    subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
