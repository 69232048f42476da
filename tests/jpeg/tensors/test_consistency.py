"""The operator D, the penalty and the float projection."""

import functools

import numpy as np
import pytest
import tensorflow as tf

from keras_jpeg_gan.jpeg.levels import Quantized
from keras_jpeg_gan.jpeg.sampling import Sampling
from keras_jpeg_gan.jpeg.tables import quality_tables
from keras_jpeg_gan.jpeg.tensors import codec, consistency
from tests.programs import with_jax, with_tensorflow

SAMPLINGS = ["gray", "4:4:4", "4:2:2", "4:4:0", "4:2:0", "4:1:1", "1x4,1x2,1x1"]
CHANGE = 1e-3  # steps: float32, and the alternating projection of cut units


def tables_of(quality: int, sampling: str) -> list[np.ndarray]:
    luma, chroma = (table.astype(np.float32) for table in quality_tables(quality))
    return [luma] if sampling == "gray" else [luma, chroma, chroma]


def picture(height: int, width: int, sampling: str, batch: int = 1) -> np.ndarray:
    """Smooth waves and noise, [B, H, W, C] float32 integers within 0..255."""
    rng = np.random.default_rng(height * width)
    y, x = np.mgrid[:height, :width][..., None]
    channels = np.arange(1 if sampling == "gray" else 3)
    waves = np.sin(y / 9 + channels) + np.cos(x / (5 + channels)) + (x > 2 * y)
    noise = rng.normal(0, 12, (batch, height, width, len(channels)))
    return np.clip(np.round(128 + 30 * waves + noise), 0, 255).astype(np.float32)


def quantize(pixels: np.ndarray, tables: list[np.ndarray], sampling: str) -> Quantized:
    """The levels in real arithmetic, so that the pixels are consistent with them."""
    known = Sampling.parse(sampling)
    levels = codec.compress(pixels, tables, known, rounded=False)
    return Quantized([np.array(level) for level in levels], tables, known)


def case(
    size: tuple[int, int], sampling: str, quality: int, batch: int = 1
) -> tuple[np.ndarray, Quantized]:
    """An original, and its levels and tables."""
    original = picture(*size, sampling, batch)
    return original, quantize(original, tables_of(quality, sampling), sampling)


def largest_violation(pixels, quantized: Quantized) -> float:
    found = consistency.violation(pixels, quantized)
    return max(float(np.array(component).max()) for component in found)


def test_violation_of_the_original_is_at_most_a_half():
    original, quantized = case((21, 35), "4:2:0", 80)
    assert 0.4 < largest_violation(original, quantized) <= 0.5001


def test_violation_is_the_distance_in_steps():
    pixels = np.full((1, 8, 8, 1), 128, np.float32)
    levels = [np.zeros((1, 1, 1, 8, 8), np.float32)]
    levels[0][0, 0, 0, 0, 0], levels[0][0, 0, 0, 2, 5] = 3, -1
    quantized = Quantized(levels, [np.full((8, 8), 16, np.float32)], Sampling.parse("gray"))
    expected = np.abs(levels[0]).copy()
    expected[0, 0, 0, 0, 0] = 3 - 8 * 10 / 16  # ten grey levels are a DC of eighty
    found = consistency.violation(pixels + 10, quantized)[0]
    np.testing.assert_allclose(found, np.abs(expected), atol=1e-5)


def test_phi_has_its_closed_form():
    errors = np.array([0, 0.39, 0.4, 0.5, 0.6, 1, 7.25])
    expected = np.array([0, 0, 0, 0.025, 0.1, 0.5, 6.75])
    for sign in (1, -1):
        np.testing.assert_allclose(consistency.phi(sign * errors), expected, atol=1e-6)
    with tf.GradientTape() as tape:
        at = tf.constant([-2, -0.6001, -0.5, 0, 0.3, 0.5, 0.5999, 3], tf.float32)
        tape.watch(at)
        total = tf.reduce_sum(consistency.phi(at))
    slopes = [-1, -1, -0.5, 0, 0, 0.5, 1, 1]
    np.testing.assert_allclose(tape.gradient(total, at), slopes, atol=1e-3)


