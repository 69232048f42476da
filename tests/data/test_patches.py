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
