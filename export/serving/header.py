"""A JPEG file's header in a TensorFlow graph: size, sampling and tables from its bytes.

Walks the markers as `keras_jpeg_gan.jpeg.header` does (ITU-T T.81, annex B) and accepts what that
accepts, but for what TensorFlow's decoder cannot take: arithmetic coding, and files without an
end-of-image marker. A refusal is an InvalidArgument error that begins with the file's position
in its batch.
"""

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from keras_jpeg_gan.jpeg.header import ZIGZAG
from keras_jpeg_gan.jpeg.limits import FileLimits
from keras_jpeg_gan.jpeg.tables import quality_tables

_SOI, _EOI, _SOS, _DQT, _APP0, _APP14 = 0xD8, 0xD9, 0xDA, 0xDB, 0xE0, 0xEE
# Start of frame: sequential and progressive with Huffman codes, which TensorFlow decodes.
_FRAMES = (0xC0, 0xC1, 0xC2)
_OTHER_FRAMES = (0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF)
# Bytes of a frame header of three components, the most that any segment is read for but tables.
_FRAME_BYTES = 6 + 3 * 3
_NO_TABLE = 4  # a row of the tables that is never defined
_LARGEST_SIDE = 65500  # libjpeg's JPEG_MAX_DIMENSION
# Files of 500 scans with Huffman tables for each have fewer; each takes time in the graph.
_MOST_SEGMENTS = 4096
_LIMITS = FileLimits()

_QUALITIES = np.log([quality_tables(quality) for quality in range(1, 101)]).astype(np.float32)


class Header(NamedTuple):
    """What a graph knows of a file.

    Attributes:
        height: [] int32, pixels.
        width: [] int32, pixels.
        components: [] int32, 1 or 3.
        factors: [3, 2] int32, across and down; all ones for a gray file.
        tables: [3, 8, 8] float32 steps in natural order; a gray file's is repeated.
    """

    height: Any
    width: Any
    components: Any
    factors: Any
    tables: Any


class _Walk(NamedTuple):
    """How far a walk over the markers has come, and what it has found.

    Attributes:
        at: [] int32, where the last segment ends.
        segments: [] int32, how many there were.
        ended: [] bool, there is no further one.
        complete: [] bool, it ended with an end-of-image marker.
        frame: [15] int32, content of the frame header.
        frame_size: [] int32, its length in bytes; 0 before it.
        scans: [] int32, how many begin.
        jfif: [] bool, a JFIF segment was there.
        adobe: [] int32, the colour transform of an Adobe segment, or -1.
        rgb: [] bool, libjpeg takes three components for RGB.
        tables: [5, 64] int32, those defined, by their numbers; -1 where there is none.
        latched: [3, 64] int32, those of the components as their first scans begin, or -1.
    """

    at: Any
    segments: Any
    ended: Any
    complete: Any
    frame: Any
    frame_size: Any
    scans: Any
    jfif: Any
    adobe: Any
    rgb: Any
    tables: Any
    latched: Any


