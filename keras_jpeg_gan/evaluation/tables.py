"""The rows of an evaluation as CSV, as a summary and as a Markdown table."""

import csv
import dataclasses
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from keras_jpeg_gan.evaluation.cases import Case
from keras_jpeg_gan.evaluation.contenders import LIBJPEG
from keras_jpeg_gan.evaluation.measures import Row
from keras_jpeg_gan.evaluation.sets import Score
from keras_jpeg_gan.metrics.extractors import FID, FID_IMAGES

CONVENTIONS = (
    "Means over the images; ±: standard deviation over the seeds. Compressed by Pillow "
    "(libjpeg-turbo) with the IJG tables; all pixels count, none are cropped. PSNR over RGB, mean "
    "of the images' dB; Y is JFIF's (full range); SSIM with a Gaussian window (sigma 1.5), mean of "
    "the channels. Consistency: RMSE over RGB between the result, compressed and decoded again by "
    "libjpeg, and the decode of the file. FID, FD: Fréchet distance between a network's features "
    "and those of the reference images (AlexNet-64, VGG16-64: of whole 64x64 patches); KID in "
    "thousandths. s/MP: processor seconds per megapixel, over all cores, without start-up."
)

# Fields of `Row` that a summary averages over the images.
_AVERAGED = (
    "psnr", "psnr_y", "psnr_b", "ssim", "ms_ssim", "lpips", "consistency", "violation",
    "violations", "unrounded_consistency", "unrounded_violations", "deviation", "textured", "flat",
)  # fmt: skip
_SET = ("distance", "kid", "kid_error", "precision", "recall")

WORDS = 4

# Columns of the table: heading, field of the summary, format.
_COLUMNS = (
    ("PSNR, dB", "psnr", "{:.2f}"),
    ("gain, dB", "gain", "{:+.2f}"),
    ("PSNR-Y", "psnr_y", "{:.2f}"),
    ("PSNR-B", "psnr_b", "{:.2f}"),
    ("SSIM", "ssim", "{:.4f}"),
    ("MS-SSIM", "ms_ssim", "{:.4f}"),
    ("LPIPS", "lpips", "{:.4f}"),
    ("consistency", "consistency", "{:.4f}"),
)


