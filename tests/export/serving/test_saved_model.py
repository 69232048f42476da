"""The SavedModel as a server uses it: its signatures, their answers, and what can load it."""

import io
import pathlib
import shutil
import subprocess
import sys

import grpc
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from tensorflow_serving.apis import prediction_log_pb2

import keras_jpeg_gan as jpeg_gan
from export.clients import grpc_client, rest_client
from export.serving.noise import window
from keras_jpeg_gan.decoding import noise
from keras_jpeg_gan.jpeg.file import JpegFile
from keras_jpeg_gan.metrics.violation import violation
from tests.export.serving.stand_in_server import serving

pytestmark = pytest.mark.slow

ROOT = pathlib.Path(__file__).parents[3]


def jpeg(
    height: int,
    width: int,
    gray: bool = False,
    black_and_white: bool = False,
    **options: object,
) -> bytes:
    y, x = np.mgrid[:height, :width]
    waves = 128 + 40 * np.sin(x / 3)[..., None] + 30 * np.cos(y / 5)[..., None] * [1, 0.4, -1]
    pixels = waves + np.random.default_rng(0).normal(0, 6, waves.shape)
    image = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    buffer = io.BytesIO()
    image = image.convert("L") if gray or black_and_white else image
    image.convert("L" if gray else "RGB").save(buffer, "JPEG", **{"quality": 20, **options})
    return buffer.getvalue()


def pixels_of(png: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(png)) as image:
        return np.asarray(image)


