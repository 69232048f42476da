"""The reference restorer for phones against the library, and the other languages against it."""

import io
import json
import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from keras_jpeg_gan.decoding import colour, noise
from keras_jpeg_gan.decoding.decoder import Decoder
from keras_jpeg_gan.decoding.options import RestoreOptions
from keras_jpeg_gan.jpeg.encoder import certify
from keras_jpeg_gan.jpeg.file import JpegFile
from keras_jpeg_gan.jpeg.sampling import GRAY
from keras_jpeg_gan.jpeg.tables import network_tables, quality_tables
from tests.export.mobile.photographs import FILES, MOBILE, SEED, jpeg_header, restorer
from tests.files import photograph, saved

RestoreError = jpeg_header.RestoreError


def with_segment(data: bytes, code: int, content: bytes) -> bytes:
    """The file with another segment after its first marker."""
    length = (len(content) + 2).to_bytes(2, "big")
    return data[:2] + bytes([0xFF, code]) + length + content + data[2:]


@pytest.fixture(params=FILES.values(), ids=FILES.keys())
def data(request: pytest.FixtureRequest) -> bytes:
    return photograph(70, 50, **request.param)


def test_the_header_is_that_of_the_library(data):
    file, header = JpegFile.read(data), jpeg_header.read_header(data)
    assert (header.width, header.height) == (file.width, file.height)
    assert len(header.tables) == len(file.tables)
    for found, expected in zip(header.tables, file.tables, strict=True):
        np.testing.assert_array_equal(np.reshape(found, (8, 8)), expected)
    found = jpeg_header.network_tables(header)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, network_tables(file.tables), rtol=1e-6)


def test_wide_steps_are_read():
    header = jpeg_header.read_header(photograph(16, 16, quality=10, wide=True))
    expected = 7 * np.stack(quality_tables(10))
    np.testing.assert_array_equal(jpeg_header.network_tables(header), expected)
    assert expected.max() > 255


def test_two_chroma_tables_give_their_geometric_mean():
    header = jpeg_header.read_header(photograph(16, 16, **FILES["three tables"]))
    luma, chroma = jpeg_header.network_tables(header)
    assert (luma == 3).all()
    np.testing.assert_allclose(chroma, np.sqrt(5 * 7))


def test_a_thumbnail_and_what_follows_the_end_do_not_count():
    data = photograph(70, 50)
    more = with_segment(data, 0xE1, b"Exif\0\0" + photograph(32, 32, "L", quality=90))
    more += photograph(16, 16, quality=95)
    assert jpeg_header.read_header(more) == jpeg_header.read_header(data)


def test_the_decode_is_the_librarys_and_is_not_rotated(data):
    data = with_segment(data, 0xE2, b"ICC_PROFILE\0" + bytes(50))
    file = JpegFile.read(data)
    gray = file.pixels.ndim == 2
    expected = np.repeat(file.pixels[..., None], 3, axis=2) if gray else file.pixels
    np.testing.assert_array_equal(restorer.decode(data), expected)
    with Image.open(io.BytesIO(jpeg_header.without_metadata(data))) as image:
        assert not image.getexif()
        assert not {"icc_profile", "comment"} & set(image.info)


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"subsampling": 0}, "project_444"),
        ({"subsampling": 1}, "project_422"),
        ({"subsampling": 2}, "project_420"),
        ({"mode": "L"}, "project_444"),
    ],
)
def test_the_projection_is_that_of_the_sampling(options, name):
    header = jpeg_header.read_header(photograph(32, 32, **options))
    assert jpeg_header.projection_name(header) == name
    assert jpeg_header.projection_tables(header).shape == (3, 8, 8)


def test_a_sampling_without_a_projection_is_refused():
    data = photograph(32, 32, subsampling=1)
    frame = data.index(b"\xff\xc0")
    assert data[frame + 11] == 0x21
    turned = data[: frame + 11] + b"\x12" + data[frame + 12 :]  # 4:4:0
    with pytest.raises(RestoreError, match="sampling"):
        jpeg_header.projection_name(jpeg_header.read_header(turned))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "not a JPEG"),
        (b"\x89PNG and more", "not a JPEG"),
        (photograph(16, 16, "CMYK"), "YCbCr"),
        (photograph(16, 16, keep_rgb=True), "RGB-coded"),
        (photograph(16, 16).replace(b"\xff\xc0", b"\xff\xc9"), "progressive"),
        (photograph(16, 16).replace(b"\xff\xc0", b"\xff\xc3"), "progressive"),
        (
            photograph(16, 16, "L", qtables=[[9] * 64], quality=50).replace(
                b"\t" * 64, b"\t" * 63 + b"\0"
            ),
            "0",
        ),
        (photograph(16, 16)[:300], "not complete"),
    ],
)
def test_what_cannot_be_restored_is_refused(data, said):
    with pytest.raises(RestoreError, match=said):
        jpeg_header.read_header(data)


