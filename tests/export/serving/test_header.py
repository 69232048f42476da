"""The header that the graph reads: as the command reads it, and refused where that refuses."""

import io
import pathlib
from collections.abc import Callable

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from export.serving.header import Header, parse
from keras_jpeg_gan.errors import JpegFormatError
from keras_jpeg_gan.jpeg.header import Header as CommandsHeader
from keras_jpeg_gan.jpeg.header import read_header

ADOBE = b"Adobe\0\x64\0\0\0\0"
JFIF = b"JFIF\0\1\1\0\0\1\0\1\0\0"


def jpeg(mode: str = "RGB", **options: object) -> bytes:
    buffer = io.BytesIO()
    image = Image.linear_gradient("L").resize((40, 24)).convert(mode)
    image.save(buffer, "JPEG", **{"quality": 30, **options})
    return buffer.getvalue()


def segment(code: int, content: bytes) -> bytes:
    return bytes([0xFF, code]) + (len(content) + 2).to_bytes(2, "big") + content


def with_colours(data: bytes, jfif: bool, adobe: int | None, names: bytes = b"") -> bytes:
    """A file of Pillow's, with other marks of its colours."""
    assert data[2:4] == b"\xff\xe0"
    rest = data[2 + 18 :]
    if names:
        frame, scan = rest.index(b"\xff\xc0") + 10, rest.index(b"\xff\xda") + 5
        changed = bytearray(rest)
        for i, name in enumerate(names):
            changed[frame + 3 * i] = changed[scan + 2 * i] = name
        rest = bytes(changed)
    marks = segment(0xE0, JFIF) if jfif else b""
    marks += segment(0xEE, ADOBE + bytes([adobe])) if adobe is not None else b""
    return data[:2] + marks + rest


@pytest.fixture(scope="module")
def in_graph() -> Callable[[bytes], tuple[Header, bytes]]:
    """`parse` as a server runs it; InvalidArgumentError where it refuses."""
    function = tf.function(
        lambda content: parse(content, tf.constant(7)),
        input_signature=[tf.TensorSpec((), tf.string)],
        autograph=False,
    )

    def run(data: bytes) -> tuple[Header, bytes]:
        header, content = function(tf.constant(data))
        return Header(*(part.numpy() for part in header)), content.numpy()

    return run


def difference(in_graph: Callable, data: bytes) -> str:
    """How the graph's outcome differs from the command's; empty if it does not."""
    expected, reason = commands_header(data)
    try:
        found, content = in_graph(data)
    except tf.errors.InvalidArgumentError as error:
        return "" if expected is None else f"refused: {error.message}"
    if expected is None:
        return f"accepted, though {reason}"
    count = len(expected.components)
    factors = [(part.across, part.down) for part in expected.components]
    same = (
        (found.height, found.width, found.components) == (expected.height, expected.width, count)
        and (count == 1 or np.array_equal(found.factors, factors))
        and np.array_equal(found.tables[:count], np.stack(expected.tables))
        and content == data[: expected.end]
    )
    return "" if same else f"{found} instead of {expected}"


def commands_header(data: bytes) -> tuple[CommandsHeader | None, str]:
    """The header of a file that the graph is to accept, or why it is not."""
    try:
        header = read_header(data)
    except JpegFormatError as error:
        return None, str(error)
    if not header.complete:
        return None, "no end-of-image marker, which TensorFlow's decoder wants"
    if len(header.model.parts) > 1:
        return None, f"{header.model.value}, of which exported models do not know"
    if "arithmetic" in header.frame:
        return None, "arithmetic coding, which TensorFlow's decoder lacks"
    return header, ""


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize(
    "trailer",
    [bytes(5000), b"\xff" * 5000, 100 * b"\xff\xd8\xff\xe1\0\x10moov", jpeg(quality=95)],
    ids=["zeros", "fill", "segments", "another JPEG"],
)
def test_what_follows_the_end_of_the_image_does_not_count(in_graph, mode, trailer):
    data = jpeg(mode)
    header, content = in_graph(data + trailer)
    assert content == data
    assert not difference(in_graph, data + trailer)
    np.testing.assert_array_equal(header.tables, in_graph(data)[0].tables)