def test_penalty_is_each_images_mean_over_all_coefficients():
    original, quantized = case((24, 40), "4:2:0", 60, batch=2)
    noisy = original + np.random.default_rng(0).normal(0, 9, original.shape).astype(np.float32)
    noisy = np.clip(noisy, 20, 230)
    errors = consistency.violation(noisy, quantized)
    costs = [np.array(consistency.phi(error)).reshape(2, -1) for error in errors]
    found = np.array(consistency.penalty(noisy, quantized))
    assert found.min() > 0.01
    np.testing.assert_allclose(found, np.concatenate(costs, axis=1).mean(axis=1), rtol=1e-4)


def test_penalty_clips_the_colours():
    white = np.full((1, 16, 16, 3), 255, np.float32)
    quantized = quantize(white, tables_of(90, "4:4:4"), "4:4:4")
    assert consistency.penalty(white, quantized)[0] == 0
    assert consistency.penalty(white + 100, quantized)[0] == 0
    assert largest_violation(white + 100, quantized) > 100


@pytest.mark.parametrize("level", [0.0, 255.0, 300.0, -40.0, 77.3])
@pytest.mark.parametrize("sampling", ["gray", "4:2:0"])
def test_gradients_are_finite_on_flat_and_clipped_images(level, sampling):
    _, quantized = case((16, 32), sampling, 60)
    pixels = tf.fill((1, 16, 32, 1 if sampling == "gray" else 3), level)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(pixels)
        penalty = consistency.penalty(pixels, quantized)
        projected = tf.reduce_sum(consistency.project(pixels, quantized) ** 2)
    for loss in (penalty, projected):
        assert np.isfinite(tape.gradient(loss, pixels)).all()


def test_the_penaltys_gradient_is_its_slope():
    original, quantized = case((16, 24), "4:2:0", 60)
    pixels = tf.constant(np.clip(original + 15 * np.sin(original), 20, 230))
    with tf.GradientTape() as tape:
        tape.watch(pixels)
        loss = consistency.penalty(pixels, quantized)[0]
    direction = tape.gradient(loss, pixels)
    slope = float(tf.norm(direction))
    step = 0.5 * direction / slope
    ahead = consistency.penalty(pixels + step, quantized)[0]
    behind = consistency.penalty(pixels - step, quantized)[0]
    np.testing.assert_allclose(float(ahead - behind), slope, rtol=0.05)


@functools.cache
def compiled_projection(sampling: str):
    """`project` as a graph for any size; tables with a batch axis."""
    channels = 1 if sampling == "gray" else 3
    signature = [
        tf.TensorSpec([None, None, None, channels]),
        [tf.TensorSpec([None, None, None, 8, 8])] * channels,
        [tf.TensorSpec([None, 8, 8])] * channels,
    ]
    project = tf.function(
        lambda pixels, levels, tables: consistency.project(
            pixels, Quantized(levels, tables, Sampling.parse(sampling))
        ),
        input_signature=signature,
    )
    return lambda pixels, quantized: project(pixels, quantized.levels, quantized.tables)


def mixed_case(size: tuple[int, int], sampling: str) -> tuple[np.ndarray, np.ndarray, Quantized]:
    """Two noisy images, the originals, and their levels and tables (quality 10 and 85)."""
    original = picture(*size, sampling, batch=2)
    pairs = zip(tables_of(10, sampling), tables_of(85, sampling), strict=True)
    tables = [np.stack(pair) for pair in pairs]
    noise = np.random.default_rng(1).normal(0, 20, original.shape).astype(np.float32)
    return original + noise, original, quantize(original, tables, sampling)


