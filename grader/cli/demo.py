"""`grader demo`."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from grader.cli.options import json_option, out_option, settings

EXERCISE = "clean_parquet"
RUNGS = ("reference", "plain", "broken")


@click.command("demo")
@out_option("Where score sheets go. Default: ./grading/demo")
@json_option
def command(out: Path | None, as_json: bool) -> int:
    """Grade three sample submissions of clean_parquet, to see what comes out."""
    from grader.catalog.exercises import resolve
    from grader.catalog.ladder import load_ladder, materialise
    from grader.cli import grading

    chosen = settings()
    folder = out or chosen.out / "demo"
    rungs = {rung.name: rung for rung in load_ladder(resolve(EXERCISE, chosen.exercises))}
    with tempfile.TemporaryDirectory(prefix="grader-demo-") as workshop:
        paths = [Path(workshop) / name for name in RUNGS]
        for path in paths:
            materialise(rungs[path.name], path)
        order = grading.Order(
            exercise_id=EXERCISE,
            paths=[str(path) for path in paths],
            out=folder,
            replace=True,
            fresh=True,
            apart=True,
        )
        rows = grading.grade_all(chosen, order)
    grading.show(rows, folder, as_json=as_json)
    # One of the three cannot be graded on purpose; only a fault means that something is wrong here.
    status = grading.exit_status(rows, None)
    return status if status in (4, 5) else 0
