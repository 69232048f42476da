"""The objectives against closed forms, NumPy and what theory says of them."""

import numpy as np
import pytest
import tensorflow as tf

from keras_jpeg_gan.data.degradation import degrade
from keras_jpeg_gan.jpeg.sampling import Sampling
from keras_jpeg_gan.jpeg.tensors import consistency
from keras_jpeg_gan.training import objectives

SAMPLINGS = (Sampling.parse("4:2:0"), Sampling.parse("4:4:4"))


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(5)


def test_adversarial_losses_are_softplus_at_known_logits() -> None:
    logits = np.array([[0.0, 0.0], [2.0, -2.0]], np.float32)
    softplus = np.log1p(np.exp(np.array([-2.0, 2.0])))
    expected = [np.log(2), softplus.mean()]
    np.testing.assert_allclose(objectives.generator_adversarial(logits), expected, rtol=1e-6)
    real, fake = objectives.critic_adversarial(logits, logits - 1)
    np.testing.assert_allclose(real, expected, rtol=1e-6)
    np.testing.assert_allclose(fake[0], np.log1p(np.exp(-1)), rtol=1e-6)


def test_r1_of_a_linear_critic_is_its_squared_norm(rng: np.random.Generator) -> None:
    weights = rng.normal(size=(8, 8, 3)).astype(np.float32)
    images = tf.constant(rng.random((4, 8, 8, 3), np.float32))
    with tf.GradientTape() as tape:
        tape.watch(images)
        score = tf.reduce_sum(images * weights)
    found = objectives.squared_norm([tape.gradient(score, images)])
    np.testing.assert_allclose(found, np.full(4, np.sum(weights**2)), rtol=1e-5)


def test_regression_objectives_against_numpy(rng: np.random.Generator) -> None:
    a, b = rng.random((2, 3, 4, 5, 3)).astype(np.float32)
    error = a - b
    expected = {
        "mae": np.abs(error).mean(axis=(1, 2, 3)),
        "mse": (error**2).mean(axis=(1, 2, 3)),
        "rmse": np.sqrt((error**2).mean(axis=(1, 2, 3))),
    }
    assert set(expected) == set(objectives.REGRESSION)
    for name, values in expected.items():
        np.testing.assert_allclose(objectives.REGRESSION[name](a, b), values, rtol=1e-4)


@pytest.mark.parametrize(
    ("steps", "value", "slope"),
    [(0.39, 0, 0), (0.4, 0, 0), (0.5, 0.025, 0.5), (0.6, 0.1, 1), (0.61, 0.11, 1)],
)
def test_penalty_at_known_violations(steps: float, value: float, slope: float) -> None:
    error = tf.constant(steps)
    with tf.GradientTape() as tape:
        tape.watch(error)
        phi = consistency.phi(error)
    assert float(phi) == pytest.approx(value, abs=1e-6)
    assert float(tape.gradient(phi, error)) == pytest.approx(slope, abs=1e-5)


@pytest.mark.parametrize("sampling", SAMPLINGS, ids=str)
def test_the_original_is_consistent_with_its_own_file(
    sampling: Sampling, rng: np.random.Generator
) -> None:
    original = np.kron(rng.integers(60, 190, (8, 8, 3)), np.ones((4, 4, 1))).astype(np.uint8)
    decoded, tables = degrade(original, 20, sampling)
    which = np.array([SAMPLINGS.index(sampling)])
    image = original[None] / np.float32(255)

    def penalty(restored: np.ndarray) -> float:
        found = objectives.consistency_penalty(restored, image, tables[None], which, SAMPLINGS)
        return float(found[0])

    assert penalty(image) < 0.01  # rounding alone may move a coefficient over 0.4
    assert penalty(image + rng.normal(0, 0.3, image.shape).astype(np.float32)) > 0.1
    # The decode has the file's coefficients, but for clipping and chroma's smooth upsampling.
    assert penalty(decoded[None] / np.float32(255)) < 0.01


def test_each_image_is_judged_by_its_own_sampling(rng: np.random.Generator) -> None:
    original = rng.random((2, 16, 16, 3), np.float32)
    restored = rng.random((2, 16, 16, 3), np.float32)
    tables = np.full((2, 2, 8, 8), 20, np.float32)
    both = objectives.consistency_penalty(restored, original, tables, np.array([0, 1]), SAMPLINGS)
    for index, sampling in enumerate(SAMPLINGS):
        one = objectives.consistency_penalty(
            restored[index:][:1], original[index:][:1], tables[:1], np.array([0]), (sampling,)
        )
        assert float(both[index]) == pytest.approx(float(one[0]), rel=1e-5)


def test_first_moment_is_zero_for_the_exact_mean(rng: np.random.Generator) -> None:
    original = rng.random((2, 4, 4, 3), np.float32)
    noise = rng.normal(size=(8, 2, 4, 4, 3)).astype(np.float32)
    samples = original + noise - noise.mean(axis=0)
    np.testing.assert_allclose(objectives.first_moment(samples, original), 0, atol=1e-12)
    shifted = objectives.first_moment(samples + 0.5, original)
    np.testing.assert_allclose(shifted, 0.25, rtol=1e-5)


def test_second_moment_compares_variances_as_numpy_computes_them(
    rng: np.random.Generator,
) -> None:
    samples = rng.random((16, 2, 4, 4, 3), np.float32)
    estimate = rng.random((2, 4, 4, 3), np.float32)
    original = estimate + np.sqrt(samples.var(axis=0))  # the same variance at every pixel
    np.testing.assert_allclose(objectives.second_moment(samples, original, estimate), 0, atol=1e-6)
    expected = np.abs(samples.var(axis=0) - 0.01).mean(axis=(1, 2, 3))
    found = objectives.second_moment(samples, estimate + 0.1, estimate)
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_perceptual_weighs_its_taps(rng: np.random.Generator) -> None:
    taps = [rng.random((2, 4, 4, 5), np.float32) for _ in range(3)]
    moved = [tap + np.float32(shift) for tap, shift in zip(taps, (1, 2, 3), strict=True)]
    found = objectives.perceptual(moved, taps)
    np.testing.assert_allclose(found, 0.1 * 1 + 0.1 * 2 + 1 * 3, rtol=1e-5)


def test_energy_score_is_least_for_the_true_distribution(rng: np.random.Generator) -> None:
    """Strictly proper: of normals around the truth's mean, the truth's own spread wins."""
    size = (1, 300, 300, 2)

    def score(spread: float, shift: float = 0.0) -> float:
        original, a, b = (rng.normal(size=size) for _ in range(3))
        parts = (shift + spread * a, shift + spread * b, original)
        return float(objectives.energy_score(*(part.astype(np.float32) for part in parts))[0])

    best = score(1.0)
    for other in (score(0.0), score(0.5), score(2.0), score(1.0, shift=0.7)):
        assert other > best + 0.01