@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_projection_is_consistent_and_idempotent(sampling):
    noisy, original, quantized = mixed_case((32, 64), sampling)
    assert largest_violation(noisy, quantized) > 0.5
    once = np.array(consistency.project(noisy, quantized))
    assert largest_violation(once, quantized) <= 0.5001
    twice = np.array(consistency.project(once, quantized))
    np.testing.assert_allclose(twice, once, atol=2e-3)
    # Projecting onto a convex set that contains the original can only come nearer, in Y, Cb, Cr.
    before, after = (
        np.linalg.norm(codec.to_ycbcr(image) - codec.to_ycbcr(original)) for image in (noisy, once)
    )
    assert after < before


@pytest.mark.parametrize("sampling", ["gray", "4:2:0", "4:1:1", "1x4,1x2,1x1"])
def test_projection_where_the_border_cuts_units_and_sizes_are_unknown(sampling):
    project = compiled_projection(sampling)
    for size in ((21, 43), (1, 1), (16, 32)):
        noisy, _, quantized = mixed_case(size, sampling)
        projected = project(noisy, quantized)
        assert largest_violation(projected, quantized) <= 0.5 + CHANGE
    np.testing.assert_allclose(project(projected, quantized), projected, atol=2e-3)


def test_projection_is_the_nearest_point():
    # The change is orthogonal to nothing but the cells' faces: for every consistent image c,
    # <x - P x, c - P x> <= 0, in Y, Cb, Cr.
    original, quantized = case((32, 48), "4:2:0", 60)
    rng = np.random.default_rng(2)
    image = original + rng.normal(0, 20, original.shape).astype(np.float32)
    nearest = codec.to_ycbcr(consistency.project(image, quantized))
    away = codec.to_ycbcr(image) - nearest
    for _ in range(5):
        other = original + rng.normal(0, 30, original.shape).astype(np.float32)
        other = codec.to_ycbcr(consistency.project(other, quantized))
        assert np.sum(away * (other - nearest)) <= 1e-3 * np.sum(away**2)


@pytest.mark.parametrize("sampling", ["gray", "4:2:0"])
def test_consistent_images_stay_bit_for_bit(sampling):
    original, quantized = case((21, 43), sampling, 60)
    # The levels are the coefficients themselves, so that rounding plays no part.
    exact = consistency.coefficients(original, quantized.tables, quantized.sampling)
    whole = Quantized(exact, [table[None] for table in quantized.tables], quantized.sampling)
    projected = compiled_projection(sampling)(original, whole)
    np.testing.assert_array_equal(projected, original)


def test_projection_keeps_the_margin():
    original, quantized = case((32, 64), "4:2:0", 60)
    projected = consistency.project(original, quantized, margin=0.1)
    assert largest_violation(projected, quantized) <= 0.4 + CHANGE


def test_projection_keeps_chroma_detail():
    # The detail of the original's chroma that 4:2:0 drops is neither lost nor changed.
    original, quantized = case((32, 64), "4:2:0", 60)
    noisy = original + np.random.default_rng(3).normal(0, 20, original.shape).astype(np.float32)
    change = codec.to_ycbcr(consistency.project(noisy, quantized)) - codec.to_ycbcr(noisy)
    quads = np.array(change)[0, ..., 1:].reshape(16, 2, 32, 2, 2)
    assert np.abs(quads).max() > 1
    np.testing.assert_allclose(quads, np.broadcast_to(quads[:, :1, :, :1], quads.shape), atol=2e-3)


@pytest.mark.parametrize("size", [(16, 32), (21, 43)])
def test_the_mean_of_consistent_images_is_consistent(size):
    original, quantized = case(size, "4:2:0", 60)
    rng = np.random.default_rng(4)
    samples = original + rng.normal(0, 20, (16, *original.shape[1:])).astype(np.float32)
    tables = [table[None] for table in quantized.tables]
    whole = Quantized(quantized.levels, tables, quantized.sampling)
    projected = np.array(compiled_projection("4:2:0")(samples, whole))
    mean = projected.mean(axis=0, keepdims=True)
    assert largest_violation(mean, quantized) <= 0.5 + CHANGE


