"""Real JPEG files, and ways to break them: by byte, by segment, by what the standard forbids.

A mutation takes the bytes of a file and a random generator, and gives other bytes. Most know the
segments, so that what they break is met behind the first checks.
"""

import io
import pathlib
import struct
from collections.abc import Callable

import numpy as np
from PIL import Image

from keras_jpeg_gan.jpeg.encoder import encode
from keras_jpeg_gan.jpeg.sampling import Sampling
from keras_jpeg_gan.jpeg.tables import quality_tables

Mutation = Callable[[bytes, np.random.Generator], bytes]

_SAMPLINGS = ("gray", "4:4:4", "4:2:2", "4:4:0", "4:2:0", "4:1:1", "2x2,1x2,1x1")
_LARGEST_OF_FOLDERS = 200_000
_LEAST = 20  # bytes: less is not worth breaking
_EDGES = (0, 1, 2, 7, 8, 16, 63, 64, 127, 128, 254, 255)
_SIZES = (0, 1, 2, 7, 8, 9, 16, 17, 64, 255, 256, 1000, 4096, 16384, 32767, 65500, 65535)
_ALONE = {0x01, 0xD8, 0xD9, *range(0xD0, 0xD8)}
_DQT, _DHT, _SOS, _DRI, _APP1, _APP2 = 0xDB, 0xC4, 0xDA, 0xDD, 0xE1, 0xE2
_FRAMES = {0xC0, 0xC1, 0xC2, 0xC9, 0xCA}


def made_files() -> list[bytes]:
    """Small files of every sampling, kind and metadata that libjpeg's encoder writes."""
    files = []
    luma, chroma = quality_tables(40)
    for k, sampling in enumerate(_SAMPLINGS):
        gray = sampling == "gray"
        tables = [luma] if gray else [luma, chroma, chroma]
        files.append(encode(_picture(33 + k, 49 + 2 * k, gray), tables, Sampling.parse(sampling)))
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "maker"
    rich = {"exif": exif, "icc_profile": bytes(range(256)) * 300, "xmp": b"<x:xmpmeta/>"}
    for quality in (1, 75, 100):
        for options in ({}, {"progressive": True}, {"restart_marker_blocks": 2}, rich):
            files.append(_saved(_picture(40, 56), quality=quality, **options))
    files.append(_saved(_picture(24, 24, gray=True), progressive=True, comment=b"hm"))
    files.append(_saved(_picture(400, 600), quality=30, progressive=True))
    return files


def files_of(folder: pathlib.Path) -> list[bytes]:
    """The files of a folder at any depth that are not too large to be broken often."""
    paths = sorted(path for path in folder.rglob("*.jp*g") if path.is_file())
    return [path.read_bytes() for path in paths if path.stat().st_size <= _LARGEST_OF_FOLDERS]


def mutated(files: list[bytes], generator: np.random.Generator) -> bytes:
    """One of the files after a few mutations."""
    data = files[generator.integers(len(files))]
    for _ in range(generator.integers(1, 5)):
        if len(data) >= _LEAST:
            data = MUTATIONS[generator.integers(len(MUTATIONS))](data, generator)
    return data


def _picture(height: int, width: int, gray: bool = False) -> np.ndarray:
    generator = np.random.default_rng(height)
    y, x = np.mgrid[:height, :width]
    waves = 128 + 90 * np.sin(x / 5)[..., None] + 60 * np.cos(y / 7)[..., None] * [1, 0.5, -1]
    pixels = np.clip(waves + generator.normal(0, 8, waves.shape), 0, 255).astype(np.uint8)
    return pixels[..., 0] if gray else pixels


