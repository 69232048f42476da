"""Between resolutions: pixels into channels and back, and nearest upsampling.

All three are single operations in TensorFlow and TFLite, for static and dynamic sizes.
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
    height, width = ops.shape(features)[1:3]
    return ops.image.resize(features, (2 * height, 2 * width), interpolation="nearest")
