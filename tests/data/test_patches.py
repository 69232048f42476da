"""Patches: known answers and invariants."""

import numpy as np
import pytest
from PIL import Image

from keras_jpeg_gan.data.patches import draw_patch, soften_chroma


def ramp(height: int, width: int) -> np.ndarray:
    """An image whose red is its row and whose green is its column."""
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 0], image[..., 1] = np.mgrid[:height, :width]
    return image


def test_patches_have_their_size_and_the_whole_range_of_scales() -> None:
    rng = np.random.default_rng(0)
    image, spans = ramp(200, 240), []
    for _ in range(200):
        patch = draw_patch(image, 32, 3.0, rng)
        assert patch.shape == (32, 32, 3)
        spans.append(int(np.ptp(patch[..., 0].astype(int))))
    spans = np.array(spans)
    assert 0.35 < np.mean(spans == 31) < 0.65  # half are plain crops
    assert spans.max() > 80
    assert spans.max() < 97
    assert spans.min() >= 30


def test_uniform_sides_go_from_the_patch_to_the_shorter_side() -> None:
    """As the paper says: the mean span is half way, and both ends occur."""
    rng = np.random.default_rng(4)
    spans = np.array(
        [
            np.ptp(draw_patch(ramp(200, 240), 32, 1.0, rng, False, "uniform")[..., 0].astype(int))
            for _ in range(400)
        ]
    )
    assert spans.mean() == pytest.approx((32 + 200) / 2, rel=0.06)
    assert spans.min() < 45
    assert spans.max() > 185


def test_whole_squares_are_reduced_by_area_averaging() -> None:
    rng = np.random.default_rng(5)
    image = rng.integers(0, 256, (128, 128, 3), np.uint8)
    expected = image.reshape(16, 8, 16, 8, 3).mean((1, 3))
    for _ in range(4):
        patch = draw_patch(image, 16, 1.0, rng, False, "whole")
        errors = [np.abs(way - expected).max() for way in (patch, patch[:, ::-1])]
        assert min(errors) <= 1  # Pillow rounds after each axis
    same = draw_patch(image, 128, 1.0, rng, False, "whole")
    assert (same == image).all() or (same[:, ::-1] == image).all()


@pytest.mark.parametrize("size", [(20, 50), (33, 20), (64, 64)])
def test_small_images_are_enlarged(size: tuple[int, int]) -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        assert draw_patch(ramp(*size), 64, 2.0, rng).shape == (64, 64, 3)


def test_faces_stay_upright() -> None:
    rng = np.random.default_rng(2)
    for _ in range(20):
        rows = draw_patch(ramp(64, 64), 32, 1.5, rng, transpose=False)[..., 0].astype(int)
        assert (np.diff(rows.mean(axis=1)) > 0).all()


def test_softened_chroma_loses_its_detail_and_luma_keeps_it() -> None:
    rng = np.random.default_rng(0)
    noise = rng.integers(96, 160, (64, 64, 3)).astype(np.uint8)
    before, after = (
        np.asarray(Image.fromarray(image).convert("YCbCr"), np.float32)
        for image in (noise, soften_chroma(noise, 1.0))
    )
    assert np.abs(after[..., 0] - before[..., 0]).max() <= 2  # rounding, twice
    # White noise under a Gaussian of one pixel keeps 1 / (4 pi) of its variance.
    kept = after[..., 1:].std(axis=(0, 1)) / before[..., 1:].std(axis=(0, 1))
    np.testing.assert_allclose(kept, (4 * np.pi) ** -0.5, rtol=0.15)
    np.testing.assert_allclose(after.mean(axis=(0, 1)), before.mean(axis=(0, 1)), atol=1)
