"""What is minimized (keras.ops). Equation numbers are the paper's (arXiv 2211.11827).

Images are [0, 1]; samples of an image come sample by sample: [n, M, H, W, 3] for n samples of
M images.
"""

from collections.abc import Sequence
from typing import Any

from keras import ops

from keras_jpeg_gan.jpeg.levels import Quantized
from keras_jpeg_gan.jpeg.sampling import Sampling
from keras_jpeg_gan.jpeg.tensors import codec, consistency


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


def generator_adversarial(fake_logits: Any) -> Any:
    """softplus(-D(x^)), eq. 10's first term: logits [B, n] -> [B], the mean over n."""
    return ops.mean(ops.softplus(-fake_logits), axis=1)


def critic_adversarial(real_logits: Any, fake_logits: Any) -> tuple[Any, Any]:
    """softplus(-D(x)) and softplus(D(x^)), eq. 9: logits [B, n] -> [B] each."""
    return ops.mean(ops.softplus(-real_logits), axis=1), ops.mean(ops.softplus(fake_logits), axis=1)


def squared_norm(gradients: Sequence[Any]) -> Any:
    """R1's ||dD/dx||^2 of each image, eq. 9: a list of [B, ...] -> [B]."""
    return sum(ops.sum(ops.square(ops.reshape(g, (g.shape[0], -1))), axis=1) for g in gradients)


def consistency_penalty(
    restored: Any, original: Any, tables: Any, sampling: Any, samplings: Sequence[Sampling]
) -> Any:
    """The penalty C of each image against its file's levels.

    Args:
        restored, original: [B, H, W, 3] in [0, 1]; the levels are the original's, rounded as
            libjpeg rounds.
        tables: [B, 2, 8, 8] float32 in steps.
        sampling: [B] int, which of `samplings` each file has.
        samplings: static.

    Returns:
        [B] float32.
    """
    components = [tables[:, 0], tables[:, 1], tables[:, 1]]
    total = 0.0
    for index, one in enumerate(samplings):
        levels = codec.compress(255 * original, components, one)
        file = Quantized([ops.stop_gradient(part) for part in levels], components, one)
        penalty = consistency.penalty(255 * restored, file)
        total = total + ops.where(sampling == index, penalty, 0.0)
    return total


def first_moment(samples: Any, original: Any) -> Any:
    """FM: squared error of the mean of n samples, a Monte Carlo estimate of ||x - E[x^|y]||^2.

    Args:
        samples: [n, M, H, W, 3]; original: [M, H, W, 3].

    Returns:
        [M].
    """
    return mean_squared_error(ops.mean(samples, axis=0), original)


def second_moment(samples: Any, original: Any, estimate: Any) -> Any:
    """SM, eqs. 12-16: the mean absolute difference of two estimates of the pixels' variance.

    (x - X(y))^2, with the MMSE estimate X, against the mean of (x^_i - mean)^2 over n samples.

    Args:
        samples: [n, M, H, W, 3]; original, estimate: [M, H, W, 3].

    Returns:
        [M].
    """
    mean = ops.mean(samples, axis=0)
    drawn = ops.mean(ops.square(samples - mean), axis=0)
    return mean_absolute_error(drawn, ops.square(original - estimate))


def perceptual(restored_taps: Sequence[Any], original_taps: Sequence[Any]) -> Any:
    """P: the weighted mean absolute differences of features before their ReLU, as [B].

    Real-ESRGAN's weights: 0.1 for the first two taps (conv1_2, conv2_2), 1 for deeper ones.
    """
    weights = [0.1, 0.1, 1.0, 1.0, 1.0]
    return sum(
        weight * mean_absolute_error(a, b)
        for weight, a, b in zip(weights, restored_taps, original_taps, strict=False)
    )


def energy_score(first: Any, second: Any, original: Any) -> Any:
    """The energy score at each position of two samples against the original, as [B].

    (|a - x| + |b - x|) / 2 - |a - b| / 2, norms over the channels: strictly proper, so its
    expectation is least where samples and original have one distribution at each position
    (Gneiting and Raftery, "Strictly Proper Scoring Rules, Prediction, and Estimation", 2007).

    Args:
        first, second, original: [B, H, W, C]; the samples' noises are independent.
    """

    def distance(a: Any, b: Any) -> Any:
        # Not differentiable where a = b: the small constant keeps the gradient finite.
        return ops.mean(ops.sqrt(ops.sum(ops.square(a - b), axis=-1) + 1e-6), axis=(1, 2))

    to_original = distance(first, original) + distance(second, original)
    return (to_original - distance(first, second)) / 2
