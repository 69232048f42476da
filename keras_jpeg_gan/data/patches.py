"""Square patches of random scale, position and orientation."""

import numpy as np
from PIL import Image, ImageFilter

# How large the squares in photographs are that become patches; see `draw_patch`.
SCALES = ("uniform", "near", "whole")


def draw_patch(
    image: np.ndarray,
    size: int,
    max_scale: float,
    rng: np.random.Generator,
    transpose: bool = True,
    scale: str = "near",
) -> np.ndarray:
    """A random square of an image, rescaled to the patch's size and flipped at random.

    An image smaller than the patch is enlarged. Larger ones give squares by `scale`:

    - "uniform", the paper's: the side is uniform between the patch's and the image's shorter one.
    - "near": half of the squares have the patch's own side; that of the others is uniform
      between 1 and `max_scale` times the patch's.
    - "whole": the largest square, reduced by area averaging.

    Args:
        image: [H, W, 3] uint8.
        size: side of the patch in pixels.
        max_scale: of "near", the largest side in patches; limited by the image.
        rng: for every random choice.
        transpose: flip half of the patches top to bottom, and swap the axes of half of them; off
            for faces, which stay upright.
        scale: one of `SCALES`.

    Returns:
        [size, size, 3] uint8.
    """
    height, width = image.shape[:2]
    largest = min(height, width)
    side = min(_side(scale, size, largest, max_scale, rng), largest)
    whole = side == size
    top, left = rng.random(2) * (height - side, width - side)
    if whole:
        top, left = round(top), round(left)
        patch = image[top : top + size, left : left + size]
    else:
        # Only the part within the filter's reach is resized: the cost grows with the input.
        reach = 4 * int(np.ceil(max(side / size, 1)))
        y0, x0 = max(int(top) - reach, 0), max(int(left) - reach, 0)
        y1, x1 = int(np.ceil(top + side)) + reach, int(np.ceil(left + side)) + reach
        part = Image.fromarray(np.ascontiguousarray(image[y0:y1, x0:x1]))
        y, x = top - y0, left - x0
        box = (x, y, min(x + side, part.width), min(y + side, part.height))
        resampling = Image.Resampling.BOX if scale == "whole" else Image.Resampling.BICUBIC
        patch = np.asarray(part.resize((size, size), resampling, box=box))
    if rng.random() < 0.5:
        patch = patch[:, ::-1]
    if transpose:
        if rng.random() < 0.5:
            patch = patch[::-1]
        if rng.random() < 0.5:
            patch = patch.transpose(1, 0, 2)
    return np.ascontiguousarray(patch)


def _side(scale: str, size: int, largest: int, max_scale: float, rng: np.random.Generator) -> float:
    if scale == "whole":
        return largest
    if scale == "uniform":
        return rng.uniform(size, max(size, largest))
    return size * (1.0 if rng.random() < 0.5 else rng.uniform(1, max_scale))


def soften_chroma(patch: np.ndarray, deviation: float) -> np.ndarray:
    """Blur Cb and Cr, as the mosaic of a camera's sensor does, and leave Y as it is.

    Photographs that were reduced have color detail down to the pixel; those straight from a
    camera or a film scanner do not.

    Args:
        patch: [H, W, 3] uint8.
        deviation: standard deviation of the Gaussian, in pixels.

    Returns:
        [H, W, 3] uint8.
    """
    luma, *chroma = Image.fromarray(patch).convert("YCbCr").split()
    blur = ImageFilter.GaussianBlur(deviation)
    softened = Image.merge("YCbCr", [luma, *(component.filter(blur) for component in chroma)])
    return np.asarray(softened.convert("RGB"))
