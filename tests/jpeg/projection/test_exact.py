import pathlib
import time
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from keras_jpeg_gan import errors
from keras_jpeg_gan.jpeg import encoder, tables
from keras_jpeg_gan.jpeg.levels import Quantized
from keras_jpeg_gan.jpeg.projection import budget, exact
from keras_jpeg_gan.jpeg.projection.alternating import Boxes, onto_cells
from keras_jpeg_gan.jpeg.projection.units import Unit, unit
from keras_jpeg_gan.jpeg.sampling import Sampling

QUALITIES = [5, 10, 20, 40, 75, 90, 95]
SAMPLINGS = ["4:4:4", "4:2:2", "4:4:0", "4:2:0", "4:1:1", "2x2,1x2,1x1", "gray"]


def steps_of(quality: int, sampling: str) -> list[np.ndarray]:
    luma, chroma = tables.quality_tables(quality)
    return [luma] if sampling == "gray" else [luma, chroma, chroma]


def quantized_by_libjpeg(original: np.ndarray, quality: int, sampling: str) -> Quantized:
    return encoder.quantize(original, steps_of(quality, sampling), Sampling.parse(sampling))


def low_passed(pixels: np.ndarray) -> np.ndarray:
    sigma = (0.7, 0.7, 0)[: pixels.ndim]
    return ndimage.gaussian_filter(pixels.astype(np.float32), sigma)


def stand_in(kind: str, original: np.ndarray, decode: np.ndarray) -> np.ndarray:
    """What a network might give: a weak one, a smooth one, a sampler, a strong one."""
    if kind == "weak":
        return (low_passed(original) + low_passed(decode)) / 2
    if kind == "smooth":
        return low_passed(decode)
    if kind == "noisy":
        noise = np.random.default_rng(1).normal(0, 6.2, original.shape)
        return (original + noise).astype(np.float32)
    return np.float32(0.7) * original + np.float32(0.3) * low_passed(decode)


def check(
    original: np.ndarray, quality: int, sampling: str, kind: str = "weak"
) -> tuple[np.ndarray, np.ndarray]:
    """Project, and let libjpeg judge; returns (stand-in, result)."""
    quantized = quantized_by_libjpeg(original, quality, sampling)
    given = stand_in(kind, original, encoder.recompress(original, quantized).pixels)
    result = exact.project(given, quantized)
    assert result.dtype == np.uint8
    assert result.shape == original.shape
    certificate = encoder.certify(result, quantized)
    assert certificate.exact, f"{original.shape} {quality} {sampling} {kind}: {certificate}"
    return given, result


def rounded_float_projection(
    given: np.ndarray, original: np.ndarray, quality: int, sampling: str
) -> np.ndarray:
    """Nearest values whose real coefficients are within half a step, rounded to 8 bits."""
    quantized = quantized_by_libjpeg(original, quality, sampling)
    height, width = original.shape[:2]
    factor = 16 if sampling == "4:2:0" else 8
    assert height % factor == width % factor == 0
    shape = unit(quantized.sampling, factor, factor)
    areas = given.reshape(height // factor, factor, width // factor, factor, 3)
    areas = areas.transpose(4, 1, 3, 0, 2)[:, shape.rows, shape.columns]
    low, high = [], []
    for block in shape.blocks:
        stride = (2, 2) if sampling == "4:2:0" and block.component == 0 else (1, 1)
        part = quantized.levels[block.component][block.row :: stride[0], block.column :: stride[1]]
        level = part.reshape(-1, 64).T.astype(np.float32)
        step = quantized.tables[block.component].reshape(64, 1).astype(np.float32)
        low.append((level - 0.5) * step)
        high.append((level + 0.5) * step)
    boxes = Boxes(np.stack(low, axis=1), np.stack(high, axis=1))
    moved = onto_cells(shape, areas.reshape(3, len(shape.rows), -1).copy(), boxes)
    result = np.empty((height // factor, factor, width // factor, factor, 3), np.float32)
    moved = moved.reshape(areas.shape)
    for number, (row, column) in enumerate(zip(shape.rows, shape.columns, strict=True)):
        result[:, row, :, column] = moved[:, number].transpose(1, 2, 0)
    return np.rint(np.clip(result.reshape(original.shape), 0, 255))


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / np.mean((a.astype(np.float64) - b) ** 2)))


@pytest.mark.parametrize("kind", ["weak", "noisy"])
@pytest.mark.parametrize("sampling", ["4:4:4", "4:2:0"])
@pytest.mark.parametrize("quality", QUALITIES)
def test_crops_of_photographs(kodak: list, quality: int, sampling: str, kind: str) -> None:
    number = QUALITIES.index(quality)
    original = np.asarray(Image.open(kodak[3 * number]))[128:256, 192:352]
    given, result = check(original, quality, sampling, kind)
    rounded = rounded_float_projection(given, original, quality, sampling)
    allowed = 0.02 if quality <= 90 else 0.05
    assert psnr(result, original) > psnr(rounded, original) - allowed


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["weak", "smooth", "noisy", "strong"])
@pytest.mark.parametrize("sampling", ["4:4:4", "4:2:0"])
@pytest.mark.parametrize("quality", QUALITIES)
def test_whole_photographs(kodak: list, quality: int, sampling: str, kind: str) -> None:
    gains = []
    for path in kodak:
        original = np.asarray(Image.open(path))
        given, result = check(original, quality, sampling, kind)
        rounded = rounded_float_projection(given, original, quality, sampling)
        gains.append(psnr(result, original) - psnr(rounded, original))
    # Near the original, with steps of 1 to 5 and chroma halved, exactness has its price.
    assert np.mean(gains) > (-0.02 if quality <= 90 else -0.1)


