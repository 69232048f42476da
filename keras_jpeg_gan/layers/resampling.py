"""Between resolutions: pixels into channels and back, and nearest upsampling.

All three are one or two operations in TensorFlow and TFLite, and take sizes that are unknown
until the graph runs.
"""

from typing import Any

from keras import ops


def pixel_unshuffle(image: Any, factor: int) -> Any:
    """[B, H, W, C] -> [B, H / factor, W / factor, C factor^2]; H and W must divide."""
    return ops.nn.space_to_depth(image, factor)


def pixel_shuffle(features: Any, factor: int) -> Any:
    """[B, H, W, C factor^2] -> [B, H factor, W factor, C], the inverse of `pixel_unshuffle`."""
    return ops.nn.depth_to_space(features, factor)


def upsample_nearest(features: Any) -> Any:
    """[B, H, W, C] -> [B, 2 H, 2 W, C], each value four times."""
    # ops.image.resize checks its sizes in Python, which fails in a graph that does not know them.
    return pixel_shuffle(ops.tile(features, (1, 1, 1, 4)), 2)
