"""TFLite files: close to Keras, with operations that phones' GPUs take, refused if they differ."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from export.network import Network
from export.tflite import checks
from export.tflite.convert import convert_network
from export.tflite.files import write_network, write_projection
from export.tflite.projection import SAMPLINGS, convert_projection
from keras_jpeg_gan.decoding.runtimes import LiteRTRuntime
from keras_jpeg_gan.errors import ModelError
from keras_jpeg_gan.jpeg.levels import Quantized
from keras_jpeg_gan.jpeg.tables import quality_tables
from keras_jpeg_gan.jpeg.tensors import codec, consistency
from keras_jpeg_gan.models import cards
from keras_jpeg_gan.models.networks import from_preset
from keras_jpeg_gan.models.saving import save_model
from keras_jpeg_gan.system import file_sha256
from tests.programs import with_tensorflow

TILE = 32

# What the GPU delegate takes, by its compatibility check: gpu_compatibility.cc in TensorFlow's
# lite/tools/versions. It takes strided slices only without new axes, so none is listed here.
GPU_OPERATIONS = {
    *("ADD", "CONCATENATION", "CONV_2D", "DEPTH_TO_SPACE", "DEQUANTIZE", "FULLY_CONNECTED"),
    *("LEAKY_RELU", "LOG", "LOGISTIC", "MUL", "RESHAPE", "SPACE_TO_DEPTH", "SPLIT", "TILE"),
}


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Network:
    """An untrained sampler whose noise matters."""
    keras.utils.set_random_seed(1)
    generator = from_preset("mobile")
    for variable in generator.variables:
        if variable.path.endswith("noise_scale"):
            variable.assign(3 * variable)
        elif "modulation" in variable.path:  # zero at first: the tables would not matter
            variable.assign(variable + 0.01)
    path = tmp_path_factory.mktemp("model") / "untrained.weights.h5"
    save_model(generator, path, "sampler", trained={}, validation={})
    return Network.load(path)


@pytest.fixture(scope="module")
def photographs() -> list[np.ndarray]:
    y, x = np.mgrid[:40, :50]
    waves = 128 + 60 * np.sin(x / 3)[..., None] + 40 * np.cos(y / 5)[..., None] * [1, 0.4, -1]
    return [np.clip(waves, 0, 255).astype(np.uint8)]


@pytest.fixture(scope="module")
def converted(network: Network) -> dict[tuple[int | None, str], bytes]:
    asked = [(TILE, "float32"), (TILE, "float16"), (TILE, "int8"), (None, "float16")]
    return {(tile, kind): convert_network(network, tile, kind, False) for tile, kind in asked}


def operations(content: bytes) -> set[str]:
    """Names of a file's operations, read from its flatbuffer."""
    names = {v: k for k, v in vars(schema.BuiltinOperator).items() if isinstance(v, int)}
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    assert all(code.customCode is None for code in model.operatorCodes)
    return {names[max(c.builtinCode, c.deprecatedBuiltinCode)] for c in model.operatorCodes}


def test_files_are_as_near_to_keras_as_their_precision_allows(network, converted, photographs):
    errors = {}
    for (tile, precision), content in converted.items():
        found = checks.compare_with_keras(content, network, tile, photographs)
        checks.require_close(found, precision)
        errors[precision, tile] = found["max_difference"]
    assert errors["float32", TILE] < 1e-2 < errors["int8", TILE]


def test_phones_gpus_take_every_operation(converted):
    for (tile, precision), content in converted.items():
        if tile is not None and precision != "int8":
            assert operations(content) <= GPU_OPERATIONS


def test_lower_precision_is_smaller(converted):
    sizes = [len(converted[TILE, precision]) for precision in ("float32", "float16", "int8")]
    assert sizes[0] > 1.7 * sizes[1] > 1.7 * 1.4 * sizes[2]


def test_noise_and_tables_matter(network, converted):
    runner = Interpreter(model_content=converted[TILE, "float32"]).get_signature_runner("restore")
    given = {
        name: np.ones(spec.shape, np.float32)
        for name, spec in network.specs(TILE, as_bytes=False).items()
    }
    assert len(given) == 2 + 10
    first = runner(**given)["restored"]
    for name in ("tables", "noise_0", "noise_9"):
        changed = runner(**{**given, name: 3 * given[name]})["restored"]
        assert np.abs(changed - first).max() > 1e-3, name


