"""`grader regrade ID`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.options import batch_option, exercises_option, json_option, settings

if TYPE_CHECKING:
    from rich.table import Table

    from grader.cli.regrading import Accepted, Line, Report

ROWS_SHOWN, NAMES_SHOWN = 40, 10


@click.command("regrade")
@click.argument("exercise_id", metavar="ID")
@batch_option("Only what was graded in this batch.")
@click.option("--version", metavar="X", help="Only what was graded with this version of the exercise.")
@click.option(
    "--again", is_flag=True, help="Run everything again, even where nothing differs: other points are then named."
)
@click.option("--pass-mark", type=click.FloatRange(0, 100), metavar="N", help="Tell who crosses this percentage.")
@click.option("--jobs", type=click.IntRange(1, 256), metavar="N", help="Runs at once. Default: by cores and memory.")
@click.option("--accept", metavar="REGRADE", help="Let the new scores of a regrade count, from now on.")
@click.option("--reason", default="", metavar="TEXT", help="Why, for the audit log; needed with --accept.")
@exercises_option
@json_option
def command(
    exercise_id: str,
    batch: str | None,
    version: str | None,
    again: bool,
    pass_mark: float | None,
    jobs: int | None,
    accept: str | None,
    reason: str,
    exercise_folders: tuple[Path, ...],
    as_json: bool,
) -> int:
    """Grade anew what was graded before, after an exercise or an image has changed.

    New runs stand beside the old ones, and the report says whose score would change, by how much
    and why. No score changes before --accept. Where only points or texts changed, stored results
    are added up again and nothing is run.
    """
    from grader.cli import regrading
    from grader.cli.console import print_json

    chosen = settings(exercise_folders=exercise_folders)
    if accept is not None:
        _show_accepted(regrading.accept(chosen, exercise_id, accept, reason), as_json=as_json)
        return 0
    order = regrading.Order(
        exercise_id=exercise_id, batch=batch, version=version, again=again, jobs=jobs, pass_mark=pass_mark
    )
    report = regrading.regrade(chosen, order)
    if as_json:
        print_json(_as_data(report))
    else:
        _show(report)
    return 4 if any(line.change is None for line in report.lines) else 0


def _show_accepted(accepted: Accepted, *, as_json: bool) -> None:
    from grader.cli.console import out, print_json

    if as_json:
        dropped = {candidate: list(checks) for candidate, checks in accepted.dropped}
        unrated = {candidate: list(reviewers) for candidate, reviewers in accepted.unrated}
        print_json({"changed": list(accepted.changed), "overrides_dropped": dropped, "reviews_dropped": unrated})
        return
    told = [f"{len(accepted.changed)} scores are replaced: {', '.join(accepted.changed) or 'none'}."]
    if accepted.dropped:
        listed = "; ".join(f"{candidate}: {', '.join(checks)}" for candidate, checks in accepted.dropped)
        told.append(f"What people had corrected in the old runs does not count any more: {listed}. {_AGAIN}")
    if accepted.unrated:
        listed = "; ".join(f"{candidate}: {', '.join(reviewers)}" for candidate, reviewers in accepted.unrated)
        told.append(f"What people had rated in the old runs does not count any more: {listed}. {_RATE_AGAIN}")
    for line in told:
        out().print(line, soft_wrap=True)


_AGAIN = "Where it still holds, correct the new sheet: grader sheet override. The old one is kept, with the reason."
_RATE_AGAIN = "Where it still holds, rate the new sheet: grader sheet review. The old one is kept, with the ratings."


def _as_data(report: Report) -> dict[str, object]:
    return {
        "regrade": report.regrade,
        "exercise": report.exercise,
        "version": report.version,
        "submissions": [
            {
                "candidate": line.candidate,
                "before": line.before.percent,
                "after": line.after.percent if line.after else None,
                "status": line.after.status if line.after else "faulted",
                "by": line.change.by if line.change else None,
                "checks": dict(line.change.checks) if line.change else {},
                "crossed": line.change.crossed if line.change else "",
                "causes": list(line.causes),
                "unsteady": line.is_unsteady,
                "overrides_dropped": list(line.dropped),
                "reviews_dropped": list(line.unrated),
            }
            for line in report.lines
        ],
    }


def _show(report: Report) -> None:
    from rich.text import Text

    from grader.cli.console import out

    console = out()
    lines = report.lines
    changed = [line for line in lines if line.change is None or line.change.is_one]
    if changed:
        console.print(_table(changed[:ROWS_SHOWN]))
    if len(changed) > ROWS_SHOWN:
        console.print(f"and {len(changed) - ROWS_SHOWN} more; --json lists all of them")
    for sentence in _sentences(report, changed):
        console.print(Text(sentence), soft_wrap=True)


def _table(lines: list[Line]) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from grader.render.text import visible

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in ("Candidate", "Before", "After", "By", "Pass mark", "Checks"):
        table.add_column(title, justify="right" if title in ("Before", "After", "By") else "left", overflow="fold")
    for line in lines:
        moved = line.change.checks[:8] if line.change else ()
        table.add_row(
            Text(visible(line.candidate, 60)),
            _percent(line.before.percent, line.before.status),
            _percent(line.after.percent, line.after.status) if line.after else "not complete",
            "" if line.change is None or line.change.by is None else f"{line.change.by:+.1f}",
            {"up": "passes now", "down": "fails now"}.get(line.change.crossed if line.change else "", ""),
            Text(", ".join(f"{check} {by:+.2f}" for check, by in moved)),
        )
    return table


def _percent(value: float | None, status: str) -> str:
    return status if value is None else f"{value:.1f}"


def _left_behind(lines: Sequence[Line]) -> list[str]:
    """What people have done to runs that would count no more."""
    told = []
    if corrected := _named((line.candidate, line.dropped) for line in lines):
        told.append(
            f"Corrected by people, which a new run does not hold: {corrected}. If you accept, what was measured now "
            "counts for them, until somebody corrects it anew."
        )
    if rated := _named((line.candidate, line.unrated) for line in lines):
        told.append(
            f"Rated by people, which a new run does not hold: {rated}. If you accept, their notebooks are not rated, "
            "until somebody rates them anew."
        )
    return told


def _named(pairs: Iterable[tuple[str, Sequence[str]]]) -> str:
    from grader.render.text import visible

    found = [f"{visible(candidate, 60)} ({', '.join(what)})" for candidate, what in pairs if what]
    return ", ".join(found[:NAMES_SHOWN]) + (" and others" if len(found) > NAMES_SHOWN else "")


def _sentences(report: Report, changed: list[Line]) -> list[str]:
    from grader.render.text import visible

    lines = report.lines
    ups = sum(line.change is not None and (line.change.by or 0) > 0 for line in changed)
    downs = sum(line.change is not None and (line.change.by or 0) < 0 for line in changed)
    open_ = sum(line.change is None for line in lines)
    told = [
        f"{len(lines)} submissions, graded with {report.exercise} {report.version}: "
        f"{ups} would rise, {downs} would fall, {len(lines) - len(changed)} stay as they are."
    ]
    if report.pass_mark is not None:
        crossed = [line.change.crossed for line in lines if line.change]
        told.append(
            f"Pass mark {report.pass_mark:g}: {crossed.count('up')} would pass who failed, "
            f"{crossed.count('down')} would fail who passed."
        )
    causes = dict.fromkeys(cause for line in lines for cause in line.causes)
    told.append(f"What differs: {'; '.join(causes)}." if causes else "Nothing differs.")
    if unsteady := [visible(line.candidate, 60) for line in lines if line.is_unsteady]:
        named = ", ".join(unsteady[:NAMES_SHOWN]) + (" and others" if len(unsteady) > NAMES_SHOWN else "")
        told.append(
            f"Other points from the same files, exercise, images and hidden data: {named}. Checks of time may differ "
            "a little; anything else is for a person to look at, as a program may act differently on another day."
        )
    told += _left_behind(lines)
    if open_:
        told.append(f"{open_} are not complete. Run the same command again: it goes on where it was.")
    elif changed:
        told.append(
            f"No score has changed. To let them count: grader regrade {report.exercise} "
            f'--accept {report.regrade[:8]} --reason "..."'
        )
    return told
