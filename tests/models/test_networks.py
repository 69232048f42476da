"""What every generator promises, whatever its architecture; both backends."""

import pathlib

import keras
import numpy as np
import pytest

from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.models.base import BaseGenerator
from keras_jpeg_gan.models.networks import from_preset
from keras_jpeg_gan.models.presets import PRESETS
from tests.models import small
from tests.programs import with_jax

ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture(params=small.ALL)
def generator(request: pytest.FixtureRequest) -> BaseGenerator:
    return small.make(*small.ALL[request.param])


def test_shapes_noise_and_determinism(generator: BaseGenerator) -> None:
    image, tables = small.inputs()
    fields = small.noise_for(generator)
    plain = np.asarray(generator(image, tables))
    zeros = np.asarray(generator(image, tables, [np.zeros_like(f) for f in fields]))
    one = np.asarray(generator(image, tables, fields))
    two = np.asarray(generator(image, tables, small.noise_for(generator, seed=2)))
    assert plain.shape == image.shape == generator.compute_output_shape(image.shape, None)
    np.testing.assert_array_equal(plain, np.asarray(generator(image, tables)))
    np.testing.assert_allclose(plain, zeros, atol=1e-6)
    assert np.abs(one - two).max() > 1e-6
    # The noise for one image does not affect the other.
    others = small.noise_for(generator, seed=2)
    mixed = [np.stack([a[0], b[1]]) for a, b in zip(fields, others, strict=True)]
    np.testing.assert_allclose(np.asarray(generator(image, tables, mixed))[0], one[0], atol=1e-6)


def test_every_noise_field_matters(generator: BaseGenerator) -> None:
    image, tables = small.inputs()
    fields = small.noise_for(generator)
    whole = np.asarray(generator(image, tables, fields))
    for i in range(len(fields)):
        changed = [f * 2 if i == j else f for j, f in enumerate(fields)]
        assert np.abs(np.asarray(generator(image, tables, changed)) - whole).max() > 0


def test_tables_modulate_only_after_training(generator: BaseGenerator) -> None:
    image, tables = small.inputs()
    before = np.asarray(generator(image, tables))
    np.testing.assert_array_equal(before, np.asarray(generator(image, tables * 2)))
    for weight in generator.weights:
        if "modulation" in weight.path and weight.path.endswith("kernel"):
            weight.assign(np.full(weight.shape, 0.1, np.float32))
    changed = np.asarray(generator(image, tables * 2)) - np.asarray(generator(image, tables))
    assert np.abs(changed).max() > 1e-4


def test_config_and_weights_round_trip(generator: BaseGenerator, tmp_path: pathlib.Path) -> None:
    image, tables = small.inputs()
    expected = np.asarray(generator(image, tables))
    twin = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(generator))
    assert [w.path.split("/", 1)[1] for w in twin.weights] == [
        w.path.split("/", 1)[1] for w in generator.weights
    ]
    generator.save_weights(tmp_path / "g.weights.h5")
    twin.load_weights(tmp_path / "g.weights.h5")
    np.testing.assert_array_equal(np.asarray(twin(image, tables)), expected)


@pytest.mark.parametrize("name", small.ALL)
def test_half_precision_keeps_images_in_float32(name: str) -> None:
    """Where the body adds nothing, the image comes out as it went in, to the last bit."""
    image, tables = small.inputs()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        generator = small.make(*small.ALL[name])
    finally:
        keras.config.set_dtype_policy("float32")
    restored = generator(image, tables, small.noise_for(generator))
    assert generator.first.compute_dtype == "bfloat16"
    assert restored.dtype == "float32"
    assert {weight.dtype for weight in generator.weights} == {"float32"}
    if "paper" not in name:  # the paper's network has no skip from the image
        generator.last.kernel.assign(0 * generator.last.kernel)
        np.testing.assert_array_equal(np.asarray(generator(image, tables)), image)
    np.testing.assert_array_equal(
        np.asarray(generator(image.astype(np.float64), tables)),
        np.asarray(generator(image, tables)),
    )


@pytest.mark.parametrize("name", ["paper", "multiscale"])
def test_jax_gives_the_same(name: str, tmp_path: pathlib.Path) -> None:
    generator = small.make(*small.ALL[name])
    image, tables = small.inputs()
    fields = small.noise_for(generator)
    generator.save_weights(tmp_path / "g.weights.h5")
    np.savez(tmp_path / "in.npz", *fields, image=image, tables=tables)
    program = (
        "import sys, numpy as np\n"
        "from tests.models import small\n"
        f"g = small.make(*small.ALL[{name!r}])\n"
        "d = sys.argv[1]; g.load_weights(d + '/g.weights.h5'); i = np.load(d + '/in.npz')\n"
        "z = [i[f'arr_{k}'] for k in range(len(i.files) - 2)]\n"
        "import jax; out = jax.jit(lambda *a: g(*a))(i['image'], i['tables'], z)\n"
        "np.save(d + '/out.npy', np.asarray(out))\n"
        "assert 'tensorflow' not in sys.modules\n"
    )
    done = with_jax()("-c", program, tmp_path)
    assert done.returncode == 0, done.stderr
    np.testing.assert_allclose(
        np.load(tmp_path / "out.npy"), np.asarray(generator(image, tables, fields)), atol=1e-5
    )


@pytest.mark.parametrize("name", PRESETS)
def test_weight_paths_are_unique_and_stable(name: str) -> None:
    paths = [w.path for w in from_preset(name).weights]
    assert len(set(paths)) == len(paths)
    assert all(path.startswith(f"{name}/") for path in paths)
    assert paths == [w.path for w in from_preset(name).weights]


def test_an_unknown_preset_is_refused() -> None:
    with pytest.raises(ConfigError, match="mobile"):
        from_preset("large")
