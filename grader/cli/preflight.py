"""`grader preflight ID PATH`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.options import exercises_option, json_option, settings

if TYPE_CHECKING:
    from grader.errors import SubmissionRejected


@click.command("preflight")
@click.argument("exercise_id", metavar="ID")
@click.argument("path", metavar="PATH")
@exercises_option
@json_option
def command(exercise_id: str, path: str, exercise_folders: tuple[Path, ...], as_json: bool) -> int:
    """Find out whether a submission can be graded, and why not. Gives no score."""
    from rich.text import Text

    from grader.catalog.exercises import load_exercise, resolve
    from grader.cli.console import err, out, print_json
    from grader.cli.grading import existing
    from grader.engine.grade import GradingRun, Watcher
    from grader.errors import SubmissionRejected
    from grader.render.text import visible
    from grader.wiring import open_harness

    chosen = settings(exercise_folders=exercise_folders)
    source = resolve(exercise_id, chosen.exercises)
    exercise = load_exercise(source)
    target = existing(path)
    with open_harness(chosen, lambda text: err().print(text, style="dim")) as harness:
        run = GradingRun(harness, exercise, source, None, Watcher())
        try:
            submission = run.preflight(target)
        except SubmissionRejected as rejection:
            _refuse(rejection, as_json=as_json)
            return rejection.exit_code
    if as_json:
        observations = list(submission.observations)
        print_json(
            {
                "gradable": True,
                "files": len(submission.files),
                "digest": submission.digest,
                "observations": observations,
            }
        )
        return 0
    receipt = f"{len(submission.files)} files, digest {submission.digest}"
    out().print(Text.assemble(("Gradable. ", "bold green"), receipt), soft_wrap=True)
    for observation in submission.observations:
        out().print(visible(observation), markup=False, soft_wrap=True)
    return 0


def _refuse(rejection: SubmissionRejected, *, as_json: bool) -> None:
    from rich.text import Text

    from grader.cli.console import out, print_json
    from grader.model.reasons import REJECTION_WORDS
    from grader.render.text import visible

    if as_json:
        print_json(
            {
                "gradable": False,
                "reason": rejection.reason.value,
                "message": rejection.message,
                "hint": rejection.hint,
            }
        )
        return
    out().print(Text.assemble(("Not gradable. ", "bold red"), REJECTION_WORDS[rejection.reason]))
    for line in (rejection.message, rejection.hint):
        out().print(visible(line), markup=False, soft_wrap=True)