def parse(content: Any, position: Any) -> tuple[Header, Any]:
    """The header of a file, and the file up to its end-of-image marker, once it is checked.

    Args:
        content: [] string.
        position: [] integer, of the file in its batch.
    """
    # The walk ends at the latest at an end-of-image marker behind the file.
    octets = tf.concat([tf.io.decode_raw(content, tf.uint8), [0xFF, _EOI, 0, 0]], axis=0)
    size = tf.strings.length(content)
    is_jpeg = tf.reduce_all(octets[:3] == [0xFF, _SOI, 0xFF])
    octets = checked(is_jpeg, position, "not a JPEG file", octets)
    walk = _walk(octets, size, position)
    frame, scans = walk.frame, walk.scans
    components = frame[5]
    height, width = 256 * frame[1] + frame[2], 256 * frame[3] + frame[4]
    pixels = tf.cast(height, tf.float64) * tf.cast(width, tf.float64)
    scanned = tf.cast(scans, tf.float64) * pixels
    density = pixels / tf.cast(size, tf.float64)
    parts = tf.where(components == 1, _parts(frame)[:1], _parts(frame))
    factors = tf.stack([parts[:, 1] // 16, parts[:, 1] % 16], axis=1)
    whole = tf.reduce_max(factors, axis=0) % tf.maximum(factors, 1) == 0
    used = tf.gather(walk.tables, tf.minimum(parts[:, 2], _NO_TABLE))
    latched = tf.where(components == 1, walk.latched[:1], walk.latched)
    used = tf.where(latched < 0, used, latched)
    for sound, reason in (
        (walk.complete, "truncated: no end of image"),
        (scans > 0, "no frame header or no image data"),
        (walk.frame_size == 6 + 3 * components, "a damaged frame header"),
        (frame[0] == 8, "not 8 bits a sample"),
        (components != 4, "CMYK or YCCK"),
        ((components == 1) | (components == 3), "neither grayscale nor YCbCr"),
        (~walk.rgb, "RGB-coded"),
        ((height > 0) & (width > 0), "an empty image"),
        (tf.maximum(height, width) <= _LARGEST_SIDE, f"a side above {_LARGEST_SIDE} pixels"),
        (tf.reduce_all((factors > 0) & (factors < 5)), "impossible sampling"),
        (tf.reduce_all(whole), "sampling that is not in whole ratios"),
        (tf.reduce_all(used > 0), "a quantization table is missing or has a zero"),
        (scans <= _LIMITS.max_scans, f"more than {_LIMITS.max_scans} scans"),
        (scanned <= 1e6 * _LIMITS.max_scanned_megapixels, "more scans than an image needs"),
        (density <= _LIMITS.max_pixels_per_byte, "more pixels than the file can hold"),
    ):
        used = checked(sound, position, reason, used)
    steps = tf.cast(tf.reshape(used, (3, 8, 8)), tf.float32)
    factors = tf.where(components == 1, tf.ones_like(factors), factors)
    header = Header(height, width, components, factors, steps)
    with tf.control_dependencies([steps]):
        return Header(*map(tf.identity, header)), tf.strings.substr(content, 0, walk.at)


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


def _walk(octets: Any, size: Any, position: Any) -> _Walk:
    """Walk the markers to the end of the image.

    Args:
        octets: [size + 4] uint8, the file and an end-of-image marker behind it.
        size: [] int32, of the file in bytes.
        position: [] integer, of the file in its batch.
    """
    codes = octets[1:]
    # Neither stuffing, nor restart markers, nor fill; in a scan, the first of these ends it.
    is_marker = (octets[:-1] == 0xFF) & (codes >= 0xC0) & (codes < 0xFF)
    is_marker &= (codes < 0xD0) | (codes >= _SOI)
    markers = tf.cast(tf.where(is_marker)[:, 0], tf.int32)

    def step(walk: _Walk) -> tuple[_Walk]:
        start = markers[tf.searchsorted(markers, walk.at[None])[0]]
        code, high, low = tf.unstack(tf.cast(octets[start + 1 : start + 4], tf.int32), 3)
        length = 256 * high + low
        stop = start + 2 + length
        end = (code == _EOI) | (length < 2) | (stop > size)

        def ended() -> _Walk:
            complete = (code == _EOI) & (start < size)
            return walk._replace(at=start + 2, ended=tf.constant(True), complete=complete)

        def read() -> _Walk:
            body = tf.cast(octets[start + 4 : stop], tf.int32)
            return _segment(walk._replace(at=stop), code, body, position)

        return (_Walk(*tf.cond(end, ended, read)),)

    none, no = tf.constant(0), tf.constant(False)
    first = _Walk(
        at=tf.constant(2),
        segments=none,
        ended=no,
        complete=no,
        frame=tf.zeros(_FRAME_BYTES, tf.int32),
        frame_size=none,
        scans=none,
        jfif=no,
        adobe=tf.constant(-1),
        rgb=no,
        tables=tf.fill((_NO_TABLE + 1, 64), -1),
        latched=tf.fill((3, 64), -1),
    )
    return tf.while_loop(lambda walk: ~walk.ended, step, (first,))[0]


def _segment(walk: _Walk, code: Any, body: Any, position: Any) -> _Walk:
    """What a segment adds: its code [] int32, and its content [n] int32."""
    is_frame, is_scan = tf.reduce_any(code == _FRAMES), code == _SOS
    size = tf.size(body)
    segments = walk.segments + 1
    for sound, reason in (
        (segments <= _MOST_SEGMENTS, f"more than {_MOST_SEGMENTS} segments"),
        (code != _SOI, "a second start of image inside"),
        (
            ~tf.reduce_any(code == _OTHER_FRAMES),
            "lossless, hierarchical or arithmetic coding, which is not read here",
        ),
        (~is_frame | (walk.frame_size == 0), "two frame headers"),
        (~is_scan | (walk.frame_size > 0), "a scan before the frame header"),
    ):
        segments = checked(sound, position, reason, segments)
    start = tf.ensure_shape(tf.pad(body, [[0, _FRAME_BYTES]])[:_FRAME_BYTES], (_FRAME_BYTES,))
    frame = tf.where(is_frame, start, walk.frame)
    is_jfif = (code == _APP0) & (size >= 14) & tf.reduce_all(start[:5] == list(b"JFIF\0"))
    is_adobe = (code == _APP14) & (size >= 12) & tf.reduce_all(start[:5] == list(b"Adobe"))
    tables = tf.cond(
        code == _DQT, lambda: _read_tables(body, walk.tables, position), lambda: walk.tables
    )
    components, parts = frame[5], _parts(frame)
    # libjpeg's own rule for what three components are (jdapimin.c), when the first scan begins.
    named = tf.reduce_all(parts[:, 0] == list(b"RGB"))
    rgb = (components == 3) & ~walk.jfif & ((walk.adobe == 0) | ((walk.adobe < 0) & named))
    in_scan = body[1 : 1 + 2 * start[0] : 2]
    scanned = tf.reduce_any(parts[:, :1] == in_scan, axis=1) & (tf.range(3) < components)
    own = tf.gather(tables, tf.minimum(parts[:, 2], _NO_TABLE))
    latches = is_scan & scanned[:, None] & (walk.latched < 0) & (own >= 0)
    return walk._replace(
        segments=segments,
        frame=frame,
        frame_size=tf.where(is_frame, size, walk.frame_size),
        scans=walk.scans + tf.cast(is_scan, tf.int32),
        jfif=walk.jfif | is_jfif,
        adobe=tf.where(is_adobe, start[11], walk.adobe),
        rgb=tf.where(is_scan & (walk.scans == 0), rgb, walk.rgb),
        tables=tables,
        latched=tf.where(latches, own, walk.latched),
    )


def _parts(frame: Any) -> Any:
    """[3, 3] int32: id, sampling factors and table number of each component."""
    return tf.reshape(frame[6:], (3, 3))


def _read_tables(body: Any, tables: Any, position: Any) -> Any:
    """The tables [5, 64], updated with those of a DQT segment."""

    def unfinished(at: Any, tables: Any) -> Any:
        return at < tf.size(body)

    def step(at: Any, tables: Any) -> tuple[Any, Any]:
        wide, number = body[at] // 16, body[at] % 16
        size = 64 * (1 + wide)
        sound = (wide < 2) & (number < _NO_TABLE) & (at + size < tf.size(body))
        at = checked(sound, position, "a damaged quantization table", at)
        values = body[at + 1 : at + 1 + size]
        narrow_or_wide = tf.cond(
            wide == 1, lambda: 256 * values[::2] + values[1::2], lambda: values
        )
        natural = tf.scatter_nd(ZIGZAG[:, None], narrow_or_wide, (64,))
        return at + 1 + size, tf.tensor_scatter_nd_update(tables, [[number]], [natural])

    return tf.while_loop(unfinished, step, (0, tables))[1]


def checked(condition: Any, position: Any, reason: str, value: Any) -> Any:
    """The value, which is not computed with unless the condition holds."""
    said = tf.strings.format("image_bytes[{}]: " + reason, position)
    with tf.control_dependencies([tf.debugging.Assert(condition, [said])]):
        return tf.identity(value)
