"""A JPEG file's header in a TensorFlow graph: sizes, sampling and tables from its bytes.

Walks the marker segments up to the first scan (ITU-T T.81, annex B). What it refuses becomes an
InvalidArgument error that begins with the file's position in its batch.
"""

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from keras_jpeg_gan.jpeg.header import ZIGZAG
from keras_jpeg_gan.jpeg.tables import quality_tables

_SOI, _EOI, _SOS, _DQT, _APP14 = 0xD8, 0xD9, 0xDA, 0xDB, 0xEE
# Start of frame: sequential and progressive with Huffman codes, which TensorFlow decodes.
_FRAMES = (0xC0, 0xC1, 0xC2)
_OTHER_FRAMES = (0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF)
_FRAME_BYTES = 6 + 3 * 3
# Where the end of the image is looked for: bytes at the file's end.
_TAIL = 4096

_QUALITIES = np.log([quality_tables(quality) for quality in range(1, 101)]).astype(np.float32)


class Header(NamedTuple):
    """What a graph knows of a file.

    Attributes:
        height, width: [] int32; components: [] int32, 1 or 3.
        factors: [3, 2] int32, across and down; of a gray file ones.
        tables: [3, 8, 8] float32 steps in natural order; a gray file's three times.
    """

    height: Any
    width: Any
    components: Any
    factors: Any
    tables: Any


