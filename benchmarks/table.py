"""Rows of figures as Markdown tables and JSON."""

import dataclasses
from collections.abc import Sequence


@dataclasses.dataclass(frozen=True)
class Row:
    """A contender's figures for a task.

    Attributes:
        section, name: what was done, and by whom.
        seconds: the fastest of all repeats.
        ratio: seconds over this library's for the same task; above 1, this library is faster.
        peak_mb: peak memory of its process, in MB.
        difference: the largest difference from this library's result.
        target: the bound for this row and whether it is met; "" if there is none.
        note: anything else.
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
    """A bound, and whether the value meets it: a lower bound or, if `most`, an upper one."""
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
