"""Patches: known answers and invariants."""

import numpy as np
import pytest

from keras_jpeg_gan.data.patches import draw_patch


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
