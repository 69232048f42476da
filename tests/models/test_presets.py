"""Presets cost what they say."""

import pytest

from keras_jpeg_gan.models import costs
from keras_jpeg_gan.models.networks import NETWORKS, from_preset
from keras_jpeg_gan.models.presets import PRESETS


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_has_the_parameters_and_costs_that_it_states(name: str) -> None:
    preset, generator = PRESETS[name], from_preset(name)
    assert type(generator) is NETWORKS[preset.network]
    assert generator.count_params() == preset.parameters
    assert costs.macs_per_pixel(generator) == preset.macs_per_pixel


@pytest.mark.parametrize(("name", "budget"), [("compact", 250_000), ("mobile", 50_000)])
def test_small_presets_keep_their_budget(name: str, budget: int) -> None:
    assert 0.75 * budget < PRESETS[name].macs_per_pixel <= budget
