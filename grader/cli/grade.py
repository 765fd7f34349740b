"""`grader grade ID PATH...`."""

from __future__ import annotations

from pathlib import Path

import click

from grader.cli.options import exercises_option, json_option, out_option, settings


@click.command("grade")
@click.argument("exercise_id", metavar="ID")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--candidate", metavar="NAME", help="Grade on this candidate's own variant (one PATH only).")
@out_option("Where score sheets go. Default: ./grading")
@click.option("--keep", is_flag=True, help="Also keep the logs of the boxes, for debugging.")
@click.option("--replace", is_flag=True, help="Move sheets that are in the way aside, instead of refusing.")
@click.option(
    "--fail-under", type=click.FloatRange(0, 100), metavar="N", help="Exit with 1 when a total is below N percent."
)
@exercises_option
@json_option
def command(
    exercise_id: str,
    paths: tuple[str, ...],
    candidate: str | None,
    out: Path | None,
    keep: bool,
    replace: bool,
    fail_under: float | None,
    exercise_folders: tuple[Path, ...],
    as_json: bool,
) -> int:
    """Grade submissions: folders, or zip or tar archives.

    Each gets a folder below --out with its score sheet as JSON, HTML and Markdown, and
    a page for the candidate; summary.csv on top has a row for each.
    """
    from grader.cli import grading
    from grader.errors import UsageError

    if candidate is not None and len(paths) > 1:
        raise UsageError("--candidate names one person, but several paths are given.", hint="Grade them one by one.")
    chosen = settings(exercise_folders=exercise_folders, out=out)
    order = grading.Order(
        exercise_id=exercise_id, paths=paths, candidate=candidate, keep=keep, replace=replace, out=chosen.out
    )
    rows = grading.grade_all(chosen, order)
    grading.show(rows, chosen.out, as_json=as_json)
    return grading.exit_status([row.sheet for row in rows], fail_under)
