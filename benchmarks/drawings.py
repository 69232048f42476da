"""Pictures that no camera took and no JPEG file held: drawings and screenshots."""

from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageDraw, ImageFont

_WORDS = ("quantization", "restores", "what", "the", "levels", "leave", "open", "between")


def drawings(count: int, size: tuple[int, int] = (640, 480), seed: int = 0) -> Iterator[np.ndarray]:
    """Drawings and screenshots by turns, [height, width, 3] uint8.

    Args:
        count: how many; size: (width, height); seed: of all.
    """
    rng = np.random.default_rng(seed)
    makers = (_screen, _shapes, _pattern, _chart, _shades)
    for i in range(count):
        image = Image.new("RGB", size, _colour(rng))
        makers[i % len(makers)](image, rng)
        yield np.asarray(image)


def _colour(rng: np.random.Generator) -> tuple[int, int, int]:
    if rng.random() < 0.4:
        return (255, 255, 255) if rng.random() < 0.7 else (0, 0, 0)
    red, green, blue = rng.integers(0, 256, 3).tolist()
    return red, green, blue


def _text(rng: np.random.Generator, words: int) -> str:
    return " ".join(rng.choice(_WORDS, words))


def _screen(image: Image.Image, rng: np.random.Generator) -> None:
    """Windows with bars, borders and lines of text."""
    draw = ImageDraw.Draw(image)
    for _ in range(3):
        left, top = (int(rng.integers(0, length // 2)) for length in image.size)
        right, bottom = left + image.width // 2, top + image.height // 2
        draw.rectangle((left, top, right, bottom), fill=_colour(rng), outline=_colour(rng))
        draw.rectangle((left, top, right, top + 19), fill=_colour(rng))
        size = int(rng.integers(9, 18))
        font, ink = ImageFont.load_default(size), _colour(rng)
        for row in range(top + 24, bottom - size, size + 4):
            draw.text((left + 6, row), _text(rng, 6), ink, font)


def _shapes(image: Image.Image, rng: np.random.Generator) -> None:
    """Smooth-edged discs, polygons and strokes: drawn large, then reduced."""
    large = image.resize((2 * image.width, 2 * image.height))
    draw = ImageDraw.Draw(large)
    for _ in range(30):
        x, y = (int(rng.integers(0, length)) for length in large.size)
        radius = int(rng.integers(5, 160))
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=_colour(rng))
        points = [(int(rng.integers(0, large.width)), int(rng.integers(0, large.height)))]
        points += [
            (points[0][0] + radius, points[0][1] + 40),
            (points[0][0], points[0][1] + radius),
        ]
        draw.polygon(points, fill=_colour(rng))
        draw.line((x, y, *points[0]), fill=_colour(rng), width=int(rng.integers(1, 9)))
    image.paste(large.resize(image.size, Image.Resampling.LANCZOS))


def _pattern(image: Image.Image, rng: np.random.Generator) -> None:
    """A small tile repeated, often with the period of a JPEG grid."""
    side = int(rng.choice([4, 6, 8, 12, 16, 24, 32]))
    tile = rng.integers(0, 256, (side, side, 3)) * rng.integers(0, 2, (side, side, 1))
    repeats = image.height // side + 1, image.width // side + 1, 1
    whole = np.tile(tile, repeats)[: image.height, : image.width]
    image.paste(Image.fromarray(whole.astype(np.uint8)))


def _chart(image: Image.Image, rng: np.random.Generator) -> None:
    """Axes, a grid of dots, bars and curves."""
    draw = ImageDraw.Draw(image)
    spacing = int(rng.integers(8, 49))
    for x in range(0, image.width, spacing):
        draw.line((x, 0, x, image.height), fill=(200, 200, 200))
    for y in range(0, image.height, spacing):
        draw.line((0, y, image.width, y), fill=(200, 200, 200))
        draw.text((3, y), str(int(rng.integers(0, 10_000))), (0, 0, 0))
    for _ in range(5):
        heights = np.cumsum(rng.normal(0, 9, image.width)) + image.height / 2
        draw.line(list(enumerate(heights.tolist())), fill=_colour(rng), width=2)
    for x in range(0, image.width, 40):
        draw.rectangle((x, int(rng.integers(0, image.height)), x + 24, image.height), _colour(rng))


def _shades(image: Image.Image, rng: np.random.Generator) -> None:
    """Gradients, in few colours or many, with text over them."""
    y, x = np.mgrid[: image.height, : image.width]
    slopes = rng.normal(0, 0.4, (3, 2))
    planes = [128 + down * (y - y.mean()) + across * (x - x.mean()) for down, across in slopes]
    step = int(rng.choice([1, 1, 8, 17, 51]))
    whole = np.clip(np.stack(planes, axis=2), 0, 255).astype(np.uint8) // step * step
    image.paste(Image.fromarray(whole))
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(int(rng.integers(10, 60)))
    for row in range(0, image.height, 70):
        draw.text((int(rng.integers(0, 200)), row), _text(rng, 5), _colour(rng), font)
