"""`grader grade ID PATH --checker process -- PYTEST-OPTIONS`: the checks as a child process, for their author."""

from __future__ import annotations

import importlib.util
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from grader.catalog.exercises import load_exercise, resolve
from grader.catalog.ladder import PATCH, SOLUTIONS, materialise, rung_named
from grader.cli.console import err, out
from grader.engine.grade import GradingRun, Watcher, not_graded
from grader.errors import ExerciseDefect, SubmissionRejected, UsageError
from grader.intake.receive import plain_name
from grader.model.exercise import Exercise
from grader.model.run import RunStatus
from grader.render.files import sheet_files
from grader.render.terminal import sheet_view
from grader.wiring import open_harness, with_checker_process

if TYPE_CHECKING:
    from grader.config import Settings

PATIENCE = 86400.0
"""Seconds that a run may take while a person sits at a debugger."""
NEEDED = ("pytest", "numpy", "pandas", "pyarrow")


def debug(settings: Settings, exercise_id: str, path: Path, candidate: str | None, options: Sequence[str]) -> int:
    """Run the checks of one submission under the author's eyes; print the sheet and return the exit status.

    The submission keeps its box, and its limits on calls and starts; only the run as a whole has time.

    Args:
        settings: Where exercises are, and where the sheet goes.
        exercise_id: The exercise.
        path: The submission; a rung of the exercise's own ladder is put together first.
        candidate: Whose variant it is graded on; None for the variant shared by all.
        options: pytest's own.

    Raises:
        UsageError: There is no such exercise or path, or the checks' packages are not installed here.
    """
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise UsageError(
            f"This Python has no {', '.join(missing)}, which checks need outside of their box.",
            hint="Type: pip install -r requirements/dev.txt",
        )
    source = resolve(exercise_id, settings.exercises)
    exercise = _patient(load_exercise(source))

    def say(text: str) -> None:
        err().print(text, style="dim", markup=False, soft_wrap=True)

    with open_harness(settings, say) as harness, _terminal() as terminal, _put_together(source, path) as handed_in:
        apart = with_checker_process(harness, terminal)
        run = GradingRun(apart, exercise, source, candidate, Watcher(step=say), options=options)
        sheet = run.grade(handed_in).sheet
        files = sheet_files(sheet, harness.keyring.signing_key())
    folder = settings.out / f"{plain_name(path.resolve().name)}.debug"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{folder} cannot be written: {error.strerror}", hint="Name another with --out.") from error
    out().print(sheet_view(sheet))
    out().print(str(folder / "sheet.html"), markup=False, soft_wrap=True)
    if sheet.status is RunStatus.REJECTED:
        return SubmissionRejected.exit_code
    return ExerciseDefect.exit_code if [each for each in sheet.faults if each != not_graded(options)] else 0


@contextmanager
def _put_together(source: Path, path: Path) -> Iterator[Path]:
    """The submission as it is, or a rung with what its patch changes, which is no program by itself."""
    folder = path.resolve()
    if folder.parent != (source / SOLUTIONS).resolve() or not (folder / PATCH).is_file():
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="grader-rung-") as workshop:
        whole = Path(workshop) / folder.name
        materialise(rung_named(source, folder.name), whole)
        yield whole


@contextmanager
def _terminal() -> Iterator[tuple[int, int, int]]:
    """Copies of this process's stdin, stdout and stderr, for a child whose own are its line to us."""
    sys.stdout.flush()
    copies = (os.dup(0), os.dup(1), os.dup(2))
    try:
        yield copies
    finally:
        for copy in copies:
            os.close(copy)


def _patient(exercise: Exercise) -> Exercise:
    limits = exercise.manifest.limits.model_copy(update={"run_seconds": PATIENCE})
    return exercise.model_copy(update={"manifest": exercise.manifest.model_copy(update={"limits": limits})})