def _saved(pixels: np.ndarray, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", **options)
    return buffer.getvalue()


def _segments(data: bytes) -> list[tuple[int, int, int]]:
    """Code, start and stop of each segment up to the first damage; a scan's data is its own."""
    found, position = [], 2
    while position + 4 <= len(data) and data[position] == 0xFF:
        code = data[position + 1]
        if code in _ALONE or code in (0x00, 0xFF):
            break
        stop = position + 2 + int.from_bytes(data[position + 2 : position + 4], "big")
        if code == _SOS:
            while stop + 1 < len(data) and (data[stop] != 0xFF or data[stop + 1] in _ALONE | {0}):
                stop += 1
        stop = min(stop, len(data))
        found.append((code, position, stop))
        position = stop
    return found


def _one(data: bytes, generator: np.random.Generator, codes: set[int]) -> tuple[int, int] | None:
    """Where a segment of one of these codes starts and stops, if there is one."""
    fitting = [(start, stop) for code, start, stop in _segments(data) if code in codes]
    return fitting[generator.integers(len(fitting))] if fitting else None


def _segment(code: int, content: bytes) -> bytes:
    return bytes((0xFF, code)) + struct.pack(">H", min(len(content) + 2, 65535)) + content


def _put(data: bytes, position: int, value: bytes) -> bytes:
    return data[:position] + value + data[position + len(value) :]


def _flip_bits(data: bytes, generator: np.random.Generator) -> bytes:
    broken = bytearray(data)
    for position in generator.integers(0, len(data), generator.integers(1, 9)):
        broken[position] ^= 1 << generator.integers(8)
    return bytes(broken)


def _flip_early_bits(data: bytes, generator: np.random.Generator) -> bytes:
    return _flip_bits(data[:700], generator) + data[700:]


def _write_bytes(data: bytes, generator: np.random.Generator) -> bytes:
    value = bytes(generator.choice(_EDGES, generator.integers(1, 9)).astype(np.uint8))
    return _put(data, generator.integers(len(data)), value)


def _cut(data: bytes, generator: np.random.Generator) -> bytes:
    return data[: generator.integers(3, len(data))]


def _drop_range(data: bytes, generator: np.random.Generator) -> bytes:
    start = generator.integers(2, len(data))
    return data[:start] + data[start + generator.integers(1, 200) :]


def _repeat_range(data: bytes, generator: np.random.Generator) -> bytes:
    start = generator.integers(2, len(data))
    part = data[start : start + generator.integers(1, 200)]
    return data[:start] + part * int(generator.integers(2, 20)) + data[start:]


def _drop_segment(data: bytes, generator: np.random.Generator) -> bytes:
    start, stop = _one(data, generator, set(range(256))) or (0, 0)
    return data[:start] + data[stop:]


def _repeat_segment(data: bytes, generator: np.random.Generator) -> bytes:
    start, stop = _one(data, generator, set(range(256))) or (0, 0)
    return data[:start] + data[start:stop] * int(generator.integers(2, 30)) + data[stop:]


def _move_segment(data: bytes, generator: np.random.Generator) -> bytes:
    start, stop = _one(data, generator, set(range(256))) or (0, 0)
    rest = data[:start] + data[stop:]
    _, there = _one(rest, generator, set(range(256))) or (0, 2)
    return rest[:there] + data[start:stop] + rest[there:]


def _change_code(data: bytes, generator: np.random.Generator) -> bytes:
    start, _ = _one(data, generator, set(range(256))) or (0, 0)
    return _put(data, start + 1, bytes([generator.integers(0xC0, 0x100)]))


def _change_length(data: bytes, generator: np.random.Generator) -> bytes:
    start, _ = _one(data, generator, set(range(256))) or (0, 0)
    return _put(data, start + 2, struct.pack(">H", generator.choice(_SIZES)))


def _change_size(data: bytes, generator: np.random.Generator) -> bytes:
    start, _ = _one(data, generator, _FRAMES) or (0, 0)
    return _put(data, start + 5, struct.pack(">2H", *generator.choice(_SIZES, 2)))


def _change_frame(data: bytes, generator: np.random.Generator) -> bytes:
    start, stop = _one(data, generator, _FRAMES) or (2, 20)
    return _put(data, generator.integers(start, stop), bytes([generator.choice(_EDGES)]))


def _change_sampling(data: bytes, generator: np.random.Generator) -> bytes:
    start, stop = _one(data, generator, _FRAMES) or (0, 0)
    for position in range(start + 11, stop, 3):
        across, down = generator.integers(1, 5, 2)
        data = _put(data, position, bytes([across << 4 | down]))
    return data


def _change_table(data: bytes, generator: np.random.Generator) -> bytes:
    start, stop = _one(data, generator, {_DQT}) or (0, 2)
    kind = generator.integers(4)
    if kind == 0:
        steps = bytes(generator.choice(_EDGES, stop - start).astype(np.uint8))
        return _put(data, start + 5, steps[: max(0, stop - start - 5)])
    if kind == 1:
        return _put(data, start + 5, bytes([generator.integers(256)]) * max(0, stop - start - 5))
    if kind == 2:
        wide = bytes([0x10 | generator.integers(4)]) + generator.bytes(128)
        return data[:start] + _segment(_DQT, wide) + data[stop:]
    return _put(data, start + 4, bytes([generator.integers(256)]))


def _change_codes(data: bytes, generator: np.random.Generator) -> bytes:
    start, _ = _one(data, generator, {_DHT}) or (0, 0)
    return _put(data, start + generator.integers(2, 40), generator.bytes(3))


def _change_scan(data: bytes, generator: np.random.Generator) -> bytes:
    start, _ = _one(data, generator, {_SOS}) or (2, 0)
    return _put(data, start + generator.integers(2, 14), bytes([generator.choice(_EDGES)]))


def _change_restarts(data: bytes, generator: np.random.Generator) -> bytes:
    start, _ = _one(data, generator, {_SOS}) or (2, 0)
    interval = struct.pack(">H", generator.choice(_SIZES))
    return data[:start] + _segment(_DRI, interval) + data[start:]


def _bomb_scans(data: bytes, generator: np.random.Generator) -> bytes:
    start, stop = _one(data, generator, {_SOS}) or (0, 0)
    return data[:stop] + data[start:stop][:300] * int(generator.integers(10, 600)) + data[stop:]


def _add_exif(data: bytes, generator: np.random.Generator) -> bytes:
    order = generator.choice(["<", ">"])
    count = int(generator.choice([0, 1, 3, 200, 65535]))
    entries = b"".join(
        struct.pack(
            order + "HHII",
            generator.choice([0x0100, 0x0112, 0x011A, 0x0201, 0x0202, 0x8769, 0x8825, 0x927C]),
            generator.integers(0, 15),
            generator.choice([0, 1, 4, 65535, 2**31, 2**32 - 1]),
            generator.choice([0, 3, 8, 26, 100, 65000, 2**31, 2**32 - 1]),
        )
        for _ in range(min(count, 300))
    )
    head = struct.pack(order + "2sHIH", b"II" if order == "<" else b"MM", 42, 8, count)
    following = struct.pack(order + "I", generator.choice([0, 8, 10, 2**32 - 1]))
    content = b"Exif\0\0" + head + entries + following + generator.bytes(40)
    return data[:2] + _segment(_APP1, content) * int(generator.integers(1, 4)) + data[2:]


def _add_profile(data: bytes, generator: np.random.Generator) -> bytes:
    chunks = [
        _segment(
            _APP2,
            b"ICC_PROFILE\0" + bytes(generator.choice(_EDGES, 2).astype(np.uint8)) + bytes(60),
        )
        for _ in range(generator.integers(1, 300))
    ]
    return data[:2] + b"".join(chunks) + data[2:]


def _add_junk(data: bytes, generator: np.random.Generator) -> bytes:
    _, stop = _one(data, generator, set(range(256))) or (0, 2)
    junk = bytes([generator.choice([0, 1, 0xD0, 0xFE, 0xFF])]) * int(generator.integers(1, 3000))
    return data[:stop] + junk + data[stop:]


def _append(data: bytes, generator: np.random.Generator) -> bytes:
    return data + data[generator.integers(0, 3) :]


MUTATIONS: tuple[Mutation, ...] = (
    _flip_bits,
    _flip_early_bits,
    _write_bytes,
    _cut,
    _drop_range,
    _repeat_range,
    _drop_segment,
    _repeat_segment,
    _move_segment,
    _change_code,
    _change_length,
    _change_size,
    _change_frame,
    _change_sampling,
    _change_table,
    _change_codes,
    _change_scan,
    _change_restarts,
    _bomb_scans,
    _add_exif,
    _add_profile,
    _add_junk,
    _append,
)