@pytest.mark.parametrize(
    ("data", "accepted"),
    [
        (with_colours(jpeg("L"), False, 0), True),
        (with_colours(jpeg("L"), True, 1), True),
        (with_colours(jpeg(), True, 0), True),
        (with_colours(jpeg(), False, 0), False),
        (with_colours(jpeg(), False, 1), True),
        (with_colours(jpeg(), False, 2), True),
        (with_colours(jpeg(), False, None), True),
        (with_colours(jpeg(), False, None, b"RGB"), False),
        (with_colours(jpeg(), False, 1, b"RGB"), True),
        (with_colours(jpeg(), True, None, b"RGB"), True),
    ],
)
def test_libjpegs_rule_says_which_colours_a_file_has(in_graph, data, accepted):
    assert not difference(in_graph, data)
    if accepted:
        assert in_graph(data)[0].height == 24
    else:
        with pytest.raises(tf.errors.InvalidArgumentError, match="RGB-coded"):
            in_graph(data)


def test_a_table_counts_as_it_stands_when_its_components_first_scan_begins(in_graph):
    data = jpeg("L", progressive=True, quality=50, qtables=[[9] * 64])
    scans = [i for i in range(len(data)) if data[i : i + 2] == b"\xff\xda"]
    assert len(scans) > 1
    again = segment(0xDB, bytes([0]) + bytes([5]) * 64)
    for place, steps in ((scans[0], 5), (scans[1], 9)):
        changed = data[:place] + again + data[place:]
        assert (in_graph(changed)[0].tables == steps).all()
        assert not difference(in_graph, changed)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "not a JPEG"),
        (b"\xff\xd8\xff", "truncated"),
        (jpeg()[:-2], "truncated"),
        (jpeg().replace(b"\xff\xda", b"\xff\xd9", 1), "no image data"),
        (jpeg("CMYK"), "CMYK or YCCK"),
        (jpeg().replace(b"\xff\xc0\0\x11\x08\0\x18", b"\xff\xc0\0\x11\x08\xff\xff"), "side above"),
        (jpeg().replace(b"\xff\xc0", b"\xff\xc9"), "arithmetic"),
        (
            jpeg().replace(b"\xff\xc0\0\x11\x08\0\x18\0\x28", b"\xff\xc0\0\x11\x08\x40\0\x40\0"),
            "hold",
        ),
        (jpeg()[:2] + 5000 * segment(0xFE, b"") + jpeg()[2:], "segments"),
    ],
)
def test_what_cannot_be_restored_is_refused_with_the_reason(in_graph, data, said):
    with pytest.raises(tf.errors.InvalidArgumentError, match=rf"image_bytes\[7\]: .*{said}"):
        in_graph(data)


def test_damaged_headers_have_the_commands_outcome(in_graph):
    rng = np.random.default_rng(0)
    refused = 0
    for data in (jpeg(), jpeg("L", progressive=True), jpeg(subsampling=0, progressive=True)):
        header = data.index(b"\xff\xda") + 14
        for _ in range(100):
            octets = np.frombuffer(data, np.uint8).copy()
            places = rng.integers(2, header, rng.integers(1, 4))
            octets[places] = rng.choice([0, 1, 0x11, 0x22, 0xDB, 0xFF, rng.integers(256)])
            found = difference(in_graph, octets.tobytes())
            assert not found
            try:
                in_graph(octets.tobytes())
            except tf.errors.InvalidArgumentError:
                refused += 1
    assert 30 < refused < 270


def test_files_from_the_field_have_the_commands_outcome(
    in_graph, shared_data: pathlib.Path
) -> None:
    differences = {}
    folders = [shared_data / name for name in ("robustness/valid", "real", "found")]
    files = [path for folder in folders for path in sorted(folder.iterdir()) if path.is_file()]
    assert len(files) > 350
    for path in files:
        found = difference(in_graph, path.read_bytes())
        if found:
            differences[path.name] = found
    assert not differences