def test_broken_headers_are_never_read_beyond_their_end():
    """An IndexError here would be a crash in Swift."""
    rng = np.random.default_rng(0)
    for data in (photograph(16, 16), photograph(16, 16, "L", progressive=True)):
        broken = [data[:size] for size in range(len(data))]
        for _ in range(2000):
            bytes_ = np.frombuffer(data, np.uint8).copy()
            places = rng.integers(2, len(data), rng.integers(1, 6))
            bytes_[places] = rng.integers(0, 256, len(places))
            broken.append(bytes_.tobytes())
        read = 0
        for piece in broken:
            try:
                header = jpeg_header.read_header(piece)
                jpeg_header.without_metadata(piece)
            except RestoreError:
                continue
            assert len(header.tables) == len(header.components)
            read += 1
        assert read > 100


@pytest.mark.parametrize(
    ("seed", "field", "top", "left", "side"),
    [(0, 0, 0, 0, 16), (7, 3, 40, 64, 64), (SEED, 9, 5, 6, 33), (2**64 - 1, 1, 1000, 2, 3)],
)
def test_noise_is_the_librarys(seed, field, top, left, side):
    found = restorer.noise(seed, field, top, left, side)
    np.testing.assert_array_equal(found, noise.window(seed, field, top, left, side, side))


def test_noise_goes_on_before_the_first_row_and_column():
    found = restorer.noise(SEED, 2, -8, -6, 24)
    np.testing.assert_array_equal(found[8:, 6:], noise.window(SEED, 2, 0, 0, 16, 18))
    assert np.isfinite(found).all()
    assert 0.9 < found.std() < 1.1


