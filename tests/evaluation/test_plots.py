"""Figures' parts: maps, crops, and what recompression leaves."""

import numpy as np
import pytest

from keras_jpeg_gan.evaluation import plots
from keras_jpeg_gan.evaluation.cases import compress
from keras_jpeg_gan.evaluation.contenders import Trial
from keras_jpeg_gan.jpeg.sampling import Sampling


def test_where_samples_differ_most() -> None:
    deviation = np.zeros((64, 80))
    deviation[41:50, 19:30] = 1
    left, top, side = plots.most_uncertain(deviation, 16)
    assert (left, top, side) == (16, 40, 16)
    assert plots.most_uncertain(deviation, 500) == (0, 0, 64)


def test_recompression_error_is_zero_for_what_is_exact() -> None:
    pixels = np.random.default_rng(0).integers(60, 200, (32, 32, 3), np.uint8)
    trial = Trial(compress(pixels, 50, Sampling.parse("4:4:4")), pixels)
    file = trial.file.pixels, trial.quantized
    assert not plots.recompression_error(pixels, *file).any()
    assert plots.recompression_error(255 - pixels, *file).mean() > 5


def test_maps_say_what_their_darkness_means() -> None:
    values = np.array([[0.0, 1.0], [16.0, 256.0]])
    figure = plots.maps([("map", values)], 4, "grey levels")
    shown = figure.axes[0].images[0].get_array()
    np.testing.assert_allclose(shown, [[0, 1 / 4], [1 / 2, 1]])
    bar = figure.axes[1]
    for tick, label in zip(bar.get_yticks(), bar.get_yticklabels(), strict=True):
        assert float(label.get_text()) == pytest.approx(256 * tick**4, rel=0.01)