def parse(content: Any, position: Any) -> tuple[Header, Any]:
    """The header of a file, and its content for what comes after the checks.

    Args:
        content: [] string; position: [] integer, of the file in its batch.
    """
    start = _octets(content, 0, 4)[:3]
    sound = tf.reduce_all(start == [0xFF, _SOI, 0xFF])
    content = checked(sound, position, "not a JPEG file", content)
    tail = _octets(content, tf.strings.length(content) - _TAIL, _TAIL)
    ended = tf.reduce_any((tail[:-1] == 0xFF) & (tail[1:] == _EOI))
    content = checked(ended, position, "truncated: no end of image", content)
    tables, frame = _walk(content, position)
    frame = checked(frame[0] == 8, position, "not 8 bits a sample", frame)
    sound = (frame[5] == 1) | (frame[5] == 3)
    frame = checked(sound, position, "neither grayscale nor YCbCr", frame)
    components = frame[5]
    height, width = 256 * frame[1] + frame[2], 256 * frame[3] + frame[4]
    height = checked((height > 0) & (width > 0), position, "an empty image", height)
    parts = tf.reshape(frame[6:], (3, 3))
    parts = tf.where(components == 1, parts[:1], parts)
    factors = tf.stack([parts[:, 1] // 16, parts[:, 1] % 16], axis=1)
    sound = tf.reduce_all((factors > 0) & (factors < 5))
    factors = checked(sound, position, "impossible sampling", factors)
    factors = tf.where(components == 1, tf.ones_like(factors), factors)
    used = tf.gather(tables, tf.minimum(parts[:, 2], 3))
    sound = tf.reduce_all(used > 0)
    used = checked(sound, position, "a quantization table is missing or has a zero", used)
    steps = tf.cast(tf.reshape(used, (3, 8, 8)), tf.float32)
    header = Header(height, width, components, factors, steps)
    with tf.control_dependencies(header):
        return header, tf.identity(content)


def network_tables(tables: Any) -> Any:
    """[3, 8, 8] float32 steps -> [2, 8, 8], as `jpeg.tables.network_tables`."""
    logarithms = tf.math.log(tables)
    return tf.exp(tf.stack([logarithms[0], tf.reduce_mean(logarithms[1:], axis=0)]))


def estimated_quality(header: Header) -> Any:
    """[] int32, as `jpeg.tables.estimate_quality`."""
    given = tf.math.log(header.tables[:2])
    weights = tf.stack([1.0, tf.cast(header.components == 3, tf.float32)])
    distances = tf.reduce_mean(tf.abs(_QUALITIES - given), axis=(2, 3)) @ weights[:, None]
    return 1 + tf.argmin(distances[:, 0], output_type=tf.int32)


def _walk(content: Any, position: Any) -> tuple[Any, Any]:
    """Tables by their number, [4, 64] int32 in natural order, and the frame's bytes."""

    def unfinished(at: Any, code: Any, tables: Any, frame: Any) -> Any:
        return code != _SOS

    def step(at: Any, code: Any, tables: Any, frame: Any) -> tuple[Any, ...]:
        marker = _octets(content, at, 4)
        marker = checked(marker[0] == 0xFF, position, "damaged before its first scan", marker)
        other = "lossless, hierarchical or arithmetic coding, which is not read here"
        read = ~tf.reduce_any(marker[1] == _OTHER_FRAMES)
        marker = checked(read, position, other, marker)
        code = marker[1]
        length = 256 * marker[2] + marker[3]
        body = _octets(content, at + 4, length - 2)
        fill = code == 0xFF  # fill bytes may stand before a marker
        tables = tf.cond(code == _DQT, lambda: _read_tables(body, tables, position), lambda: tables)
        adobe = tf.pad(body, [[0, 12]])[:12]  # "Adobe", version, flags, transform
        named = (code == _APP14) & tf.reduce_all(adobe[:5] == list(b"Adobe"))
        body = checked(~named | (adobe[11] == 1), position, "RGB-coded", body)
        is_frame = tf.reduce_any(code == _FRAMES)
        padded = tf.pad(body, [[0, _FRAME_BYTES]])[:_FRAME_BYTES]
        frame = tf.where(is_frame, padded, frame)
        return at + tf.where(fill, 1, 2 + tf.maximum(length, 2)), code, tables, frame

    start = (2, 0, tf.zeros((4, 64), tf.int32), tf.zeros((_FRAME_BYTES,), tf.int32))
    _, _, tables, frame = tf.while_loop(unfinished, step, start)
    return tables, frame


def _read_tables(body: Any, tables: Any, position: Any) -> Any:
    """The tables [4, 64] with those of a DQT segment."""

    def unfinished(at: Any, tables: Any) -> Any:
        return at < tf.size(body)

    def step(at: Any, tables: Any) -> tuple[Any, Any]:
        wide, number = body[at] // 16, body[at] % 16
        size = 64 * (1 + wide)
        sound = (wide < 2) & (number < 4) & (at + size < tf.size(body))
        at = checked(sound, position, "a damaged quantization table", at)
        values = body[at + 1 : at + 1 + size]
        narrow_or_wide = tf.cond(
            wide == 1, lambda: 256 * values[::2] + values[1::2], lambda: values
        )
        natural = tf.scatter_nd(ZIGZAG[:, None], narrow_or_wide, (64,))
        return at + 1 + size, tf.tensor_scatter_nd_update(tables, [[number]], [natural])

    return tf.while_loop(unfinished, step, (0, tables))[1]


def _octets(content: Any, at: Any, count: Any) -> Any:
    """[n] int32, n at most count: less where the file ends."""
    size = tf.strings.length(content)
    at = tf.clip_by_value(at, 0, size)
    count = tf.clip_by_value(count, 0, size - at)
    part = tf.io.decode_raw(tf.strings.substr(content, at, count), tf.uint8)
    # A file that ends within a marker is padded with zeros, which are none.
    return tf.cast(
        tf.cond(tf.size(part) < 4, lambda: tf.pad(part, [[0, 4]]), lambda: part), tf.int32
    )


def checked(condition: Any, position: Any, reason: str, value: Any) -> Any:
    """The value, which is not computed with unless the condition holds."""
    said = tf.strings.format("image_bytes[{}]: " + reason, position)
    with tf.control_dependencies([tf.debugging.Assert(condition, [said])]):
        return tf.identity(value)
