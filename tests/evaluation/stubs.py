"""Contenders and features that cost nothing."""

import numpy as np

from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.evaluation.contenders import Result, Trial


class Noisy:
    """The decode with one grey level of noise by seed; none with `draws` False."""

    model, method = "noisy", "exact"

    def __init__(self, draws: bool = True, refuse: str = "", stop_after: int = 10**9) -> None:
        self.draws = draws
        self.stop_after = stop_after

    def restore(self, trial: Trial, seed: int) -> Result:
        if not self.stop_after:
            raise KeyboardInterrupt
        self.stop_after -= 1
        noise = np.random.default_rng(seed).integers(-1, 2, trial.file.pixels.shape)
        pixels = np.clip(trial.file.pixels + noise * self.draws, 0, 255).astype(np.uint8)
        return Result(pixels, seconds=0.5)


class Choosy(Noisy):
    """Refuses pictures without much red, where `seed` is what it is."""

    model = "choosy"

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        self.seed = seed

    def restore(self, trial: Trial, seed: int) -> Result:
        if seed == self.seed and trial.original[..., 0].mean() < 100:
            raise ConfigError("not red")
        return super().restore(trial, seed)


class Colours:
    """The mean colours of columns, as features."""

    name, size, batch, network, sha256 = "Colours", 3, 64, None, "abc"
    distance_name = "FD Colours"

    def prepare(self, pixels: np.ndarray) -> np.ndarray:
        return pixels.swapaxes(0, 1)[:, :, None]

    def features(self, inputs: np.ndarray) -> np.ndarray:
        return inputs.astype(np.float64).mean(axis=(1, 2))
