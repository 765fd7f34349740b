"""`grader compare ID`."""

from __future__ import annotations

from enum import IntEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.options import batch_option, json_option, settings
from grader.collector import without_the_collector

if TYPE_CHECKING:
    from rich.table import Table

    from grader.analysis.comparison import Comparison, Line

ROWS_SHOWN = 50
NAME_WIDTH = 16  # of a longer name, the least that stands in one line


class Layout(IntEnum):
    """How the table fits into a terminal; the first that does is taken."""

    TITLES = 0  # competencies by name, and every check as a bar
    CHECKS = 1  # competencies by number, with their names below
    NUMBERS = 2  # without checks


@click.command("compare")
@click.argument("exercise_id", metavar="ID")
@batch_option("Only who is in this batch.")
@click.option("--version", metavar="X", help="Version of the exercise. Default: the one that graded last.")
@click.option("--blind", is_flag=True, help="Pseudonyms instead of names, the same every time.")
@click.option(
    "--sort", "column", default="total", metavar="COLUMN", help="total, name, or a competency. Default: total."
)
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Also write a page.")
@click.option(
    "--csv", "csv_file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Also write CSV."
)
@json_option
@without_the_collector()
def command(
    exercise_id: str,
    batch: str | None,
    version: str | None,
    blind: bool,
    column: str,
    html: Path | None,
    csv_file: Path | None,
    as_json: bool,
) -> None:
    """Put candidates side by side: totals with error bands, ties as ties, competencies, checks."""
    from grader import clock
    from grader.analysis.comparison import compare, sorted_by
    from grader.analysis.pages import compare_page
    from grader.cli.console import print_json
    from grader.cli.writing import write_text
    from grader.errors import UsageError
    from grader.keys import Keyring
    from grader.store.cohorts import read_cohort
    from grader.store.opening import open_tables

    chosen = settings()
    with open_tables(chosen) as database:
        cohort = read_cohort(database, exercise_id, batch, version)
    if not cohort.members:
        raise UsageError(
            f"Nobody has a total in {cohort.name} yet.", hint="Grade first, or look at `grader sheet show`."
        )
    table = compare(cohort, Keyring(chosen.config_dir).server_key() if blind else None)
    try:
        lines = sorted_by(table, column)
    except KeyError as error:
        known = ", ".join(["total", "name", *table.competencies])
        raise UsageError(f"There is no column {column!r}.", hint=f"There are: {known}.") from error
    if html is not None:
        write_text(html, compare_page(table, clock.now()))
    if csv_file is not None:
        write_text(csv_file, _csv(table, lines))
    if as_json:
        print_json(
            {"cohort": table.title, "notes": list(table.notes), "candidates": [_data(table, line) for line in lines]}
        )
    else:
        _show(table, lines)


def _csv(table: Comparison, lines: list[Line]) -> str:
    """The table as CSV; a column about corrections by people is there where somebody has corrected something."""
    from grader.render.csv_table import csv_text

    header, rows = _header(table), map(_cells, lines)
    if not any(line.corrected for line in lines):
        return csv_text(header, rows)
    pairs = zip(rows, lines, strict=True)
    return csv_text([*header, "overrides"], ([*cells, " ".join(line.corrected)] for cells, line in pairs))


def _header(table: Comparison) -> list[str]:
    return ["candidate", "percent", "band", "rank_best", "rank_worst", "percentile", *table.competencies]


def _cells(line: Line) -> list[str | float]:
    shares = ["" if share is None else round(share, 2) for share in line.competencies]
    percentile = "" if line.percentile is None else round(line.percentile, 1)
    return [
        line.name,
        round(line.percent, 2),
        round(line.half, 2),
        line.rank.best,
        line.rank.worst,
        percentile,
        *shares,
    ]


def _data(table: Comparison, line: Line) -> dict[str, object]:
    return {
        "candidate": line.name,
        "percent": line.percent,
        "band": line.half,
        "rank": [line.rank.best, line.rank.worst],
        "percentile": line.percentile,
        "overrides": list(line.corrected),
        "competencies": dict(zip(table.competencies, line.competencies, strict=True)),
        "checks": {check: dict(zip(("share", "outcome"), line.answer(check), strict=True)) for check in table.checks},
    }


def _show(comparison: Comparison, lines: list[Line]) -> None:
    from rich.text import Text

    from grader.cli.console import fitting, out

    console = out()
    layouts = [partial(_table, comparison, lines[:ROWS_SHOWN], layout) for layout in Layout]
    place, table, least = fitting(console, layouts)
    layout = Layout(place)
    console.print(table)
    if layout is not Layout.TITLES:
        named = (f"{number} {title}" for number, title in enumerate(comparison.competencies, start=1))
        console.print(Text(", ".join(named)))
    if layout is Layout.NUMBERS:
        told = f"A terminal of {least[Layout.CHECKS]} columns shows single checks, too; --html and --csv show all."
        console.print(Text(told, style="dim"))
    if len(lines) > ROWS_SHOWN:
        console.print(f"and {len(lines) - ROWS_SHOWN} more; --html or --csv has all of them")
    for note in comparison.notes:
        console.print(Text(note, style="dim"), soft_wrap=True)


def _table(comparison: Comparison, lines: list[Line], layout: Layout, spare: int) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from grader.analysis.comparison import CORRECTED
    from grader.render.text import visible

    percentiles = any(line.percentile is not None for line in lines)
    titles = comparison.competencies
    if layout is not Layout.TITLES:
        titles = tuple(str(number) for number, _ in enumerate(titles, start=1))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=comparison.title)
    longest = max([len("Candidate"), *(len(visible(line.name, 60)) for line in lines)])
    table.add_column("Candidate", overflow="fold", width=min(longest, NAME_WIDTH + spare))
    for title in ("Rank", "Total", *(("Percentile",) if percentiles else ()), *titles):
        table.add_column(title.replace(" ", "\n"), justify="right", no_wrap=True)
    if layout is not Layout.NUMBERS:
        table.add_column("Checks", no_wrap=True)
    for line in lines:
        shares = ["\N{EN DASH}" if share is None else f"{share:.0f}" for share in line.competencies]
        percentile = [f"{int(line.percentile)}"] if percentiles and line.percentile is not None else []
        total = f"{line.percent:.1f}{CORRECTED if line.corrected else ''} \N{PLUS-MINUS SIGN} {line.half:.1f}"
        spark = ["".join(_block(line.answer(check)[0]) for check in comparison.checks)]
        shown = spark if layout is not Layout.NUMBERS else []
        table.add_row(Text(visible(line.name, 60)), str(line.rank), total, *percentile, *shares, *shown)
    return table


def _block(share: float | None) -> str:
    return "?" if share is None else "▁▂▃▄▅▆▇█"[round(share * 7)]
