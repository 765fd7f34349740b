"""`grader stats ID`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.options import batch_option, json_option, settings
from grader.collector import without_the_collector

if TYPE_CHECKING:
    from grader.analysis.figures import Figure
    from grader.analysis.items import Item
    from grader.store.cohorts import Cohort

_EXTRA = "pip install 'grader[reports]'"


@click.command("stats")
@click.argument("exercise_id", metavar="ID")
@batch_option("Only who is in this batch.")
@click.option("--version", metavar="X", help="Version of the exercise. Default: the one that graded last.")
@click.option(
    "--groups",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.csv",
    help="Columns candidate, group: compare pass rates. Used, and kept nowhere.",
)
@click.option("--pass-mark", type=click.FloatRange(0, 100), metavar="N", help="Percent to pass; goes with --groups.")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="A page with pictures.")
@click.option(
    "--csv", "csv_file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Checks as CSV."
)
@json_option
@without_the_collector()
def command(
    exercise_id: str,
    batch: str | None,
    version: str | None,
    groups: Path | None,
    pass_mark: float | None,
    html: Path | None,
    csv_file: Path | None,
    as_json: bool,
) -> None:
    """Say what the scores of an exercise tell about the exercise itself.

    How hard each check is and whether it tells people apart, how exactly a total measures, how
    totals and times are spread. Each figure comes with n and a sentence; where n is too small for
    it to mean anything, the reason stands in its place.
    """
    from grader.cli.console import print_json
    from grader.errors import UsageError
    from grader.store.cohorts import read_cohort
    from grader.store.opening import open_tables

    if (groups is None) != (pass_mark is None):
        raise UsageError(
            "--groups and --pass-mark go together.", hint="For example: --groups groups.csv --pass-mark 60"
        )
    with open_tables(settings()) as database:
        people = read_cohort(database, exercise_id, batch, version)
    # The exercise is judged by what was measured, and who passes by the scores that count.
    cohort = people.as_measured()
    try:
        figures, items = _compute(cohort, people, groups, pass_mark)
        if html is not None:
            _write_page(html, cohort, figures, items, _notes(cohort, people.corrected))
    except ModuleNotFoundError as error:
        raise UsageError(f"The package {error.name} is not installed.", hint=f"Type: {_EXTRA}") from error
    if csv_file is not None:
        _write_csv(csv_file, items)
    if as_json:
        print_json(
            {
                "cohort": cohort.name,
                "n": len(cohort.members),
                "rejected": cohort.rejected,
                "faulted": cohort.faulted,
                "corrected": people.corrected,
                "figures": [asdict(figure) for figure in figures],
                "checks": [asdict(item) for item in items],
            }
        )
    else:
        _show(cohort, figures, items, _notes(cohort, people.corrected))


def _compute(
    cohort: Cohort, people: Cohort, groups: Path | None, pass_mark: float | None
) -> tuple[list[Figure], list[Item]]:
    from grader.analysis.cohort_figures import figures_of, items_of
    from grader.analysis.impact import impact, read_groups

    figures = figures_of(cohort)
    if groups is not None and pass_mark is not None:
        figures += impact(people, read_groups(groups), pass_mark)
    return figures, items_of(cohort)


def _notes(cohort: Cohort, corrected: int) -> list[str]:
    from grader.analysis.items import D_FROM, DIFFICULTY_FROM, DISCRIMINATION_FROM

    n = len(cohort.members)
    told = [
        "Mean share: how much of its points a check gives on average. Agreement: whether who does well elsewhere does "
        "well in it; .20 and more is kept, .30 is good. D: the best 27 % less the weakest 27 %."
    ]
    for needed, what in ((DIFFICULTY_FROM, "mean share"), (DISCRIMINATION_FROM, "agreement"), (D_FROM, "D")):
        if n < needed:
            told.append(f"No {what} with n = {n}: from {needed} on.")
    if corrected:
        told.append(f"People have corrected {corrected} of the scores; the figures above take what was measured.")
    if cohort.rejected or cohort.faulted:
        told.append(f"Left out: {cohort.rejected} that could not be graded, {cohort.faulted} without a complete run.")
    if cohort.elsewhere:
        listed = ", ".join(f"{version}: {number}" for version, number in cohort.elsewhere.items())
        told.append(f"Graded with other versions, and left out: {listed}.")
    return told


def _write_page(file: Path, cohort: Cohort, figures: list[Figure], items: list[Item], notes: Sequence[str]) -> None:
    from grader import clock
    from grader.analysis.stats_page import stats_page
    from grader.cli.writing import write_text

    write_text(file, stats_page(cohort, figures, items, notes, clock.now()))


def _write_csv(file: Path, items: Sequence[Item]) -> None:
    from grader.cli.writing import write_text
    from grader.render.csv_table import csv_text

    rows = [asdict(item) | {"flags": "; ".join(item.flags)} for item in items]
    write_text(file, csv_text(list(rows[0]), [list(row.values()) for row in rows]))


def _show(cohort: Cohort, figures: Sequence[Figure], items: Sequence[Item], notes: Sequence[str]) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from grader.cli.console import out

    console = out()
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=cohort.name)
    for title in ("Figure", "n", "Value", "95 %", "What it means"):
        table.add_column(title, justify="right" if title in ("n", "Value") else "left", overflow="fold")
    for figure in figures:
        style = "dim" if figure.value is None else ""
        value, interval = _number(figure.value), _interval(figure.low, figure.high)
        table.add_row(Text(figure.name), str(figure.n), value, interval, Text(figure.sentence, style))
    console.print(table)
    checks = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in ("Check", "n", "Mean share", "Agreement", "D", "Title", "To look at"):
        checks.add_column(title, justify="right" if title in ("n", "Mean share", "Agreement", "D") else "left")
    for item in items:
        numbers = map(_number, (item.difficulty, item.discrimination, item.upper_lower))
        checks.add_row(item.check, str(item.n), *numbers, Text(item.title), Text("; ".join(item.flags), "yellow"))
    console.print(checks)
    for note in notes:
        console.print(Text(note, style="dim"), soft_wrap=True)


def _number(value: float | None) -> str:
    return "\N{EN DASH}" if value is None else f"{value:.2f}"


def _interval(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{low:.2f} to {high:.2f}"