def test_blown_highlights_take_few_rounds(kodak: list, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two units of this photograph have hardly any exact image near the given one."""
    rounds = []
    original = exact._attempt_all

    def counted(image: exact._Image, shape: Unit, places: np.ndarray, *rest: Any) -> np.ndarray:
        rounds.append(len(places))
        return original(image, shape, places, *rest)

    monkeypatch.setattr(exact, "_attempt_all", counted)
    check(np.asarray(Image.open(kodak[23])), 95, "4:2:0")
    assert len(rounds) <= 6, rounds


def training_crops(shared_data: pathlib.Path, count: int, largest: int) -> list[np.ndarray]:
    paths = sorted((shared_data / "train").glob("*/*.avif"))
    generator = np.random.default_rng(5)
    crops = []
    for path in (paths[int(i)] for i in generator.integers(0, len(paths), count)):
        photograph = np.asarray(Image.open(path).convert("RGB"))
        height, width = (int(n) for n in generator.integers(1, largest, 2))
        y = int(generator.integers(0, max(1, photograph.shape[0] - height)))
        x = int(generator.integers(0, max(1, photograph.shape[1] - width)))
        crops.append(np.ascontiguousarray(photograph[y : y + height, x : x + width]))
    return crops


def check_crops(crops: list[np.ndarray]) -> None:
    generator = np.random.default_rng(6)
    kinds = ["weak", "smooth", "noisy", "strong"]
    for number, crop in enumerate(crops):
        sampling = SAMPLINGS[number % len(SAMPLINGS)]
        original = np.ascontiguousarray(crop[..., 1]) if sampling == "gray" else crop
        check(original, int(generator.integers(5, 91)), sampling, kinds[number % 4])


def test_odd_sizes_and_all_samplings(shared_data: pathlib.Path) -> None:
    check_crops(training_crops(shared_data, 14, 120))


@pytest.mark.slow
def test_many_odd_sizes_and_all_samplings(shared_data: pathlib.Path) -> None:
    check_crops(training_crops(shared_data, 105, 400))


@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_smallest_sizes(sampling: str) -> None:
    generator = np.random.default_rng(0)
    for size in [(1, 1), (1, 9), (2, 1), (3, 17), (16, 15), (33, 2)]:
        original = generator.integers(60, 190, (*size, 3), dtype=np.uint8)
        check(original[..., 0].copy() if sampling == "gray" else original, 75, sampling)


def saturated(name: str) -> np.ndarray:
    """Pictures that clip: [64, 96, 3] uint8."""
    generator = np.random.default_rng(4)
    y, x = np.mgrid[:64, :96].astype(np.float64)
    if name == "night lights":
        picture = np.zeros((64, 96, 3))
        for _ in range(25):
            cy, cx, size = (
                generator.uniform(0, 64),
                generator.uniform(0, 96),
                generator.uniform(1, 6),
            )
            spot = np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / (2 * size**2))
            picture += spot[..., None] * generator.uniform(100, 700, 3)
    elif name == "clear sky":
        cloud = ndimage.gaussian_filter(generator.normal(0, 1, (64, 96)), 9) * 900
        blue = np.stack([90 + y / 2, 150 + y / 2, 262 - y / 8], axis=-1)
        picture = blue + np.maximum(cloud, 0)[..., None]
    elif name == "red roses":
        petals = ndimage.gaussian_filter(generator.normal(0, 1, (64, 96)), 3) * 400
        picture = np.stack([230 + petals, petals / 4 - 5, petals / 3], axis=-1)
    else:
        strokes = ndimage.gaussian_filter(generator.normal(0, 1, (64, 96)), 2) > 0.02
        picture = np.repeat(strokes[..., None] * 255.0, 3, axis=2)
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("sampling", ["4:4:4", "4:2:0"])
@pytest.mark.parametrize("name", ["night lights", "clear sky", "red roses", "text"])
def test_saturated_pictures(name: str, sampling: str) -> None:
    for quality in (20, 75, 90):
        check(saturated(name), quality, sampling)


def test_result_is_a_function_of_its_arguments() -> None:
    original = saturated("red roses")
    _, first = check(original, 90, "4:2:0")
    _, second = check(original, 90, "4:2:0")
    np.testing.assert_array_equal(first, second)


def test_steps_of_one_come_close() -> None:
    original = saturated("clear sky")[:48, :48]
    quantized = quantized_by_libjpeg(original, 100, "4:4:4")
    result = exact.project(low_passed(original), quantized)
    certificate = encoder.certify(result, quantized)
    assert certificate.levels_equal > 0.8 * certificate.levels_total
    assert np.abs(result.astype(int) - original).mean() < 2


@pytest.mark.parametrize("sampling", ["4:2:0", "gray"])
def test_hostile_levels_and_tables_give_an_image(sampling: str) -> None:
    generator = np.random.default_rng(2)
    size = (40, 56) if sampling == "gray" else (40, 56, 3)
    given = generator.uniform(0, 255, size).astype(np.float32)
    for step in (1, 255, 65535):
        steps = [np.full((8, 8), step)] * (1 if sampling == "gray" else 3)
        shapes = [(*blocks, 8, 8) for blocks in Sampling.parse(sampling).blocks(40, 56)]
        levels = [generator.integers(-32767, 32768, shape).astype(np.int16) for shape in shapes]
        quantized = Quantized(levels, steps, Sampling.parse(sampling))
        result = exact.project(given, quantized)
        assert result.shape == size
        assert not encoder.certify(result, quantized).exact


def test_the_search_ends_where_no_exact_image_is_found() -> None:
    """Steps of one on noise: without a limit, each would take 20 to 70 s."""
    noise = np.random.default_rng(4).integers(0, 256, (40, 56, 3)).astype(np.uint8)
    for sampling in ("4:2:0", "4:4:4"):
        quantized = quantized_by_libjpeg(noise, 100, sampling)
        begin = time.process_time()
        exact.project(noise[::-1].astype(np.float32), quantized)
        assert time.process_time() - begin < 15


def test_every_unit_is_attempted_even_without_time(monkeypatch: pytest.MonkeyPatch) -> None:
    original = saturated("red roses")[:120, :72]
    quantized = quantized_by_libjpeg(original, 95, "4:2:0")
    exactly = exact.project(low_passed(original), quantized)
    monkeypatch.setattr(budget, "_SECONDS", 1e-6)
    monkeypatch.setattr(budget, "_SECONDS_PER_MEGAPIXEL", 1e-6)
    hastily = [exact.project(low_passed(original), quantized) for _ in range(2)]
    np.testing.assert_array_equal(*hastily)
    assert encoder.certify(exactly, quantized).exact
    certificate = encoder.certify(hastily[0], quantized)
    assert 0.5 < certificate.levels_equal / certificate.levels_total < 1
    assert np.abs(hastily[0].astype(int) - original).mean() < 10


@pytest.mark.parametrize("sampling", ["1x4,1x1,2x2", "3x1,1x4,1x1", "4:2:0", "4:1:1"])
def test_no_uninitialized_memory_is_read(sampling: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the components' samples overlap crosswise, later ones begin before earlier ones end."""

    def poisoned(shape: Any, dtype: Any = float, **options: Any) -> np.ndarray:
        if not np.issubdtype(dtype, np.floating):
            return np.full(shape, 200, dtype, **options)
        return np.full(shape, np.nan, dtype, **options)

    original = saturated("red roses")[:70, :50]
    quantized = quantized_by_libjpeg(original, 92, sampling)
    given = low_passed(original)
    expected = exact.project(given, quantized)
    monkeypatch.setattr(np, "empty", poisoned)
    np.testing.assert_array_equal(exact.project(given, quantized), expected)


def test_ratios_of_three() -> None:
    generator = np.random.default_rng(3)
    original = np.clip(generator.normal(128, 30, (48, 48, 3)), 0, 255).astype(np.uint8)
    steps = [np.full((8, 8), q, np.int32) for q in (4, 8, 8)]
    quantized = encoder.quantize(original, steps, Sampling.parse("1x1,3x1,1x1"))
    given = original + generator.normal(0, 10, original.shape).astype(np.float32)
    result = exact.project(given, quantized)
    assert encoder.certify(result, quantized).exact


def test_samplings_that_no_encoder_writes_are_refused() -> None:
    given = np.zeros((8, 8, 3), np.float32)
    sampling = Sampling.parse("4x4,1x1,1x1")
    levels = [np.zeros((*blocks, 8, 8), np.int16) for blocks in sampling.blocks(8, 8)]
    with pytest.raises(errors.ConfigError, match="float projection"):
        exact.project(given, Quantized(levels, steps_of(50, "4:4:4"), sampling))


def test_levels_of_another_size_are_refused() -> None:
    given = np.zeros((9, 8, 3), np.float32)
    levels = [np.zeros((1, 1, 8, 8), np.int16)] * 3
    with pytest.raises(errors.ConfigError, match="do not fit"):
        exact.project(given, Quantized(levels, steps_of(50, "4:4:4"), Sampling.parse("4:4:4")))
