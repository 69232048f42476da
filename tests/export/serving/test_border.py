"""The graph's projection with free samples beyond the image, as the library's."""

import numpy as np
import pytest
import tensorflow as tf

from export.serving import border
from keras_jpeg_gan.jpeg.file import JpegFile
from keras_jpeg_gan.jpeg.projection.floating import MARGIN
from keras_jpeg_gan.jpeg.tensors import consistency
from tests.files import jpeg, with_hidden


@tf.function(autograph=False, reduce_retracing=True)
def project(pixels, levels, tables, sampling, height, width):
    file = consistency.Quantized(levels, tables, sampling)
    return border.project(pixels, file, height, width, MARGIN)


@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, {"subsampling": 0}, {"gray": True}], ids=str)
def test_hidden_samples_do_not_drag_the_edge(options) -> None:
    for data, free in (
        (with_hidden("black", 37, 45, **options), True),
        (jpeg(37, 45, **options), False),
    ):
        file = JpegFile.read(data)
        pixels, quantized = consistency.batch_of_one(file.pixels, file.quantized)
        found, violation = project(
            pixels, quantized.levels, quantized.tables, quantized.sampling,
            tf.constant(37), tf.constant(45),
        )  # fmt: skip
        assert violation <= 0.5
        assert found.shape == pixels.shape
        if free:
            away = np.abs(found.numpy() - pixels.numpy())[0].mean(axis=2)
            for lines in (away.mean(axis=0), away.mean(axis=1)):
                assert lines[-1] < 1.5 * lines[1:-1].max() + 1
        repeated = consistency.project(pixels, quantized, MARGIN).numpy()
        assert np.allclose(found, repeated, atol=1e-3) is not free