FILES = {
    "4:2:0": jpeg(64, 96),
    "4:4:4": jpeg(48, 64, subsampling=0),
    "4:2:2": jpeg(32, 64, subsampling=1, progressive=True),
    "gray": jpeg(40, 64, gray=True),
    "odd": jpeg(37, 51),
    "padded": jpeg(32, 32) + bytes(5000),
    "black and white": jpeg(40, 64, black_and_white=True),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The output of the command for the bundled sampler."""
    folder = tmp_path_factory.mktemp("served") / "default"
    done = subprocess.run(
        [sys.executable, ROOT / "export" / "saved_model.py", f"--output_dir={folder}", "--tile=32"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{folder / '1'}\n", "")
    return folder


@pytest.fixture(scope="module")
def model(folder: pathlib.Path):
    return tf.saved_model.load(str(folder / "1"))


@pytest.fixture(scope="module")
def served(model):
    with serving(model, "default") as addresses:
        yield addresses


@pytest.fixture(scope="module")
def decoder() -> jpeg_gan.Decoder:
    return jpeg_gan.Decoder("default")


def test_noise_is_the_decoders_for_any_seed_and_window():
    for seed, place in [(0, (0, 0, 4, 8)), (7, (5, 3, 3, 9)), (2**64 - 3, (1000, 4001, 2, 6))]:
        own = np.array(seed, np.uint64).astype(np.int64)
        np.testing.assert_allclose(window(own, 3, *place), noise.window(seed, 3, *place), atol=1e-5)


def test_files_of_any_size_and_sampling_come_back_as_pngs(model, decoder):
    answer = model.signatures["serving_default"](image_bytes=tf.constant(list(FILES.values())))
    for (name, content), png in zip(FILES.items(), answer["image_bytes"].numpy(), strict=True):
        expected = decoder.restore(
            content, options=jpeg_gan.RestoreOptions(projection="float", earlier_save="off")
        )
        found = pixels_of(png).astype(int)
        assert found.shape == expected.pixels.shape
        difference = np.abs(found - expected.pixels)
        # The graph estimates levels from the decode, which is off by a level now and then.
        assert (difference <= 1).mean() > 0.97, name
        file = expected.file
        outside = violation(found, file.quantized)
        assert outside.share_over_half < 0.02, name
        if name == "black and white":
            assert (found == found[..., :1]).all()


def test_each_seed_is_a_sample_and_temperature_its_scale(model):
    content = FILES["4:2:0"]
    seeds = tf.constant([1, 1, 2, 1], tf.int64)
    temperatures = tf.constant([1.0, 1.0, 1.0, 0.0])
    answer = model.signatures["sample"](
        image_bytes=tf.constant([content] * 4), seed=seeds, temperature=temperatures
    )
    first, again, other, plain = (
        pixels_of(png).astype(int) for png in answer["image_bytes"].numpy()
    )
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).mean() > 1
    assert np.abs(first - plain).mean() > 1
    mean = model.signatures["mean"](
        image_bytes=tf.constant([content]),
        seed=tf.constant([1], tf.int64),
        num_samples=tf.constant(2),
    )
    # Seeds 1 and 2; roundings are one level at most.
    found = pixels_of(mean["image_bytes"].numpy()[0])
    assert np.abs(found - (first + other) / 2).max() <= 1.5


def test_inspect_tells_what_the_header_says(model):
    found = model.signatures["inspect"](image_bytes=tf.constant(list(FILES.values())))
    for i, content in enumerate(FILES.values()):
        file = JpegFile.read(content)
        assert found["quality"][i] == file.quality == 20
        assert (found["height"][i], found["width"][i]) == file.pixels.shape[:2]
        assert found["components"][i] == len(file.tables)
        tables = np.stack(file.tables)
        np.testing.assert_array_equal(found["tables"][i][: len(tables)], tables)


def test_the_tile_signature_batches(model):
    tile = model.signatures["tile"]
    specs = tile.structured_input_signature[1]
    assert len(specs) == 12
    rng = np.random.default_rng(0)
    given = {
        name: rng.uniform(1, 100, (3, *spec.shape[1:])).astype(np.float32)
        for name, spec in specs.items()
    }
    together = tile(**given)["restored"]
    alone = tile(**{name: value[1:2] for name, value in given.items()})["restored"]
    assert together.shape == (3, 32, 32, 3)
    np.testing.assert_allclose(together[1:2], alone, atol=0.01)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"GIF89a", "not a JPEG"),
        (b"", "not a JPEG"),
        (FILES["odd"][:-300], "truncated"),
        (
            FILES["odd"].replace(b"\xff\xdb\x00\x43\x00", b"\xff\xdb\x00\x43\x0f", 1),
            "damaged quant",
        ),
        (FILES["odd"].replace(b"\xff\xc0", b"\xff\xc9", 1), "arithmetic"),
    ],
)
def test_a_bad_file_is_named_by_its_place(model, content: bytes, reason: str):
    batch = tf.constant([FILES["gray"], FILES["odd"], content])
    with pytest.raises(tf.errors.InvalidArgumentError, match=rf"image_bytes\[2\]: .*{reason}"):
        model.signatures["serving_default"](image_bytes=batch)


def test_rest_round_trip(served, model):
    contents = [FILES["4:2:0"], FILES["gray"]]
    found = rest_client.restore(served[0], contents)
    expected = model.signatures["serving_default"](image_bytes=tf.constant(contents))
    assert found == list(expected["image_bytes"].numpy())
    (sample,) = rest_client.restore(served[0], contents[:1], seeds=[0])
    assert sample == found[0]
    with pytest.raises(ValueError, match=r"image_bytes\[1\]: not a JPEG"):
        rest_client.restore(served[0], [contents[0], b"nothing"])
    with pytest.raises(ValueError, match="no such model"):
        rest_client.restore(served[0].replace("default", "nobody"), contents)


def test_the_example_draws_several_samples_in_one_request(served, tmp_path: pathlib.Path):
    def call(content: bytes) -> subprocess.CompletedProcess[str]:
        (tmp_path / "photo.jpg").write_bytes(content)
        command = [sys.executable, ROOT / "examples" / "call_server.py", served[0]]
        command += [tmp_path / "photo.jpg", tmp_path / "out", "--seeds", "0", "7"]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    done = call(FILES["4:2:0"])
    assert (done.returncode, done.stderr) == (0, "")
    found = [(tmp_path / "out" / f"photo_{seed}.png").read_bytes() for seed in (0, 7)]
    assert found == rest_client.restore(served[0], [FILES["4:2:0"]] * 2, seeds=[0, 7])
    assert found[0] != found[1]
    done = call(b"nothing")
    assert done.returncode == 1
    assert "not a JPEG" in done.stderr


@pytest.mark.parametrize("name", FILES)
def test_grpc_round_trip_ends_exactly(served, decoder, name: str):
    restored = grpc_client.restore_exactly(
        grpc_client.connect(served[1]), "default", FILES[name], seed=5
    )
    assert restored.certificate.exact
    local = decoder.restore(FILES[name], seed=5)
    assert np.abs(restored.pixels.astype(int) - local.pixels).mean() < 1


def test_grpc_refuses_levels_that_do_not_fit(served):
    service = grpc_client.connect(served[1])
    given = {
        "levels_y": np.zeros((2, 2, 8, 8), np.int32),
        "levels_cb": np.zeros((2, 2, 8, 8), np.int32),
        "levels_cr": np.zeros((2, 2, 8, 8), np.int32),
        "tables": np.ones((3, 8, 8), np.float32),
        "height": np.int32(64),
        "width": np.int32(64),
        "seed": np.int64(0),
    }
    with pytest.raises(grpc.RpcError, match="no known sampling"):
        grpc_client.predict(service, "default", "levels", given)


def test_warmup_requests_can_be_answered(folder, model):
    path = folder / "1" / "assets.extra" / "tf_serving_warmup_requests"
    records = list(tf.data.TFRecordDataset(str(path)).as_numpy_iterator())
    names = set()
    for record in records:
        request = prediction_log_pb2.PredictionLog.FromString(record).predict_log.request
        names.add(request.model_spec.signature_name)
        given = {key: tf.constant(tf.make_ndarray(value)) for key, value in request.inputs.items()}
        assert model.signatures[request.model_spec.signature_name](**given)
    assert names == {"serving_default", "sample", "tile"}
    assert "label" in (folder / "models.config").read_text()


def test_a_process_without_this_package_loads_it(folder, tmp_path):
    (tmp_path / "a.jpg").write_bytes(FILES["odd"])
    code = (
        "import sys; sys.modules.update(keras_jpeg_gan=None, keras=None)\n"
        "import tensorflow as tf\n"
        "model = tf.saved_model.load(sys.argv[1])\n"
        "content = tf.io.read_file('a.jpg')[None]\n"
        "png = model.signatures['serving_default'](image_bytes=content)['image_bytes'][0]\n"
        "tf.io.write_file('a.png', png)"
    )
    subprocess.run([sys.executable, "-c", code, folder / "1"], cwd=tmp_path, check=True)
    assert pixels_of((tmp_path / "a.png").read_bytes()).shape == (37, 51, 3)


def test_saved_model_cli_shows_and_runs_it(folder, tmp_path):
    program = pathlib.Path(sys.executable).with_name("saved_model_cli")
    np.save(tmp_path / "files.npy", np.array([FILES["odd"]], dtype=object).astype("S"))
    common = ["--dir", folder / "1", "--tag_set", "serve", "--signature_def", "serving_default"]
    shown = subprocess.run([program, "show", *common], capture_output=True, text=True, check=True)
    assert "inputs['image_bytes'] tensor_info" in shown.stdout
    subprocess.run(
        [
            *(program, "run", *common),
            *("--inputs", f"image_bytes={tmp_path / 'files.npy'}", "--outdir", tmp_path),
        ],
        capture_output=True,
        check=True,
    )
    (png,) = np.load(tmp_path / "image_bytes.npy", allow_pickle=True)
    assert pixels_of(png).shape == (37, 51, 3)


def test_the_cpp_loader_runs_it(folder, tmp_path):
    """The loader that TensorFlow Serving uses."""
    if shutil.which("g++") is None:
        pytest.skip("no g++ here")
    include, library = tf.sysconfig.get_include(), tf.sysconfig.get_lib()
    built = subprocess.run(
        [
            *("g++", "-std=c++17", *tf.sysconfig.get_compile_flags()[1:]),
            *(
                "-DEIGEN_MAX_ALIGN_BYTES=64",
                f"-I{include}",
                pathlib.Path(__file__).with_name("loader.cc"),
            ),
            *(
                "-o",
                tmp_path / "loader",
                f"-L{library}",
                f"-Wl,-rpath,{library}",
                "-Wl,--no-as-needed",
            ),
            *("-l:libtensorflow_cc.so.2", "-l:libtensorflow_framework.so.2"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr[-2000:]
    (tmp_path / "a.jpg").write_bytes(FILES["odd"])
    subprocess.run(
        [tmp_path / "loader", folder / "1", tmp_path / "a.jpg", tmp_path / "a.png"],
        capture_output=True,
        check=True,
    )
    assert pixels_of((tmp_path / "a.png").read_bytes()).shape == (37, 51, 3)


def test_versions_count_up_and_none_is_overwritten(folder, tmp_path):
    program = [sys.executable, ROOT / "export" / "saved_model.py"]

    def refused(*flags: object) -> tuple[int, str]:
        done = subprocess.run([*program, *flags], capture_output=True, text=True, check=False)
        return done.returncode, done.stderr

    status, said = refused(f"--output_dir={folder}", "--version=1")
    assert (status, "exists" in said) == (2, True)
    assert sorted(path.name for path in folder.iterdir()) == [
        "1",
        "batching.config",
        "models.config",
    ]
    assert refused() == (2, "saved_model.py: give --output_dir=DIR\n")
    status, said = refused(f"--output_dir={tmp_path}", "--tile=40")
    assert (status, "multiple of 16" in said) == (2, True)
    assert refused(f"--output_dir={tmp_path}", "--model=nobody")[0] == 1
