"""The paper's generator: its counts."""

import numpy as np
import pytest

from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.models.generator import Generator
from tests.models import small


def counts(generator: Generator) -> tuple[int, int, int]:
    """Parameters of FiLM, of the noise (rows and scalars), and of all the rest."""
    film = noise = rest = 0
    for weight in generator.weights:
        size = int(np.prod(weight.shape))
        if "embedding" in weight.path or "modulation" in weight.path:
            film += size
        elif weight.path.endswith("noise_scale"):
            noise += size
        elif weight.path.endswith("kernel") and (
            "dense_block" in weight.path or "upsampling" in weight.path
        ):
            row = 9 * weight.shape[-1]
            noise, rest = noise + row, rest + size - row
        else:
            rest += size
    return film, noise, rest


# The paper's counts, without noise, and the noise of one field per dense block.
@pytest.mark.parametrize(
    ("unshuffle", "without_noise", "noise"),
    [(2, 16_666_243, 119_878), (4, 16_723_907, 69 * 1729 + 2 * 577)],
)
def test_the_papers_parameter_counts(unshuffle: int, without_noise: int, noise: int) -> None:
    film, own_noise, rest = counts(small.make("Generator", {"unshuffle": unshuffle}))
    assert rest == without_noise
    assert own_noise == noise
    if unshuffle == 2:
        assert film == 429_312


def test_a_wrong_unshuffle_is_refused() -> None:
    with pytest.raises(ConfigError, match="2 or 4"):
        Generator(unshuffle=3)
