"""The real runtimes: LiteRT, and Keras on TensorFlow, which takes seconds to load."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest

from keras_jpeg_gan import Decoder, RestoreOptions
from keras_jpeg_gan.decoding import decoder as decoding
from keras_jpeg_gan.decoding import memory, runtimes
from keras_jpeg_gan.errors import ConfigError, ModelError
from keras_jpeg_gan.models import cards
from keras_jpeg_gan.system import file_sha256
from tests.decoding.made_up import run_tiled, write_card
from tests.files import jpeg, picture

UNPROJECTED = RestoreOptions(projection="none")

TABLES = np.full((1, 2, 8, 8), 20, np.float32)


@pytest.fixture(scope="module")
def runtime(untrained):
    return runtimes.open_runtime("auto", untrained)


@pytest.fixture(scope="module")
def decoder(untrained):
    return Decoder(untrained)


def test_tiles_equal_the_whole_to_float_rounding(runtime):
    image = picture(336, 368).astype(np.float32)

    def run(halo: int, tile: int) -> np.ndarray:
        return run_tiled(
            lambda window, top, left: runtime.restore(window, TABLES), image, halo, tile
        )

    assert runtime.halo == 80
    whole = run(halo=80, tile=1024)
    np.testing.assert_allclose(run(halo=80, tile=96), whole, atol=2e-3)
    assert np.abs(run(halo=0, tile=96) - whole).max() > 0.02


def test_the_halo_is_what_the_network_sees(runtime):
    """A change shows as far away as `costs.receptive_radius` says, and the halo covers that."""
    image = picture(208, 208).astype(np.float32)[None]
    changed = image.copy()
    changed[:, 104:106, 104:106] += 1e8  # so that a little of it arrives even far away
    difference = runtime.restore(changed, TABLES) - runtime.restore(image, TABLES)
    rows = np.flatnonzero(np.abs(difference).max(axis=(0, 2, 3)))
    assert 104 - rows.min() == 78 <= runtime.halo


def test_tiled_samples_equal_the_whole(untrained_sampler, monkeypatch):
    """Noise depends on the absolute position; otherwise tiles would show."""
    decoder = Decoder(untrained_sampler)
    content = jpeg(336, 368)

    def restored(seed: int = 3, temperature: float = 1) -> np.ndarray:
        sample = decoder.restore(
            content, seed, options=RestoreOptions(projection="none", temperature=temperature)
        )
        return sample.pixels.astype(int)

    whole, other, plain = restored(), restored(seed=4), restored(temperature=0)
    assert np.abs(whole - other).mean() > 0.5
    assert np.abs(whole - plain).mean() > 0.5
    monkeypatch.setattr(memory, "TILES", (96,))
    tiled = restored()
    assert np.abs(tiled - whole).max() <= 1
    assert (tiled == whole).mean() > 0.999
    at = decoding.noise_window
    monkeypatch.setattr(decoding, "noise_window", lambda s, f, *place: at(s, f, 0, 0, *place[2:]))
    assert np.abs(restored() - whole).mean() > 0.1


def test_each_projection_comes_closer_to_the_file(decoder):
    content = jpeg(48, 64)  # whole units, on which the float projection does not iterate
    found = [
        decoder.restore(content, options=RestoreOptions(projection=name))
        for name in ("none", "float", "exact")
    ]
    equal = [restored.certificate.levels_equal for restored in found]
    assert equal[0] < equal[1] <= equal[2]
    assert found[2].certificate.exact


def test_gray_is_projected_as_gray(decoder):
    restored = decoder.restore(jpeg(24, 24, gray=True), options=RestoreOptions(projection="float"))
    assert restored.pixels.shape == (24, 24)
    assert restored.certificate.levels_equal > 0.9 * restored.certificate.levels_total


def test_what_cannot_be_run_is_refused(runtime, untrained):
    with pytest.raises(ConfigError, match="runtime"):
        runtimes.open_runtime("abacus", untrained)
    with pytest.raises(ConfigError, match="threads"):
        runtimes.open_runtime("tensorflow", untrained, threads=63)


def test_no_framework_prints_anything(untrained, tmp_path):
    (tmp_path / "a.jpg").write_bytes(jpeg())
    done = subprocess.run(
        [
            *(sys.executable, "-m", "keras_jpeg_gan.decoding.decode"),
            *(f"--model={untrained}", "--threads=1", tmp_path / "a.jpg"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    (line,) = done.stdout.splitlines()
    assert line.startswith(f"{tmp_path / 'a.jpg'}: exact: ")
    assert (tmp_path / "a.restored.png").exists()


@pytest.mark.parametrize("name", cards.bundled_models())
def test_both_runtimes_give_the_same_picture(name):
    content = jpeg(40, 72)

    def restored(kind: str) -> np.ndarray:
        decoder = Decoder(name, runtime=kind)
        return decoder.restore(content, seed=7, options=UNPROJECTED).pixels.astype(int)

    difference = np.abs(restored("litert") - restored("tensorflow"))
    assert difference.max() <= 1
    assert (difference == 0).mean() > 0.99


@pytest.mark.parametrize("name", cards.bundled_models())
def test_bundled_models_have_tflite_files_which_auto_takes(name):
    weights, card = cards.find_model(name)
    path, tflite = cards.find_tflite(weights)
    assert (tflite.model, tflite.weights_sha256) == (name, card.sha256)
    opened = runtimes.open_runtime("auto", name)
    assert isinstance(opened, runtimes.LiteRTRuntime)
    assert (opened.halo, len(opened.noise_strides)) == (48, 10 * card.draws_samples)
    assert path.suffix == ".tflite"


def test_tflite_files_of_other_weights_are_ignored(untrained, tmp_path):
    """Training overwrites its weights; what was exported before is then another model."""
    weights = tmp_path / "mine.weights.h5"
    shutil.copy(untrained, weights)
    write_card(weights)
    assert cards.find_tflite(weights) is None
    for suffix in (".tflite", ".tflite.json"):
        shutil.copy(cards.BUNDLED / f"default{suffix}", tmp_path / f"mine{suffix}")
    assert cards.find_tflite(weights) is None
    with pytest.raises(ModelError, match=r"export/tflite\.py"):
        runtimes.open_runtime("litert", weights)
    card = tmp_path / "mine.tflite.json"
    of_these = {**json.loads(card.read_text()), "weights_sha256": file_sha256(weights)}
    card.write_text(json.dumps(of_these))
    assert cards.find_tflite(weights) is not None
    (tmp_path / "mine.tflite").write_bytes(b"TFL3 but damaged")
    with pytest.raises(ModelError, match="damaged"):
        runtimes.open_runtime("auto", weights)
    card.write_text("{}")
    with pytest.raises(ModelError, match="not the card"):
        runtimes.open_runtime("auto", weights)


def test_files_that_only_look_right_are_refused(tmp_path):
    path = tmp_path / "bad.tflite"
    path.write_bytes(b"TFL3 and nothing else")
    weights, _ = cards.find_model("default")
    with pytest.raises(ModelError, match="does not load"):
        runtimes.LiteRTRuntime(path, cards.find_tflite(weights)[1])


def test_the_command_needs_no_framework(tmp_path):
    """As after a plain `pip install keras-jpeg-gan`: nothing else can be imported."""
    (tmp_path / "a.jpg").write_bytes(jpeg())
    absent = [
        "tensorflow",
        "keras",
        "jax",
        "h5py",
        "scipy",
        "skimage",
        "matplotlib",
        "ml_collections",
        "jinja2",
    ]
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({absent}))\n"
        "from keras_jpeg_gan.decoding import decode; decode.run()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "--samples=2", "--mean=2", "--projection=float", "a.jpg"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 3
    assert (tmp_path / "a.restored.mean.png").exists()