@pytest.mark.parametrize("size", [1, 16, 47, 96, 127, 128, 129, 144, 250, 4000])
@pytest.mark.parametrize(("tile", "halo"), [(128, 48), (256, 48), (256, 0), (128, 16)])
def test_tiles_keep_every_position_once_and_far_from_cuts(size, tile, halo):
    found = restorer.spans(size, tile, halo)
    rounded = -(-size // restorer.GRID) * restorer.GRID
    kept = np.concatenate([np.arange(span.first, span.last) for span in found])
    np.testing.assert_array_equal(kept, np.arange(size))
    far = halo if rounded >= tile else min(halo, size // 2)
    for span in found:
        assert span.stop - span.start == tile
        assert not span.start % restorer.GRID
        assert span.start <= span.first < span.last <= span.stop or size == 1
        assert span.start == 0 or span.first - span.start >= far
        assert span.stop == rounded or span.stop - span.last >= far
    if rounded >= tile:
        assert all(span.start >= 0 and span.stop <= rounded for span in found)
        assert len(found) == max(1, 1 + -(-(rounded - tile) // (tile - 2 * halo)))


@pytest.mark.parametrize(
    ("width", "height", "mode"),
    [(250, 210, "RGB"), (300, 50, "RGB"), (128, 144, "L"), (100, 75, "RGB")],
    ids=["several tiles", "one row", "gray", "smaller than a tile"],
)
def test_the_restored_picture_is_the_librarys(plain, decoder, width, height, mode):
    data = photograph(width, height, mode)
    found = plain.restore(jpeg_header.read_header(data), restorer.decode(data), SEED)
    expected = decoder.restore(
        data, SEED, options=RestoreOptions(projection="none", earlier_save="off")
    ).pixels
    if mode == "L":
        expected = np.repeat(expected[..., None], 3, axis=2)
    assert np.abs(found.astype(int) - expected).max() <= 1
    assert (found == expected).all(axis=2).mean() >= 0.999
    assert np.abs(found.astype(int) - restorer.decode(data)).max() > 10


def test_files_from_the_field_are_the_librarys(plain, decoder, shared_data):
    """Hidden samples, gray in three components, trailers, missing end markers."""
    options = RestoreOptions(projection="none", earlier_save="off")
    # Less the sidecar, which is no image, and a trailer without an end marker before it, which
    # Pillow, standing in for the phone's decoder, cannot decode.
    files = sorted((shared_data / "found").glob("[!sn]*.jpg"))
    assert len(files) == 9
    for path in files:
        expected = decoder.restore(path, SEED, options).pixels
        if expected.ndim == 2:
            expected = np.repeat(expected[..., None], 3, axis=2)
        data = path.read_bytes()
        found = plain.restore(jpeg_header.read_header(data), restorer.decode(data), SEED)
        near = np.abs(found.astype(int) - expected).max(axis=2) <= 1
        smaller = (
            min(found.shape[:2]) < plain.card.tile
        )  # see test_very_small_pictures_differ_a_little
        assert near.mean() >= (0.9 if smaller else 0.999), path.name
        if (expected == expected[..., :1]).all():
            assert (found == found[..., :1]).all(), path.name


def black_and_white(width: int, height: int, **options: object) -> bytes:
    """A gray photograph in three components."""
    with Image.open(io.BytesIO(photograph(width, height, "L", quality=95))) as image:
        return saved(np.asarray(image.convert("RGB")), **{"quality": 30, **options})


@pytest.mark.parametrize("subsampling", [0, 2])
def test_a_gray_picture_in_three_components_stays_gray(network, card, projection, subsampling):
    data = black_and_white(160, 140, subsampling=subsampling)
    header, decoded = jpeg_header.read_header(data), restorer.decode(data)
    assert len(header.components) == 3
    for projected in (None, projection):
        own = restorer.Restorer(network, card, projected, threads=1)
        found = own.restore(header, decoded, SEED)
        assert (found == found[..., :1]).all()
        assert np.abs(found.astype(int) - decoded).max() > 5


def test_colour_is_kept_where_the_library_keeps_it():
    picture = np.full((100, 140, 3), 7, np.uint8)
    picture[40, 60] = picture[99, 139] = 9, 7, 7
    kept = restorer.kept_colour(picture)
    np.testing.assert_array_equal(kept, colour.weights(picture))
    assert set(kept.ravel()) == {0, 0.5, 1}
    tile = np.random.default_rng(0).normal(100, 30, (100, 140, 3)).astype(np.float32)
    expected = tile.copy()
    colour.damp(expected, kept)
    whole = restorer.Span(0, 100, 0, 100), restorer.Span(0, 140, 0, 140)
    np.testing.assert_allclose(restorer.damp(tile, *whole, kept), expected, rtol=1e-5)
    early = restorer.Span(-64, 64, 0, 50)  # begins before the picture, as tiles of small ones do
    shifted = restorer.damp(np.tile(tile[:64], (2, 1, 1)), early, whole[1], kept)
    np.testing.assert_allclose(shifted[64:], expected[:64], rtol=1e-5)


def test_very_small_pictures_differ_a_little(plain, decoder):
    """Both ends of an axis lie within the halo of the pixels beyond the picture."""
    for side, allowed in ((48, 1), (16, 6)):
        data = photograph(side, side)
        found = plain.restore(jpeg_header.read_header(data), restorer.decode(data), SEED)
        expected = decoder.restore(
            data, SEED, options=RestoreOptions(projection="none", earlier_save="off")
        ).pixels
        difference = np.abs(found.astype(int) - expected)
        assert difference.max() <= allowed
        assert difference.mean() < 0.5


@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, {"subsampling": 0}, {"mode": "L"}], ids=str)
def test_the_projection_comes_near_the_librarys(network, card, projection, plain, options):
    data = photograph(160, 128, **options)
    file, header, decoded = (
        JpegFile.read(data),
        jpeg_header.read_header(data),
        restorer.decode(data),
    )
    found = restorer.Restorer(network, card, projection, threads=1).restore(header, decoded, SEED)
    before = plain.restore(header, decoded, SEED)
    expected = Decoder("default").restore(
        data, SEED, options=RestoreOptions(projection="float", earlier_save="off")
    )

    def levels_equal(picture: np.ndarray) -> int:
        pixels = picture[..., 0] if file.quantized.sampling == GRAY else picture
        pixels = np.ascontiguousarray(pixels)
        return certify(pixels, file.quantized).levels_equal

    assert levels_equal(before) < levels_equal(found)
    total = expected.certificate.levels_total
    assert expected.certificate.levels_equal - levels_equal(found) < 0.002 * total
    assert (found == found[..., :1]).all() == (file.quantized.sampling == GRAY)
    pixels = found[..., 0] if file.quantized.sampling == GRAY else found
    assert np.abs(pixels.astype(int) - expected.pixels).mean() < 0.1


def test_it_reports_progress_and_can_be_cancelled(plain):
    data = photograph(140, 100)
    header, decoded = jpeg_header.read_header(data), restorer.decode(data)
    told: list[float] = []
    plain.restore(header, decoded, progress=told.append)
    assert told == [0.25, 0.5, 0.75, 1.0]
    told.clear()
    with pytest.raises(restorer.CancelledError):
        plain.restore(header, decoded, cancelled=lambda: len(told) == 2, progress=told.append)
    assert told == [0.25, 0.5]


def test_what_is_not_finite_or_of_another_size_is_refused(plain):
    span = restorer.Span(0, 16, 0, 16)
    tile = np.zeros((16, 16, 3), np.float32)
    tile[3, 4, 1] = np.nan
    with pytest.raises(RestoreError, match="not finite"):
        restorer.paste(tile, span, span, np.zeros((16, 16, 3), np.uint8))
    header = jpeg_header.read_header(photograph(32, 16))
    with pytest.raises(RestoreError, match="another size"):
        plain.restore(header, np.zeros((32, 16, 3), np.uint8))


@pytest.mark.parametrize(("tile", "said"), [(None, "any size"), (96, "too small")])
def test_a_card_of_other_tiles_is_refused(tile, said):
    with pytest.raises(RestoreError, match=said):
        restorer.read_card(json.dumps({"tile": tile, "halo": 48, "noise_strides": [2]}))


def test_the_program_restores_a_file(network, card, tmp_path):
    (tmp_path / "n.tflite").write_bytes(network)
    values = {"tile": card.tile, "halo": card.halo, "noise_strides": card.noise_strides}
    (tmp_path / "n.tflite.json").write_text(json.dumps(values))
    (tmp_path / "in.jpg").write_bytes(photograph(60, 50))
    (tmp_path / "bad.jpg").write_bytes(b"GIF89a")

    def program(name: str) -> subprocess.CompletedProcess:
        files = [tmp_path / "n.tflite", tmp_path / name, tmp_path / "out.png"]
        command = [sys.executable, MOBILE / "restorer.py", *files, "--seed=3"]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    assert program("in.jpg").returncode == 0
    with Image.open(tmp_path / "out.png") as image:
        assert image.size == (60, 50)
    done = program("bad.jpg")
    assert done.returncode == 1
    assert done.stderr.endswith("bad.jpg: not a JPEG file\n")


FUNCTION = {
    "py": r"^ *def (\w+)\(",
    "kt": r"^ *(?:override |private )*fun (?:ByteArray\.)?(\w+)\(",
    "swift": r"^ *(?:private )*func (\w+)\(",
}
# What only one language needs: constructors, and the command line, which is an app elsewhere.
OF_ONE_LANGUAGE = {"py": {"__init__", "main"}, "kt": {"at", "close"}, "swift": {"at"}}


def camel(name: str) -> str:
    return re.sub(r"_(\w)", lambda found: found[1].upper(), name)


def source(name: str, language: str) -> str:
    named = name if language == "py" else camel("_" + name)
    return (MOBILE / f"{named}.{language}").read_text()


@pytest.mark.parametrize("name", ["jpeg_header", "restorer"])
def test_the_languages_have_the_same_functions_in_the_same_order(name):
    found = {
        language: [
            camel(function)
            for function in re.findall(pattern, source(name, language), re.MULTILINE)
            if function not in OF_ONE_LANGUAGE[language]
        ]
        for language, pattern in FUNCTION.items()
    }
    assert len(found["py"]) >= 10
    assert found["kt"] == found["py"]
    assert found["swift"] == found["py"]


@pytest.mark.parametrize("module", [jpeg_header, restorer], ids=lambda module: module.__name__)
def test_the_languages_have_the_same_constants_and_texts(module):
    constants = {key: value for key, value in vars(module).items() if key.isupper()}
    texts = set(re.findall(r'RestoreError\("(.*)"\)', source(module.__name__, "py")))
    assert len(constants) >= 5
    assert len(texts) >= 3
    for language in ("kt", "swift"):
        code = source(module.__name__, language)
        for key, value in constants.items():
            line = re.search(rf"(?:val|let) {key}\b[^=]*=(.*?)\n(?! )", code, re.DOTALL)
            assert line, key
            numbers = [int(found, 0) for found in re.findall(r"0x[0-9A-F_]+|\d+", line[1])]
            assert numbers == list(np.atleast_1d(value)), key
        for text in texts:
            assert text in code, text
