"""The codec against libjpeg: Pillow where it can write the sampling, jpeglib's turbo otherwise."""

import io
import pathlib

import jpeglib
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.jpeg.levels import Quantized
from keras_jpeg_gan.jpeg.sampling import GRAY, Sampling
from keras_jpeg_gan.jpeg.tables import quality_tables
from keras_jpeg_gan.jpeg.tensors import codec

SAMPLINGS = [
    Sampling.parse(name)
    for name in ["gray", "4:4:4", "4:2:2", "4:4:0", "4:2:0", "4:1:1", "1x4,1x2,1x1", "3x1,1x1,1x1"]
]
HALVED = Sampling.parse("4:2:0")


def tables_of(quality: int, sampling: Sampling) -> list[np.ndarray]:
    luma, chroma = quality_tables(quality)
    tables = [luma.astype(np.float32), *2 * [chroma.astype(np.float32)]]
    return tables[: sampling.components]


def libjpeg(
    pixels: np.ndarray, quality: int, sampling: Sampling, folder: pathlib.Path
) -> tuple[list[np.ndarray], np.ndarray]:
    """Levels [1, Hb, Wb, 8, 8] and decoded pixels [1, H, W, C] by libjpeg-turbo."""
    path = str(folder / "oracle.jpg")
    jpeglib.version.set("turbo210")
    image = jpeglib.from_spatial(np.ascontiguousarray(pixels))
    image.samp_factor = [[v, h] for h, v in sampling.factors]
    image.write_spatial(path, qt=np.stack(quality_tables(quality)[: pixels.shape[-1]]))
    read = jpeglib.read_dct(path)
    levels = [read.Y, read.Cb, read.Cr][: pixels.shape[-1]]
    with Image.open(path) as decoded:
        back = np.asarray(decoded).reshape(1, *pixels.shape)
    return [level[None].astype(np.float32) for level in levels], back.astype(np.float32)


