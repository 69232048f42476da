"""The graph keeps and takes out the colour that the library does."""

import numpy as np
import tensorflow as tf

from export.serving.colour import damped, kept_colour
from keras_jpeg_gan.decoding import colour


def test_the_graph_keeps_colour_where_the_library_keeps_it() -> None:
    generator = np.random.default_rng(0)
    for height, width in ((100, 141), (16, 16), (1, 70)):
        picture = np.full((height, width, 3), 7, np.uint8)
        for y, x in generator.integers(0, (height, width), (2, 2)):
            picture[y, x] = 9, 7, 7
        kept = kept_colour(tf.constant(picture)).numpy()
        expected = colour.weights(picture)
        np.testing.assert_array_equal(kept, 1 if expected is None else expected)
        pixels = generator.normal(100, 30, picture.shape).astype(np.float32)
        found = damped(tf.constant(pixels), kept, 0, 0)
        colour.damp(pixels, kept)
        np.testing.assert_allclose(found, pixels, rtol=1e-5)


def test_a_piece_has_the_weights_of_its_place() -> None:
    kept = np.array([[0, 1], [0.5, 0]], np.float32)
    pixels = np.tile(np.array([0, 3, 6], np.float32), (16, 16, 1))
    found = damped(tf.constant(pixels), kept, 16, 0).numpy()
    np.testing.assert_allclose(found[3, 5], [1.5, 3, 4.5])
