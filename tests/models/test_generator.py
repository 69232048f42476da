"""The generator: the paper's counts, its invariants, both backends."""

import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest

from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.models.generator import PRESETS, Generator

SMALL = {"features": 8, "blocks": 2, "growth": 4, "table_width": 16}


def make(**options: object) -> Generator:
    generator = Generator(**{**SMALL, **options})
    generator.build((None, None, None, 3), (None, 2, 8, 8))
    return generator


def inputs(seed: int = 0, size: tuple[int, int] = (16, 24)) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    image = rng.random((2, *size, 3), np.float32)
    return image, rng.uniform(1, 99, (2, 2, 8, 8)).astype(np.float32)


def noise_for(generator: Generator, size: tuple[int, int], seed: int = 1) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [
        rng.standard_normal((2, h, w, 1)).astype(np.float32)
        for h, w in generator.noise_sizes(*size)
    ]


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


# The table of FACTS.md, by its rows: without noise, and the noise of one field a dense block.
@pytest.mark.parametrize(
    ("unshuffle", "without_noise", "noise"),
    [(2, 16_666_243, 119_878), (4, 16_723_907, 69 * 1729 + 2 * 577)],
)
def test_the_papers_parameter_counts(unshuffle: int, without_noise: int, noise: int) -> None:
    generator = Generator(unshuffle=unshuffle)
    generator.build((None, None, None, 3), (None, 2, 8, 8))
    film, own_noise, rest = counts(generator)
    assert rest == without_noise
    assert own_noise == noise
    if unshuffle == 2:
        assert film == 429_312
        assert generator.count_params() == 17_215_433
        assert generator.macs_per_pixel() == 4_250_160


@pytest.mark.parametrize(("preset", "budget"), [("compact", 250_000), ("mobile", 50_000)])
def test_small_presets_keep_their_budget(preset: str, budget: int) -> None:
    macs = Generator.from_preset(preset).macs_per_pixel()
    assert 0.8 * budget < macs <= budget


OPTIONS = [
    {},
    {"unshuffle": 4},
    {"block": "residual", "head": "shuffle", "image_skip": True, "body_skip": False},
    {"block": "residual", "grid_bias": True},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_shapes_noise_and_determinism(options: dict) -> None:
    generator = make(**options)
    image, tables = inputs()
    fields = noise_for(generator, (16, 24))
    plain = np.asarray(generator(image, tables))
    zeros = np.asarray(generator(image, tables, [np.zeros_like(f) for f in fields]))
    one = np.asarray(generator(image, tables, fields))
    two = np.asarray(generator(image, tables, noise_for(generator, (16, 24), seed=2)))
    assert plain.shape == image.shape == generator.compute_output_shape(image.shape, None)
    np.testing.assert_array_equal(plain, np.asarray(generator(image, tables)))
    np.testing.assert_allclose(plain, zeros, atol=1e-6)
    assert np.abs(one - two).max() > 1e-6
    # The noise of one image leaves the other alone.
    others = noise_for(generator, (16, 24), seed=2)
    mixed = [np.stack([a[0], b[1]]) for a, b in zip(fields, others, strict=True)]
    np.testing.assert_allclose(np.asarray(generator(image, tables, mixed))[0], one[0], atol=1e-6)


def test_every_noise_field_matters() -> None:
    generator = make()
    image, tables = inputs()
    fields = noise_for(generator, (16, 24))
    whole = np.asarray(generator(image, tables, fields))
    for i in range(len(fields)):
        changed = [f * 2 if i == j else f for j, f in enumerate(fields)]
        assert np.abs(np.asarray(generator(image, tables, changed)) - whole).max() > 0


def test_tables_modulate_only_after_training() -> None:
    generator = make()
    image, tables = inputs()
    before = np.asarray(generator(image, tables))
    np.testing.assert_array_equal(before, np.asarray(generator(image, tables * 2)))
    for weight in generator.weights:
        if "modulation" in weight.path and weight.path.endswith("kernel"):
            weight.assign(np.full(weight.shape, 0.1, np.float32))
    changed = np.asarray(generator(image, tables * 2)) - np.asarray(generator(image, tables))
    assert np.abs(changed).max() > 1e-4


def test_grid_bias_repeats_every_eight_pixels() -> None:
    generator = make(block="residual", grid_bias=True, blocks=0, head="shuffle", body_skip=False)
    generator.grid_bias.assign(np.random.default_rng(0).random(generator.grid_bias.shape))
    image = np.full((1, 32, 32, 3), 0.5, np.float32)
    inner = np.asarray(generator(image, inputs()[1][:1]))[0, 4:28, 4:28]
    np.testing.assert_allclose(inner[:-8], inner[8:], atol=1e-6)
    assert np.abs(inner[:-4] - inner[4:]).max() > 1e-3


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_config_and_weights_round_trip(options: dict, tmp_path: pathlib.Path) -> None:
    generator = make(**options)
    image, tables = inputs()
    expected = np.asarray(generator(image, tables))
    twin = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(generator))
    assert [w.path.split("/", 1)[1] for w in twin.weights] == [
        w.path.split("/", 1)[1] for w in generator.weights
    ]
    generator.save_weights(tmp_path / "g.weights.h5")
    twin.load_weights(tmp_path / "g.weights.h5")
    np.testing.assert_array_equal(np.asarray(twin(image, tables)), expected)


def test_weight_paths_are_unique_and_stable() -> None:
    paths = [w.path for w in Generator.from_preset("mobile").weights]
    assert len(set(paths)) == len(paths)
    assert "mobile/block_0/conv_0/kernel" in paths
    assert paths == [w.path for w in Generator.from_preset("mobile").weights]


def test_jax_gives_the_same(tmp_path: pathlib.Path) -> None:
    generator = make()
    image, tables = inputs()
    fields = noise_for(generator, (16, 24))
    generator.save_weights(tmp_path / "g.weights.h5")
    np.savez(
        tmp_path / "in.npz",
        image=image,
        tables=tables,
        **{f"z{i}": f for i, f in enumerate(fields)},
    )
    program = (
        "import sys, numpy as np\n"
        "from keras_jpeg_gan.models.generator import Generator\n"
        f"g = Generator(**{SMALL!r}); g.build((None, None, None, 3), (None, 2, 8, 8))\n"
        "d = sys.argv[1]; g.load_weights(d + '/g.weights.h5'); i = np.load(d + '/in.npz')\n"
        "z = [i[f'z{k}'] for k in range(len(i.files) - 2)]\n"
        "import jax; out = jax.jit(lambda *a: g(*a))(i['image'], i['tables'], z)\n"
        "np.save(d + '/out.npy', np.asarray(out))\n"
        "assert 'tensorflow' not in sys.modules\n"
    )
    environment = {"KERAS_BACKEND": "jax", "PYTHONPATH": str(pathlib.Path(__file__).parents[2])}
    subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], check=True, env=environment, timeout=300
    )
    np.testing.assert_allclose(
        np.load(tmp_path / "out.npy"), np.asarray(generator(image, tables, fields)), atol=1e-5
    )


def test_wrong_options_are_refused() -> None:
    for options in ({"unshuffle": 3}, {"block": "conv"}, {"head": "deconv"}):
        with pytest.raises(ConfigError):
            Generator(**options)
    with pytest.raises(ConfigError, match="mobile"):
        Generator.from_preset("large")
    assert set(PRESETS) == {"paper", "compact", "mobile"}