def picture(height: int, width: int, channels: int) -> np.ndarray:
    """Smooth shapes, a hard edge, noise and saturated spots, [H, W, C] uint8."""
    rng = np.random.default_rng(height * width)
    y, x = np.mgrid[:height, :width]
    waves = [np.sin(y / 9 + k) + np.cos(x / (5 + k)) + (x > 2 * y) for k in range(channels)]
    image = 128 + 60 * np.stack(waves, -1) + rng.normal(0, 12, (height, width, channels))
    return np.clip(np.round(image), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("sampling", SAMPLINGS, ids=str)
@pytest.mark.parametrize("size", [(64, 96), (45, 51), (1, 1), (3, 37), (22, 4)])
def test_rounded_levels_and_pixels_are_libjpegs(sampling, size, tmp_path):
    pixels = picture(*size, sampling.components)
    levels, decoded = libjpeg(pixels, 60, sampling, tmp_path)
    tables = tables_of(60, sampling)
    for ours, theirs in zip(codec.compress(pixels[None], tables, sampling), levels, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    back = codec.decompress(Quantized(levels, tables, sampling), *size)
    np.testing.assert_array_equal(back, decoded)


def kodak_crops(kodak: list[pathlib.Path]) -> np.ndarray:
    """One crop of each Kodak photograph, [24, 253, 306, 3] uint8."""
    crops = []
    for path in kodak:
        with Image.open(path) as image:
            crops.append(np.asarray(image.convert("RGB"))[128 : 128 + 253, 128 : 128 + 306])
    return np.stack(crops)


@pytest.mark.parametrize("name", ["4:4:4", "4:2:0"])
def test_photographs_at_quality_50(kodak, name, tmp_path):
    sampling = Sampling.parse(name)
    crops = kodak_crops(kodak)
    tables = tables_of(50, sampling)
    size = crops.shape[1:3]
    equal = {True: 0, False: 0}
    total, off, far = 0, 0, 0
    for crop in crops:
        levels, decoded = libjpeg(crop, 50, sampling, tmp_path)
        total += sum(level.size for level in levels)
        for rounded in equal:
            ours = codec.compress(crop[None].astype(np.float32), tables, sampling, rounded)
            pairs = zip(ours, levels, strict=True)
            equal[rounded] += sum(int((np.array(a) == b).sum()) for a, b in pairs)
        error = np.abs(
            np.array(codec.decompress(Quantized(levels, tables, sampling), *size)) - decoded
        )
        off += int((error > 0).sum())
        far = max(far, error.max())
    assert equal[True] / total >= 0.99999
    assert equal[False] / total >= 0.996
    assert far <= 2
    assert off / crops.size <= 1e-4


def test_pillow_agrees_with_the_oracle(tmp_path):
    pixels = picture(45, 51, 3)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=60, subsampling="4:2:0")
    with Image.open(stream) as image:
        decoded = np.asarray(image)
    np.testing.assert_array_equal(libjpeg(pixels, 60, HALVED, tmp_path)[1][0], decoded)


@pytest.mark.parametrize("sampling", SAMPLINGS, ids=str)
def test_real_arithmetic_loses_nothing_but_levels_and_chroma_detail(sampling):
    # A picture of constant chroma in real arithmetic, tables of tiny steps: nothing is lost.
    pixels = np.repeat(picture(21, 35, 1)[None].astype(np.float32), 3, axis=-1)
    pixels = pixels[..., :1] if sampling == GRAY else pixels + np.float32([3, -2, 5])
    tables = [np.full((8, 8), 1e-3, np.float32)] * pixels.shape[-1]
    levels = codec.compress(pixels, tables, sampling, rounded=False)
    for smooth in (False, True):
        file = Quantized(levels, tables, sampling)
        back = codec.decompress(file, 21, 35, rounded=False, smooth=smooth)
        np.testing.assert_allclose(back, pixels, atol=0.02)


def test_smooth_upsampling_interpolates_and_nearest_repeats():
    # The chroma of a ramp: 8 samples that grow by 8 become 16 that grow by 4.
    ramp = np.arange(8, dtype=np.float32)
    level = np.zeros((1, 1, 1, 8, 8), np.float32)
    planes = 8 * np.broadcast_to(ramp, (8, 8))
    level[:] = codec.dct.dct(planes[None])
    ones = [np.ones((8, 8), np.float32)] * 3
    levels = [np.zeros((1, 2, 2, 8, 8), np.float32), level, np.zeros_like(level)]
    file = Quantized(levels, ones, HALVED)

    def blue_difference(smooth: bool) -> np.ndarray:
        image = codec.decompress(file, 16, 16, rounded=False, smooth=smooth)
        return (np.array(image)[0, :, :, 2] - 128) / 1.772

    inner = 4 * np.arange(1, 15) - 2
    expected = np.concatenate([[0], inner, [56]])
    np.testing.assert_allclose(blue_difference(True), np.tile(expected, (16, 1)), atol=1e-3)
    repeated = np.repeat(8 * ramp, 2)
    np.testing.assert_allclose(blue_difference(False), np.tile(repeated, (16, 1)), atol=1e-3)


def test_a_batch_may_mix_tables():
    pixels = np.stack([picture(24, 40, 3)] * 2)
    tables = [tables_of(quality, HALVED) for quality in (10, 80)]
    mixed = codec.compress(pixels, [np.stack(pair) for pair in zip(*tables, strict=True)], HALVED)
    for i in range(2):
        alone = codec.compress(pixels[i : i + 1], tables[i], HALVED)
        for a, b in zip(mixed, alone, strict=True):
            np.testing.assert_array_equal(a[i], b[0])


@pytest.mark.parametrize("rounded", [False, True])
@pytest.mark.parametrize("name", ["gray", "4:2:0", "4:1:1"])
def test_sizes_may_be_unknown_until_the_graph_runs(name, rounded):
    sampling = Sampling.parse(name)
    channels = sampling.components
    tables = tables_of(40, sampling)

    @tf.function(input_signature=[tf.TensorSpec([None, None, None, channels])])
    def both(pixels):
        levels = codec.compress(pixels, tables, sampling, rounded)
        size = tf.shape(pixels)
        file = Quantized(levels, tables, sampling)
        return levels, codec.decompress(file, size[1], size[2], rounded)

    for size in ((32, 48), (21, 35)):
        pixels = picture(*size, channels)[None].astype(np.float32)
        levels, back = both(pixels)
        static = codec.compress(pixels, tables, sampling, rounded)
        for a, b in zip(levels, static, strict=True):
            np.testing.assert_array_equal(a, b)
        expected = codec.decompress(Quantized(static, tables, sampling), *size, rounded)
        np.testing.assert_allclose(back, expected, atol=0 if rounded else 1e-3)


@pytest.mark.parametrize("rounded", [False, True])
def test_gradients_ignore_the_rounding(rounded):
    pixels = tf.constant(picture(21, 35, 3)[None], tf.float32) * 0.5 + 64
    tables = tables_of(60, HALVED)
    weights = np.random.default_rng(0).normal(size=pixels.shape)

    def gradient(rounded: bool) -> np.ndarray:
        with tf.GradientTape() as tape:
            tape.watch(pixels)
            levels = codec.compress(pixels, tables, HALVED, rounded)
            back = codec.decompress(Quantized(levels, tables, HALVED), 21, 35, rounded)
            loss = tf.reduce_sum(back * weights)
        return tape.gradient(loss, pixels).numpy()

    assert np.isfinite(gradient(rounded)).all()
    # Within the gamut, rounding leaves the map's derivative: linear, so the same everywhere.
    np.testing.assert_allclose(gradient(True), gradient(False), rtol=1e-2, atol=2e-2)


def test_other_numbers_of_channels_are_refused():
    pixels = np.zeros((1, 8, 8, 3), np.float32)
    with pytest.raises(ConfigError, match="does not fit 3 components"):
        codec.compress(pixels, tables_of(50, GRAY), GRAY)
