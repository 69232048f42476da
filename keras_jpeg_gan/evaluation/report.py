"""An evaluation as one self-contained page of HTML."""

import csv
import importlib.resources
import io
import json
import math
import pathlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from keras_jpeg_gan.decoding.decoder import Decoder
from keras_jpeg_gan.decoding.files import viewer
from keras_jpeg_gan.errors import ConfigError
from keras_jpeg_gan.evaluation import plots, tables
from keras_jpeg_gan.evaluation.cases import Case
from keras_jpeg_gan.evaluation.contenders import LIBJPEG, PROJECTIONS
from keras_jpeg_gan.evaluation.originals import open_originals
from keras_jpeg_gan.jpeg.file import JpegFile
from keras_jpeg_gan.system import write_atomically

NAME = "report.html"
SHOWN = 10  # best and worst images
_SIDE = 256  # pixels a side of the part that is shown of each

# Curves: field of the summary, what it is called.
_CURVES = {"psnr": "PSNR, dB", "ssim": "SSIM", "lpips": "LPIPS", "consistency": "consistency, RMSE"}


def write(folder: pathlib.Path) -> pathlib.Path:
    """Write folder/report.html, and return its path.

    The best and the worst images of the last model are restored again, from the photographs
    that the evaluation used.

    Args:
        folder: what `jpeg-gan-evaluate --output` wrote.

    Raises:
        ConfigError: it has no evaluation, or the photographs are gone.
        ModelError: the model is gone.
    """
    try:
        summary = json.loads((folder / "summary.json").read_text())
        about = json.loads((folder / "settings.json").read_text())
        rows = list(csv.DictReader((folder / "results.csv").read_text().splitlines()))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{folder}: no evaluation ({error})") from error
    page = render(summary, about, _extremes(rows, about["settings"]))
    write_atomically(folder / NAME, page.encode())
    return folder / NAME


def render(summary: dict[str, Any], about: dict[str, Any], extremes: dict[str, Any] | None) -> str:
    """Make the page.

    Args:
        summary, about: the contents of summary.json and settings.json.
        extremes: the best and the worst images, or None.
    """
    import jinja2

    heads, lines = tables.cells(summary["lines"])
    template = importlib.resources.files(__package__).joinpath("report.html.j2").read_text()
    page = jinja2.Environment(autoescape=True).from_string(template)
    return page.render(
        heads=heads,
        lines=lines,
        words=tables.WORDS,
        conventions=" ".join([tables.CONVENTIONS, *tables.notes(summary["lines"])]),
        curves=list(_curves(summary["lines"])),
        extremes=extremes,
        settings=about["settings"],
        versions=about["versions"],
        failures=summary["failures"],
        pair=viewer.pair,
        style=viewer.style(),
        script=viewer.script(),
    )


def _curves(lines: list[dict[str, Any]]) -> Iterator[str]:
    """A plot of each measure over the quality, if there are several qualities."""
    distances = {s["distance_name"]: "distance" for line in lines for s in line["sets"]}
    for title, field in {**{name: field for field, name in _CURVES.items()}, **distances}.items():
        found: dict[str, list[tuple[float, float, float]]] = {}
        for line in lines:
            own = [s for s in line["sets"] if s["distance_name"] == title] or [line]
            value = own[0].get(field)
            if value is None or not math.isfinite(value) or line["first_quality"]:
                continue
            spread = own[0].get(f"{field}_spread") or 0.0
            key = ", ".join((line["model"], line["method"], line["sampling"]))
            found.setdefault(key, []).append((line["quality"], value, spread))
        if any(len(points) > 1 for points in found.values()):
            buffer = io.BytesIO()
            plots.save(plots.curves(found, "quality", title), buffer)
            yield viewer.data_url(buffer.getvalue(), "png")


def _extremes(rows: list[dict[str, str]], settings: dict[str, Any]) -> dict[str, Any] | None:
    """The best and the worst images of the last model, at the lowest quality."""
    case = Case.from_fields(min(settings["cases"], key=lambda case: case["quality"]))
    shown = [
        (model, method)
        for model, method in settings["contenders"]
        if model in settings["models"] and method in PROJECTIONS
    ]
    if not shown:
        return None
    model, method = shown[-1]
    own = [
        row
        for row in rows
        if (row["model"], row["method"], row["seed"]) == (model, method, "0")
        and Case.from_fields(row) == case
    ]
    by = "lpips" if own and own[0]["lpips"] else "psnr"
    ranked = sorted(own, key=lambda row: float(row[by] or 0), reverse=by == "psnr")
    count = min(SHOWN, (len(ranked) + 1) // 2)
    decoder = Decoder(settings["models"][model])
    source = open_originals(settings["images"])
    index = {name: i for i, name in enumerate(source.names)}

    def pictures(part: list[dict[str, str]]) -> list[dict[str, Any]]:
        found = []
        for row in part:
            if row["image"] not in index:
                raise ConfigError(f"{row['image']}: is no longer in {settings['images']}")
            original = source[index[row["image"]]]
            found.append(_before_and_after(row["image"], float(row[by]), original, case, decoder))
        return found

    return {
        "model": model,
        "case": f"quality {case.label}, {case.sampling}",
        "by": {"lpips": "LPIPS", "psnr": "PSNR"}[by],
        "best": pictures(ranked[:count]),
        "worst": pictures(ranked[: -count - 1 : -1]),
        "libjpeg": LIBJPEG,
    }


def _before_and_after(
    name: str, value: float, original: np.ndarray, case: Case, decoder: Decoder
) -> dict[str, Any]:
    """The part of an image where the decode and the restored image differ most."""
    data, original = case.make(original)
    file = JpegFile.read(data)
    restored = decoder.restore(file).pixels
    change = np.abs(restored.astype(np.float64) - file.pixels).mean(axis=2)
    box = plots.most_uncertain(change, _SIDE)
    parts = {"before": file.pixels, "after": restored, "original": original}
    shown = {key: viewer.picture(plots.crop(pixels, box)) for key, pixels in parts.items()}
    width, height, _ = shown["before"][1:]
    urls = {key: picture.url for key, picture in shown.items()}
    return {"name": name, "value": f"{value:.3f}", "width": width, "height": height, **urls}