def test_bytes_in_and_out_are_rounded_and_clipped(network, photographs):
    content = convert_network(network, TILE, "float32", as_bytes=True)
    runner = Interpreter(model_content=content).get_signature_runner("restore")
    given = {
        name: np.full(spec.shape, 1, np.float32)
        for name, spec in network.specs(TILE, as_bytes=True).items()
    }
    given["pixels"] = photographs[0][None, :TILE, :TILE]
    found = runner(**given)["restored"]
    assert found.dtype == np.uint8
    floats = network.restore(**{k: tf.constant(v, tf.float32) for k, v in given.items()})
    expected = np.clip(np.rint(floats["restored"]), 0, 255)
    assert np.abs(found - expected).max() <= 1
    assert (found == expected).mean() > 0.99


@pytest.mark.parametrize(
    "off", [{"max_difference": 0.2}, {"mean_difference": np.nan}, {"psnr_lost": 1.0}]
)
def test_a_file_that_differs_too_much_is_refused(off: dict):
    exact = {"max_difference": 0.0, "mean_difference": 0.0, "psnr_lost": 0.0}
    checks.require_close(exact, "float32")
    with pytest.raises(ModelError, match="not written"):
        checks.require_close({**exact, **off}, "float32")


def test_the_projection_is_the_librarys(photographs):
    content = convert_projection(TILE)
    interpreter = Interpreter(model_content=content)
    decoded = photographs[0][None, :TILE, :TILE].astype(np.float32)
    pixels = decoded + np.random.default_rng(0).normal(0, 20, decoded.shape).astype(np.float32)
    luma, chroma = (table.astype(np.float32) for table in quality_tables(10))
    tables = np.stack([luma, chroma, chroma])[None]
    for sampling in SAMPLINGS:
        name = sampling.name.replace(":", "")
        levels = codec.compress(decoded, list(tables[0]), sampling, rounded=False)
        expected = consistency.project(pixels, Quantized(levels, list(tables[0]), sampling), 0.02)
        parts = dict(zip(("levels_y", "levels_cb", "levels_cr"), levels, strict=True))
        by_levels = interpreter.get_signature_runner(f"project_levels_{name}")
        found = by_levels(pixels=pixels, tables=tables, **parts)["projected"]
        np.testing.assert_allclose(found, expected, atol=5e-3)
        by_decode = interpreter.get_signature_runner(f"project_{name}")
        found = by_decode(pixels=pixels, decoded=decoded, tables=tables)["projected"]
        np.testing.assert_allclose(found, expected, atol=5e-3)
        assert np.abs(found - pixels).max() > 1
    assert checks.largest_violation(content, TILE, photographs[0]) < 0.5


def test_written_files_have_cards_and_run(network, photographs, tmp_path):
    path = tmp_path / "small.tflite"
    line = write_network(network, path, TILE, "float32", photographs)
    assert line.startswith(f"{path}: ")
    assert line.endswith("0.000 dB lost")
    card = cards.TFLiteCard(**json.loads((tmp_path / "small.tflite.json").read_text()))
    assert card.sha256 == file_sha256(path)
    assert card.inputs["pixels"]["shape"] == [1, TILE, TILE, 3]
    assert card.inputs["noise_9"]["shape"] == [1, TILE // 2, TILE // 2, 1]
    assert (card.halo, card.macs_per_pixel) == (80, 38592)
    runtime = LiteRTRuntime(path, card)
    pixels = np.full((1, TILE, TILE, 3), 90, np.float32)
    tables = np.full((1, 2, 8, 8), 20, np.float32)
    restored = network.restore(tf.constant(pixels), tf.constant(tables))["restored"].numpy()
    np.testing.assert_allclose(runtime.restore(pixels, tables), restored, atol=0.01)
    line = write_projection(tmp_path / "p.tflite", TILE, photographs[0])
    assert "MB; violation 0." in line
    assert json.loads((tmp_path / "p.tflite.json").read_text())["tile"] == TILE


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["--output_dir=x", "--tile=100"], 2, "--tile=100: must be a multiple of 16"),
        ([], 2, "--output_dir=DIR or --light"),
        (["--light", "--model=nobody"], 1, "no model 'nobody'"),
        (["--light", "--images="], 2, "--images"),
        (["--light", "extra"], 2, "extra"),
    ],
)
def test_the_program_refuses_in_a_line(arguments: list[str], status: int, said: str):
    done = with_tensorflow()("export/tflite.py", *arguments)
    assert done.returncode == status
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