# The same for measures of sets; the headings name the network.
_SET_COLUMNS = (
    ("{0}", "distance", "{:.2f}"),
    ("KID {1}", "kid", "{:.2f}"),
    ("precision", "precision", "{:.3f}"),
    ("recall", "recall", "{:.3f}"),
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


def summarize(rows: Sequence[Row], scores: Sequence[Score] = ()) -> list[dict[str, Any]]:
    """Average over the images for each case and contender, in order of appearance.

    With several seeds, NAME is the mean of a measure over them, and NAME_spread its standard
    deviation (unbiased).
    """
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(_key(row), []).append(row)
    by_group: dict[tuple[Any, ...], list[Score]] = {}
    for score in scores:
        by_group.setdefault(_key(score), []).append(score)
    summary = [_summary(group, by_group.get(key, [])) for key, group in groups.items()]
    base = {
        case_of(s): s["psnr"] for s in summary if s["model"] == LIBJPEG and s["psnr"] is not None
    }
    for line in summary:
        known = case_of(line) in base and line["psnr"] is not None and line["model"] != LIBJPEG
        line["gain"] = line["psnr"] - base[case_of(line)] if known else None
    return summary


def _key(entry: Row | Score) -> tuple[Any, ...]:
    return (
        entry.sampling, entry.quality, entry.first_quality, entry.shift, entry.model, entry.method,
    )  # fmt: skip


def case_of(line: dict[str, Any]) -> Case:
    """The case of a line of the summary."""
    return Case.from_fields(line)


def _summary(group: Sequence[Row], scores: Sequence[Score]) -> dict[str, Any]:
    first = group[0]
    seeds = sorted({row.seed for row in group})
    line: dict[str, Any] = {
        name: getattr(first, name)
        for name in ("sampling", "quality", "first_quality", "shift", "model", "method")
    }
    line |= {"images": len(group) // len(seeds), "seeds": len(seeds)}
    for name in _AVERAGED:
        of_seeds = [_values((row for row in group if row.seed == seed), name) for seed in seeds]
        line |= _over_seeds(name, [float(np.mean(values)) for values in of_seeds if values])
    line |= {
        "files": len(group),
        "files_exact": sum(row.levels_equal == row.levels_total for row in group),
        "blocks_exact": sum(row.blocks_equal for row in group),
        "blocks": sum(row.blocks_total for row in group),
        "levels_exact": sum(row.levels_equal for row in group),
        "levels": sum(row.levels_total for row in group),
        "largest_violation": max(row.largest_violation for row in group),
        "seconds_a_megapixel": sum(row.seconds for row in group)
        / sum(row.megapixels for row in group),
    }
    line["sets"] = [
        {
            "network": network,
            "distance_name": of_network[0].distance_name,
            "images": of_network[0].images,
            "vectors": of_network[0].vectors,
            **{
                k: v
                for name in _SET
                for k, v in _over_seeds(name, _values(of_network, name)).items()
            },
        }
        for network in dict.fromkeys(score.network for score in scores)
        for of_network in [[score for score in scores if score.network == network]]
    ]
    return line


def _values(entries: Iterable[Row | Score], name: str) -> list[float]:
    """The values of a measure, where it was measured."""
    found = [getattr(entry, name) for entry in entries]
    return [value for value in found if value is not None]


def _over_seeds(name: str, means: Sequence[float]) -> dict[str, float | None]:
    several = len(means) > 1 and np.isfinite(means).all()
    return {
        name: float(np.mean(means)) if means else None,
        f"{name}_spread": float(np.std(means, ddof=1)) if several else None,
    }


def to_markdown(summary: Sequence[dict[str, Any]]) -> str:
    """`cells` as a Markdown table."""
    return table(*cells(summary), WORDS)


def cells(summary: Sequence[dict[str, Any]]) -> tuple[list[str], list[list[str]]]:
    """The headings, and for each case and contender a line of everything that was measured.

    The first `WORDS` cells of a line are words, the others numbers.
    """
    shown = [c for c in _COLUMNS if any(line[c[1]] is not None for line in summary)]
    sets = {
        name: [
            column
            for column in _SET_COLUMNS
            if any(_set_of(line, name).get(column[1]) is not None for line in summary)
        ]
        for name in dict.fromkeys(s["distance_name"] for line in summary for s in line["sets"])
    }
    measured_deviation = any(line["deviation"] is not None for line in summary)
    heads = ["sampling", "quality", "model", "method", *(head for head, _, _ in shown)]
    for name, columns in sets.items():
        heads += [head.format(name, name.removeprefix("FD ")) for head, _, _ in columns]
    heads += ["deviation, textured / flat"] if measured_deviation else []
    heads += ["files exact", "levels off", "s/MP"]
    return heads, [_cells(line, shown, sets, measured_deviation) for line in summary]


def notes(summary: Sequence[dict[str, Any]]) -> list[str]:
    """What a reader must know about these figures besides the conventions."""
    counts = [s["images"] for line in summary for s in line["sets"] if s["distance_name"] == FID]
    if not counts or min(counts) >= FID_IMAGES:
        return []
    return [
        f"FID of {min(counts):,} images: its authors ask for {FID_IMAGES:,} or more. Fewer give a "
        "higher value, so compare it only with FIDs of as many images."
    ]


def _set_of(line: dict[str, Any], name: str) -> dict[str, Any]:
    return next((s for s in line["sets"] if s["distance_name"] == name), {})


def _cells(
    line: dict[str, Any],
    shown: Sequence[tuple[str, str, str]],
    sets: Mapping[str, Sequence[tuple[str, str, str]]],
    measured_deviation: bool,
) -> list[str]:
    found = [line["sampling"], case_of(line).label, line["model"], line["method"]]
    found += [number(line, field, form) for _, field, form in shown]
    for name, columns in sets.items():
        own = _set_of(line, name)
        found += [
            _kid(own) if field == "kid" else number(own, field, form) for _, field, form in columns
        ]
    if measured_deviation:
        parts = [number(line, field, "{:.2f}") for field in ("deviation", "textured", "flat")]
        found += [f"{parts[0]}, {parts[1]} / {parts[2]}" if line["deviation"] else "–"]
    found += [f"{line['files_exact']} of {line['files']}"]
    found += [f"{line['levels'] - line['levels_exact']:,} of {line['levels']:,}"]
    timed = line["seconds_a_megapixel"] > 0
    return [*found, number(line, "seconds_a_megapixel", "{:.2f}") if timed else "–"]


def _kid(values: dict[str, Any]) -> str:
    """In thousandths; its ± is the error over the subsets, not the deviation over the seeds."""
    if values.get("kid") is None:
        return "–"
    return number(
        {"kid": 1000 * values["kid"], "kid_spread": 1000 * values["kid_error"]}, "kid", "{:.2f}"
    )


def number(values: dict[str, Any], name: str, form: str) -> str:
    """A value and its spread; a dash for none, and ∞ where an image equals the original."""
    value, spread = values.get(name), values.get(f"{name}_spread")
    if value is None:
        return "–"
    if math.isinf(value):
        return "∞"
    text = form.format(value)
    return text if spread is None else f"{text} ± {form.replace('+', '').format(spread)}"


def table(heads: Sequence[str], lines: Sequence[Sequence[str]], words: int) -> str:
    """A Markdown table; its first `words` columns are words, the others numbers."""
    rule = ["---"] * words + ["---:"] * (len(heads) - words)
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (heads, rule, *lines))
