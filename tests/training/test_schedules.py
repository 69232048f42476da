"""Schedules: known values."""

import pathlib

import pytest

from keras_jpeg_gan.training.schedules import cosine, scheduled, warm_up
from tests.training.tiny import sampler_config


def test_cosine_goes_from_first_to_last_through_the_middle() -> None:
    assert cosine(1.0, 3.0, 0, 10) == 1.0
    assert cosine(1.0, 3.0, 5, 10) == pytest.approx(2.0)
    assert cosine(1.0, 3.0, 10, 10) == 3.0
    assert cosine(1.0, 3.0, 99, 10) == 3.0


def test_a_warm_up_is_linear_and_then_over() -> None:
    assert [warm_up(step, 4) for step in range(6)] == [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]
    assert warm_up(0, 0) == 1.0


def test_both_networks_rates_warm_up_and_weights_do_not() -> None:
    plain = sampler_config(pathlib.Path("images"), steps=100)
    warm = sampler_config(pathlib.Path("images"), steps=100, warm_up_steps=20)
    for step, share in ((0, 0.05), (9, 0.5), (19, 1.0), (60, 1.0)):
        for name in ("learning_rate", "critic_learning_rate"):
            expected = share * scheduled(plain, name, step)
            assert scheduled(warm, name, step) == pytest.approx(expected)
        name = "consistency_weight"
        assert scheduled(warm, name, step) == scheduled(plain, name, step)
