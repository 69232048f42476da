"""Rows of figures as a Markdown table and as JSON."""

import dataclasses
from collections.abc import Sequence


@dataclasses.dataclass(frozen=True)
class Row:
    """One contender at one task.

    Attributes:
        section, name: what was done, and by whom.
        seconds: the least of all repeats.
        ratio: of these to this library's at the same task: above 1, this library is faster.
        peak_mb: the most memory that its process ever held, in MB.
        difference: the largest between its result and this library's.
        target: what the row should show, and whether it does; "" where nothing is asked.
        note: what else there is to say.
    """

    section: str
    name: str
    seconds: float | None = None
    ratio: float | None = None
    peak_mb: float | None = None
    difference: float | None = None
    target: str = ""
    note: str = ""


def target(value: float, bound: float, most: bool = False) -> str:
    """A bound in words, and whether the value keeps it: at least it or, if `most`, at most."""
    met = value <= bound if most else value >= bound
    return f"{'≤' if most else '≥'} {bound:g}: {'met' if met else 'missed'}"


def markdown(rows: Sequence[Row]) -> str:
    """A table for each section."""
    lines: list[str] = []
    for i, row in enumerate(rows):
        if i == 0 or row.section != rows[i - 1].section:
            lines += [
                *([""] if lines else []),
                f"| {row.section} | ms | times ours | target | peak MB | differs by | |",
                "| --- | ---: | ---: | --- | ---: | ---: | --- |",
            ]
        cells = [
            row.name,
            _number(None if row.seconds is None else 1000 * row.seconds, "{:.1f}"),
            _number(row.ratio, "{:.2f}"),
            row.target,
            _number(row.peak_mb, "{:.0f}"),
            _number(row.difference, "{:.1g}"),
            row.note,
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _number(value: float | None, form: str) -> str:
    return "" if value is None else form.format(value)
