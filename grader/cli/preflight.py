"""`grader preflight ID PATH`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.options import exercises_option, json_option, settings

if TYPE_CHECKING:
    from grader.cli.receipt import Receipt
    from grader.engine.grade import GradingRun
    from grader.model.exercise import Manifest


@click.command("preflight")
@click.argument("exercise_id", metavar="ID")
@click.argument("path", metavar="PATH")
@exercises_option
@json_option
def command(exercise_id: str, path: str, exercise_folders: tuple[Path, ...], as_json: bool) -> int:
    """Find out whether a submission can be graded, and why not. Gives a receipt and no score."""
    from grader.catalog.exercises import load_exercise, resolve
    from grader.cli.console import err, print_json
    from grader.cli.entries import existing
    from grader.engine.grade import GradingRun, Watcher
    from grader.wiring import open_harness

    chosen = settings(exercise_folders=exercise_folders)
    source = resolve(exercise_id, chosen.exercises)
    exercise = load_exercise(source)
    target = existing(path)
    with open_harness(chosen, lambda text: err().print(text, style="dim", markup=False)) as harness:
        run = GradingRun(harness, exercise, source, None, Watcher())
        receipt = _look(run, exercise.manifest, target)
    if as_json:
        print_json(receipt.as_json())
    else:
        _show(receipt)
    return receipt.rejection.exit_code if receipt.rejection else 0


def _look(run: GradingRun, exercise: Manifest, target: Path) -> Receipt:
    """Carry a preflight out; a rejection is an answer like any other."""
    from grader import clock
    from grader.cli.receipt import Receipt
    from grader.errors import SubmissionRejected
    from grader.intake.manifest import read_manifest
    from grader.intake.notebook import find_notebook
    from grader.intake.receive import label_of, receive

    received, rejection, submission, manifest = clock.now(), None, None, None
    observations: tuple[str, ...] = ()
    try:
        submission = run.preflight(target)
    except SubmissionRejected as rejected:
        rejection = rejected
    try:
        submission = submission or receive(target)
        observations = submission.observations
        observations += tuple(f"Holds {path}; it has no effect here." for path in submission.steering)
        manifest, notes = read_manifest(submission, exercise.part)
        observations += notes + find_notebook(submission, manifest, exercise.notebook_path)[1]
    except SubmissionRejected as rejected:
        rejection = rejection or rejected
    return Receipt(
        exercise=exercise,
        label=submission.label if submission else label_of(target),
        received=received,
        rejection=rejection,
        submission=submission,
        manifest=manifest,
        observations=observations,
    )


def _show(receipt: Receipt) -> None:
    from rich.text import Text

    from grader.cli.console import out
    from grader.cli.receipt import NO_SCORE
    from grader.render.text import visible

    console = out()
    title = ("Gradable", "bold green") if receipt.rejection is None else ("Not gradable", "bold red")
    console.print(Text.assemble(title))
    for what, text in receipt.lines():
        console.print(Text(f"{what:>11}  ", style="dim").append(visible(text), style="not dim"), soft_wrap=True)
    console.print(NO_SCORE, markup=False, soft_wrap=True)
