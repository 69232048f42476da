"""Files that are not YCbCr as a whole: what the network sees, what comes out, how it is written."""

import io
import json
import pathlib
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from keras_jpeg_gan import Decoder, JpegFormatError, RestoreOptions
from keras_jpeg_gan.decoding import runtimes
from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.jpeg import encoder
from keras_jpeg_gan.jpeg.colour_model import ColourModel
from keras_jpeg_gan.jpeg.header import read_header
from keras_jpeg_gan.jpeg.sampling import Sampling
from keras_jpeg_gan.jpeg.tables import quality_tables
from tests.decoding.conftest import Outcome
from tests.files import cmyk, jpeg, picture
from tests.jpeg.projection import test_parts

MODELS = [
    (ColourModel.RGB, "4:4:4"),
    (ColourModel.RGB, "4:2:0"),
    (ColourModel.CMYK, "4:4:4:4"),
    (ColourModel.YCCK, "4:2:0:4"),
]
_ORIENTATION = 0x0112


def coded(model: ColourModel, sampling: str, height: int = 40, width: int = 56) -> bytes:
    """A JPEG file with these components."""
    pixels, file = test_parts.quantized(model, sampling, 50, height, width)
    return encoder.encode(pixels, file.tables, file.sampling, file.converted)


class Mirror:
    """A runtime that returns what it is given, and remembers it."""

    halo = 16
    noise_strides = (2,)

    def __init__(self) -> None:
        self.seen: list[tuple[np.ndarray, np.ndarray]] = []

    def restore(self, pixels, tables, noise=None) -> np.ndarray:
        self.seen.append((pixels[0], tables[0]))
        return pixels


@pytest.fixture
def mirror(decoder: Decoder, monkeypatch: pytest.MonkeyPatch) -> Mirror:
    runtime = Mirror()
    monkeypatch.setattr(runtimes, "open_runtime", lambda kind, model, threads: runtime)
    return runtime


@pytest.mark.parametrize(("coding", "sampling"), MODELS)
def test_libjpeg_gives_the_files_levels(
    decoder: Decoder, coding: ColourModel, sampling: str
) -> None:
    restored = decoder.restore(coded(coding, sampling))
    assert restored.certificate.exact
    assert restored.details({})["colour_model"] == coding.value
    assert restored.pixels.shape == restored.file.pixels.shape == (40, 56, restored.file.channels)
    assert (restored.pixels != restored.file.pixels).any()


@pytest.mark.parametrize(("coding", "sampling"), MODELS)
def test_the_network_sees_each_part_as_light(
    decoder: Decoder, mirror: Mirror, coding: ColourModel, sampling: str
) -> None:
    """And what it returns has the meaning of the file's pixels."""
    file = decoder.read(coded(coding, sampling, 32, 48))
    found = decoder.estimate(file)
    np.testing.assert_array_equal(found, file.pixels)
    light = file.pixels if coding is ColourModel.RGB else 255 - file.pixels
    gray = [light[..., k : k + 1].repeat(3, axis=2) for k in range(file.channels)]
    expected = [light[..., :3], gray[3]] if coding is ColourModel.YCCK else gray
    assert len(mirror.seen) == len(expected)
    for (shown, _), wanted in zip(mirror.seen, expected, strict=True):
        np.testing.assert_array_equal(shown, wanted)
    luma = [tables[0] for _, tables in mirror.seen]
    first = [file.tables[k.start] for k in coding.parts]
    np.testing.assert_allclose(luma, first, rtol=1e-6)


@pytest.mark.parametrize("kind", ["inks", "reduced luma"])
def test_an_earlier_save_needs_pixels_that_show_the_luma(decoder: Decoder, kind: str) -> None:
    if kind == "inks":
        content = cmyk(24, 40)
    else:
        luma, chroma = quality_tables(60)
        sampling = Sampling.parse("1x1,2x2,1x1")
        content = encoder.encode(picture(32, 48), [luma, chroma, chroma], sampling)
    with pytest.raises(JpegFormatError, match="--earlier_save=off"):
        decoder.restore(content, options=RestoreOptions(earlier_save="30"))
    assert decoder.restore(content).agreement is None


def test_the_mean_of_inks_is_certified_too(sampler: pathlib.Path) -> None:
    decoder = Decoder(sampler)
    samples = list(decoder.samples(cmyk(24, 40), 3))
    assert (samples[0].pixels != samples[1].pixels).any()
    assert decoder.mean(samples).certificate.exact


