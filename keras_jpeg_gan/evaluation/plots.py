"""Pictures of restorations, by matplotlib, which is imported when the first one is drawn."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_jpeg_gan.jpeg.encoder import recompress
from keras_jpeg_gan.jpeg.levels import Quantized

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# White is low, as in the paper.
_MAP = "gray_r"
_PANEL = 3.2  # inches
_DPI = 80


def _figure(width: float, height: float) -> "Figure":
    """An empty figure; sizes in inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def panels(rows: Sequence[Sequence[tuple[str, np.ndarray]]], **style: Any) -> "Figure":
    """Images side by side, each under its title.

    Args:
        rows: titles and images [H, W] or [H, W, 3]; rows may differ in length, images in size.
        style: options of imshow.
    """
    columns = max(len(row) for row in rows)
    heights = [
        _PANEL * row[0][1].shape[0] / row[0][1].shape[1] + (0.3 if row[0][0] else 0) for row in rows
    ]
    figure = _figure(_PANEL * columns, sum(heights))
    axes = figure.subplots(
        len(rows), columns, squeeze=False, gridspec_kw={"height_ratios": heights}
    )
    for line, row in zip(axes, rows, strict=True):
        for axis in line[len(row) :]:
            axis.set_axis_off()
        for axis, (title, pixels) in zip(line, row, strict=False):
            axis.set(xticks=[], yticks=[])
            if title:
                axis.set_title(title, fontsize=10)
            gray = {"cmap": "gray", "vmin": 0, "vmax": 255} if pixels.ndim == 2 else {}
            axis.imshow(pixels, interpolation="nearest", **{**gray, **style})
    return figure


def maps(titled: Sequence[tuple[str, np.ndarray]], root: int, unit: str) -> "Figure":
    """Maps [H, W] of numbers on one scale, white for zero, with a bar that gives the numbers.

    Args:
        titled: titles and maps, not negative.
        root: darkness is this root of the number, so that small numbers show.
        unit: that of the numbers, for the bar.
    """
    import matplotlib

    largest = max(float(values.max()) for _, values in titled) or 1.0
    roots = [(title, (values / largest) ** (1 / root)) for title, values in titled]
    figure = panels([roots], cmap=_MAP, vmin=0, vmax=1)
    bar = figure.colorbar(
        matplotlib.cm.ScalarMappable(matplotlib.colors.Normalize(0, 1), _MAP),
        ax=figure.axes,
        shrink=0.8,
    )
    ticks = np.linspace(0, 1, 6)
    bar.set_ticks(ticks.tolist(), labels=[f"{largest * tick**root:.3g}" for tick in ticks])
    bar.set_label(f"{unit}\n({root}th root)", fontsize=8)
    return figure


def curves(
    lines: Mapping[str, Sequence[tuple[float, float, float]]], across: str, up: str
) -> "Figure":
    """Curves with error bars.

    Args:
        lines: the points (x, y, error; 0 for none) of each curve, by its name.
        across, up: labels of the axes.
    """
    figure = _figure(5, 3.6)
    axis = figure.subplots()
    for name, points in lines.items():
        x, y, error = np.array(sorted(points)).T
        axis.errorbar(x, y, error, label=name, marker="o", markersize=3, capsize=2, linewidth=1)
    axis.set_xlabel(across)
    axis.set_ylabel(up)
    axis.grid(alpha=0.3)
    axis.legend(fontsize=7)
    return figure


def save(figure: "Figure", target: Any, image_format: str = "png") -> None:
    """Write a figure to a path or an open file: the same figure gives the same bytes."""
    metadata = {"Software": None} if image_format == "png" else {"Date": None}
    figure.savefig(target, format=image_format, dpi=_DPI, metadata=metadata)


def crop(pixels: np.ndarray, box: tuple[int, int, int]) -> np.ndarray:
    """The square (left, top, side) of an image."""
    left, top, side = box
    return pixels[top : top + side, left : left + side]


def most_uncertain(deviation: np.ndarray, side: int) -> tuple[int, int, int]:
    """The square (left, top, side) over which samples differ most, on a grid of 8 pixels.

    Args:
        deviation: [H, W]; side: in pixels, cut to the image's.
    """
    side = min(side, *deviation.shape)
    sums = np.pad(deviation.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    total = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]
    on_grid = total[::8, ::8]
    top, left = np.unravel_index(on_grid.argmax(), on_grid.shape)
    return 8 * int(left), 8 * int(top), side


def recompression_error(
    pixels: np.ndarray, decoded: np.ndarray, quantized: Quantized
) -> np.ndarray:
    """|recompressed - input| in grey levels, mean of the channels: [H, W]."""
    if pixels.ndim > decoded.ndim:  # another program's gray
        pixels = np.rint(pixels.mean(axis=2)).astype(np.uint8)
    again = recompress(pixels, quantized).pixels
    error = np.abs(again.astype(np.float64) - decoded)
    return error if error.ndim == 2 else error.mean(axis=2)