@pytest.mark.parametrize("sampling", ["gray", "4:2:0"])
def test_theorem_1_the_posterior_mean_is_consistent(sampling):
    # A prior of 3^6 images: a picture and each of six patterns with amplitude -1, 0 or 1, with
    # random probabilities. All images with the same levels make up a posterior.
    rng = np.random.default_rng(5)
    base = picture(16, 16, sampling)
    patterns = rng.normal(0, 8, (6, *base.shape[1:]))
    amplitudes = np.stack(np.meshgrid(*6 * [[-1, 0, 1]]), -1).reshape(-1, 6)
    images = (base + np.tensordot(amplitudes, patterns, 1)).astype(np.float32)
    prior = rng.exponential(size=len(images))
    tables = tables_of(5, sampling)
    quantized = quantize(images, tables, sampling)
    levels = np.concatenate([c.reshape(len(images), -1) for c in quantized.levels], axis=1)
    _, which = np.unique(levels, axis=0, return_inverse=True)
    which = which.ravel()
    sizes = np.bincount(which)
    assert (sizes > 4).sum() >= 10
    for group in np.flatnonzero(sizes > 4):
        members = which == group
        mean = np.average(images[members], axis=0, weights=prior[members])[None]
        seen = [c[members][:1] for c in quantized.levels]
        own = Quantized(seen, tables, quantized.sampling)
        assert largest_violation(mean.astype(np.float32), own) <= 0.5001


BOTH_BACKENDS = """
import sys
import keras, numpy as np
from keras_jpeg_gan.jpeg.levels import Quantized
from keras_jpeg_gan.jpeg.sampling import Sampling
from keras_jpeg_gan.jpeg.tensors import codec, consistency

given = np.load(sys.argv[1])
tables, pixels, sampling = list(given["tables"]), given["pixels"], Sampling.parse("4:2:0")
levels = codec.compress(pixels, tables, sampling)
quantized = Quantized(levels, tables, sampling)
results = {f"levels_{i}": levels[i] for i in range(3)}
size = pixels.shape[1:3]
results["decoded"] = codec.decompress(quantized, *size)
results["real"] = codec.decompress(quantized, *size, rounded=False)
noisy = pixels + given["noise"]
if keras.backend.backend() == "jax":
    import jax
    project = jax.jit(lambda x: consistency.project(x, quantized))
else:
    import tensorflow as tf
    project = tf.function(lambda x: consistency.project(x, quantized))
results["projected"] = project(noisy)
results["penalty"] = consistency.penalty(noisy, quantized)
if keras.backend.backend() == "jax":
    loss = lambda x: consistency.penalty(x, quantized).sum()
    results["gradient"] = jax.grad(loss)(noisy)
else:
    with tf.GradientTape() as tape:
        noisy = tf.constant(noisy)
        tape.watch(noisy)
        loss = consistency.penalty(noisy, quantized)
    results["gradient"] = tape.gradient(loss, noisy)
np.savez(sys.argv[2], **{name: np.asarray(value) for name, value in results.items()})
"""


def test_jax_and_tensorflow_agree(tmp_path):
    pixels = picture(37, 45, "4:2:0", batch=2)
    noise = np.random.default_rng(6).normal(0, 10, pixels.shape).astype(np.float32)
    given = tmp_path / "given.npz"
    np.savez(given, pixels=pixels, noise=noise, tables=np.stack(tables_of(60, "4:2:0")))
    results = {}
    for backend, python in (("tensorflow", with_tensorflow()), ("jax", with_jax())):
        output = tmp_path / f"{backend}.npz"
        done = python("-c", BOTH_BACKENDS, given, output)
        assert done.returncode == 0, done.stderr
        results[backend] = np.load(output)
    assert set(results["jax"].files) == set(results["tensorflow"].files)
    for name in results["jax"].files:
        exact = name.startswith(("levels", "decoded"))
        tolerance = 0 if exact else 0.05 if name == "projected" else 2e-3
        np.testing.assert_allclose(
            results["jax"][name], results["tensorflow"][name], atol=tolerance, err_msg=name
        )