def test_a_notebook_shows_rgb_without_the_profile_of_inks(decoder: Decoder) -> None:
    page = decoder.restore(cmyk(24, 40, icc_profile=b"inks" * 40))._repr_html_()
    assert '<img src="data:image/png;base64,' in page


def test_other_formats_than_tiff_are_refused(decoder: Decoder, tmp_path: pathlib.Path) -> None:
    restored = decoder.restore(cmyk(24, 40))
    for image_format in ("png", "webp"):
        with pytest.raises(ConfigError, match=f"CMYK: {image_format} .*tiff"):
            restored.encoded(image_format)
    restored.save(tmp_path / "a.tif")
    with Image.open(tmp_path / "a.tif") as image:
        assert image.mode == "CMYK"
        np.testing.assert_array_equal(np.asarray(image), restored.pixels)


def test_the_command_writes_tiff_and_says_so(
    command: Callable[..., Outcome], tmp_path: pathlib.Path
) -> None:
    exif = Image.Exif()
    exif[_ORIENTATION] = 6
    path, report = tmp_path / "inks.jpg", tmp_path / "report.json"
    path.write_bytes(cmyk(24, 40, icc_profile=b"p" * 1_200_000, exif=exif))
    (tmp_path / "plain.jpg").write_bytes(jpeg(24, 40))
    status, out, err = command(tmp_path, f"--report={report}")
    assert status == 0
    assert len(out.splitlines()) == 2
    assert f"{path}: warning: CMYK: written as tiff, since png does not hold it" in err
    assert "plain.jpg: warning" not in err
    output = tmp_path / "inks.restored.tiff"
    with Image.open(output) as image:
        assert (image.mode, image.size) == ("CMYK", (24, 40))  # turned, as only Pillow's TIFF is
        assert image.info["icc_profile"] == b"p" * 1_200_000
        assert image.tag_v2[_ORIENTATION] == 6
    assert (tmp_path / "plain.restored.png").exists()
    records = map(json.loads, report.read_text().splitlines())
    assert [record["colour_model"] for record in records] == ["CMYK", "YCbCr"]
    assert command(path) == (0, "", f"{path}: skipped, {output} exists\n")


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--format=png"], "CMYK: png holds only gray and RGB: use --format=tiff"),
        (["--format=webp"], "CMYK: webp holds only gray and RGB: use --format=tiff"),
        (["--output=a.png"], "CMYK: png holds only gray and RGB: use --format=tiff"),
        (["--bits=16"], "CMYK: written in 8 bits only, as tiff: leave out --bits=16"),
    ],
)
def test_the_command_refuses_what_does_not_hold_inks(
    command: Callable[..., Outcome],
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    flags: list[str],
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    pathlib.Path("a.jpg").write_bytes(cmyk(24, 40))
    assert command("a.jpg", *flags) == (1, "", f"a.jpg: {words}\n")
    assert [path.name for path in tmp_path.iterdir()] == ["a.jpg"]


def test_deviations_of_inks_are_gray_png(
    command: Callable[..., Outcome], sampler: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(cmyk(24, 40))
    assert command(path, f"--model={sampler}", "--samples=2", "--deviation").status == 0
    with Image.open(tmp_path / "a.restored.deviation.png") as image:
        assert (image.mode, image.size) == ("L", (40, 24))
    assert (tmp_path / "a.restored.1.tiff").exists()


@pytest.mark.slow
def test_all_odd_files_of_these_models(decoder: Decoder, shared_data: pathlib.Path) -> None:
    """Those that are not restored are XYB, lossless or have too many scans."""
    restored = dict.fromkeys([ColourModel.RGB, ColourModel.CMYK, ColourModel.YCCK], 0)
    for path in sorted((shared_data / "robustness" / "valid").iterdir()):
        data = path.read_bytes()
        try:
            model = read_header(data).model
        except JpegFormatError as error:
            if any(words in str(error) for words in ("components", "RGB", "CMYK", "YCCK")):
                pytest.fail(f"{path.name}: {error}")
            continue
        if model not in restored:
            continue
        made = decoder.restore(data, options=RestoreOptions(allow_truncated=True))
        assert made.file.model is model
        with Image.open(io.BytesIO(made.encoded("tiff"))) as image:
            np.testing.assert_array_equal(np.asarray(image), made.pixels)
        restored[model] += 1
    assert all(count >= 5 for count in restored.values()), restored
