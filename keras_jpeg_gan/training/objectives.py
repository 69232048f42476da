"""What is minimized, image by image (keras.ops)."""

from typing import Any

from keras import ops


def mean_absolute_error(restored: Any, original: Any) -> Any:
    """Mean |x^ - x| of each image: [B, H, W, 3] twice -> [B]."""
    return ops.mean(ops.abs(restored - original), axis=(1, 2, 3))


def mean_squared_error(restored: Any, original: Any) -> Any:
    """Mean (x^ - x)^2 of each image: [B, H, W, 3] twice -> [B]."""
    return ops.mean(ops.square(restored - original), axis=(1, 2, 3))


def root_mean_squared_error(restored: Any, original: Any) -> Any:
    """Root of the mean (x^ - x)^2 of each image: [B, H, W, 3] twice -> [B].

    Within an image its gradient points where the squared error's does; between images an
    easy one counts as much as a hard one, as in the mean of PSNRs.
    """
    return ops.sqrt(mean_squared_error(restored, original) + 1e-8)


REGRESSION = {
    "mae": mean_absolute_error,
    "mse": mean_squared_error,
    "rmse": root_mean_squared_error,
}
