"""Rows of an evaluation as CSV, summary and Markdown table."""

import csv
import dataclasses
import io
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_jpeg_gan.evaluation.runner import LIBJPEG, Row

CONVENTIONS = (
    "PSNR over RGB, all pixels, mean of the images' dB; consistency: RMSE over RGB of the result "
    "compressed and decoded again against the decode of the file; compressed by Pillow "
    "(libjpeg-turbo) with the IJG tables; s/MP: processor seconds a megapixel, over all cores, "
    "without starting."
)


def to_csv(rows: Sequence[Row]) -> str:
    """A header and a line for each row."""
    text = io.StringIO()
    writer = csv.DictWriter(
        text, [field.name for field in dataclasses.fields(Row)], lineterminator="\n"
    )
    writer.writeheader()
    writer.writerows(dataclasses.asdict(row) for row in rows)
    return text.getvalue()


def summarize(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Means over the images for each sampling, quality and model, in order of appearance."""
    groups: dict[tuple[str, int, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row.sampling, row.quality, row.model), []).append(row)
    return [
        {
            "sampling": sampling,
            "quality": quality,
            "model": model,
            "images": len(group),
            "psnr": float(np.mean([row.psnr for row in group])),
            "files_exact": sum(row.levels_equal == row.levels_total for row in group),
            "levels_equal": sum(row.levels_equal for row in group),
            "levels_total": sum(row.levels_total for row in group),
            "consistency": float(np.mean([row.consistency for row in group])),
            "seconds_a_megapixel": sum(row.seconds for row in group)
            / sum(row.megapixels for row in group),
        }
        for (sampling, quality, model), group in groups.items()
    ]


def to_markdown(summary: Sequence[dict[str, Any]]) -> str:
    """The table, a line for each sampling, quality and model but libjpeg.

    libjpeg's PSNR and consistency stand in columns of their own where it was measured.
    """
    baseline = {(s["sampling"], s["quality"]): s for s in summary if s["model"] == LIBJPEG}
    lines = [
        "| sampling | quality | model | libjpeg, dB | restored, dB | gain, dB | files exact "
        "| levels off | consistency, libjpeg / restored | s/MP |",
        "| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for s in summary:
        if s["model"] == LIBJPEG:
            continue
        base = baseline.get((s["sampling"], s["quality"]))
        before = f"{base['psnr']:.2f}" if base else "–"
        gain = f"{s['psnr'] - base['psnr']:+.2f}" if base else "–"
        consistency = f"{base['consistency']:.2f}" if base else "–"
        lines.append(
            f"| {s['sampling']} | {s['quality']} | {s['model']} | {before} | {s['psnr']:.2f} "
            f"| {gain} | {s['files_exact']} of {s['images']} "
            f"| {s['levels_total'] - s['levels_equal']:,} of {s['levels_total']:,} "
            f"| {consistency} / {s['consistency']:.2f} | {s['seconds_a_megapixel']:.2f} |"
        )
    return "\n".join(lines) + "\n"
