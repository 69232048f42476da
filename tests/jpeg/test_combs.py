"""The likelihoods of steps, on coefficients whose steps are known."""

import numpy as np
import pytest
import scipy.fft

from keras_jpeg_gan.jpeg import combs


def normal_coefficients(count: int, deviation: float, seed: int = 0) -> np.ndarray:
    """Of no save, with the long tails of photographs'."""
    rng = np.random.default_rng(seed)
    return rng.normal(0, deviation * rng.gamma(1, 1, count)).astype(np.float32)


def test_coefficients_on_every_grid_are_scipys() -> None:
    patches = np.random.default_rng(0).normal(0, 50, (2, 23, 31)).astype(np.float32)
    found = combs.shifted_coefficients(patches)
    assert found.shape == (15, 2, 16, 24)
    for y, x in ((0, 0), (3, 5), (15, 23)):
        expected = scipy.fft.dctn(patches[1, y : y + 8, x : x + 8], norm="ortho")
        np.testing.assert_allclose(
            found[:, 1, y, x], [expected[at] for at in combs.LOWEST], atol=1e-3
        )


def test_repeated_blocks_are_those_that_numpy_finds_unique() -> None:
    rng = np.random.default_rng(0)
    blocks = rng.integers(0, 256, (5, 8, 8))[rng.integers(0, 5, (6, 4))]
    picture = blocks.transpose(0, 2, 1, 3).reshape(48, 32) - 128 + np.zeros((48, 1))
    patch = np.pad(picture, ((0, 7), (0, 7)), mode="wrap").astype(np.float32)[None]
    repeated = combs.repeated(combs.shifted_coefficients(patch))[0]
    for y, x in ((0, 0), (2, 7)):
        on_grid = [
            patch[0, i : i + 8, j : j + 8].tobytes()
            for i in range(y, 48, 8)
            for j in range(x, 32, 8)
        ]
        assert np.count_nonzero(~repeated[y::8, x::8]) == len(set(on_grid))


@pytest.mark.parametrize(("step", "blur"), [(3, 0.4), (7, 0.4), (7, 1.0), (20, 1.0), (61, 4.0)])
def test_the_step_of_a_blurred_comb_is_the_likeliest(step: int, blur: float) -> None:
    levels = np.rint(normal_coefficients(64 * 200, 2.0 * step) / step)
    values = step * levels + np.random.default_rng(1).normal(0, blur, levels.shape)
    grid = np.zeros((1, 8, 8 * 200), np.float32)
    grid[0, 2, 5::8] = values[:200]
    none = np.zeros(grid.shape, bool)
    counts = combs.histograms(grid, none)
    gains = combs.shifted_gains(counts, np.full(64, blur))
    assert gains[8 * 2 + 5].argmax() == step
    assert gains[8 * 2 + 5].max() > 50
    assert np.abs(gains[0]).max() == 0  # zeros say nothing
    assert combs.histograms(grid, ~none).sum() == 0


def test_no_step_is_likely_where_there_is_no_comb() -> None:
    grid = normal_coefficients(8 * 4096, 30).reshape(1, 8, 4096)
    gains = combs.shifted_gains(combs.histograms(grid, np.zeros(grid.shape, bool)), np.ones(64))
    assert gains.max() < 15


def test_the_noise_of_a_save_on_another_grid_is_as_predicted() -> None:
    rng = np.random.default_rng(0)
    table = rng.integers(5, 40, (8, 8)).astype(np.float32)
    errors = rng.uniform(-0.5, 0.5, (30, 30, 8, 8)) * table
    noise = scipy.fft.idctn(errors, axes=(2, 3), norm="ortho").swapaxes(1, 2).reshape(240, 240)
    seen = combs.shifted_coefficients(noise[None, :-1, :-1].astype(np.float32))[:, 0]
    levels = rng.integers(1, 9, (50, 50, 8, 8))
    inputs = table * (levels + rng.uniform(-0.5, 0.5, levels.shape))
    predicted = combs.requantization_noise(inputs, table)
    for y, x in ((0, 0), (4, 4), (3, 6)):
        deviations = seen[:, y::8, x::8].std(axis=(1, 2))
        expected = np.sqrt(2 * deviations**2 + combs.ROUNDING**2)  # twice: busy blocks err more
        np.testing.assert_allclose(predicted[8 * y + x], expected, rtol=0.1)


@pytest.mark.parametrize(("first", "second"), [(10, 4), (7, 5), (31, 2), (50, 11)])
def test_the_step_before_the_last_is_the_likeliest(first: int, second: int) -> None:
    values = normal_coefficients(2000, 1.5 * first)
    rounded = first * np.rint(values / first) + np.random.default_rng(1).normal(0, 0.4, 2000)
    twice = (second * np.rint(rounded / second)).astype(np.float32)
    steps = np.arange(1, 81)
    gains = combs.aligned_gains(twice, second, steps)
    assert gains.argmax() == first
    assert gains.max() > 50
    once = (second * np.rint(values / second)).astype(np.float32)
    assert combs.aligned_gains(once, second, steps).max() < 6
    assert not gains[: second + 1].any()
