"""Restores JPEG files inside a tf.data pipeline, for a network that would rather not see blocks.

    pip install ".[train]"
    python examples/tf_data_pipeline.py photographs

The restorer runs as a Python function, with the exact projection, while the network that consumes
the batches is busy with the one before.
"""

import argparse

import tensorflow as tf

import keras_jpeg_gan as jpeg_gan

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("folder")
parser.add_argument("--batch", type=int, default=4)
parser.add_argument("--side", type=int, default=64, help="of the crops, in pixels")
arguments = parser.parse_args()

decoder = jpeg_gan.Decoder()


def restore(index, path):
    """The pixels of one file: [H, W, 3] uint8. Each file has a seed of its own."""
    pixels = decoder.restore(path.decode(), seed=int(index)).pixels
    return pixels if pixels.ndim == 3 else pixels[..., None].repeat(3, axis=2)


def restored_crop(index, path):
    """A crop of the restored file: [side, side, 3] float32 in [0, 1]."""
    pixels = tf.numpy_function(restore, [index, path], tf.uint8, stateful=False)
    pixels.set_shape((None, None, 3))  # a Python function does not tell its shape
    side = arguments.side
    crop = tf.image.stateless_random_crop(pixels, (side, side, 3), seed=(0, index))
    return tf.cast(crop, tf.float32) / 255


files = tf.data.Dataset.list_files(f"{arguments.folder}/*.jpg", shuffle=False)
# One call at a time: the decoder uses all cores by itself. A file that cannot be restored raises
# an error, which ends the pipeline, or is passed over with `ignore_errors`.
crops = files.enumerate().map(restored_crop).ignore_errors(log_warning=True)
batches = crops.batch(arguments.batch).prefetch(1)

for batch in batches:
    print(f"a batch {tuple(batch.shape)}, mean {float(tf.reduce_mean(batch)):.3f}")
