"""What `grade` and `demo` share: grading paths one after the other, with progress and a summary."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from grader.catalog.exercises import load_exercise, resolve
from grader.cli.console import err, out, print_json
from grader.engine.grade import Graded, GradingRun, Watcher
from grader.errors import UsageError
from grader.intake.receive import plain_name, refuse_address
from grader.model.result import CheckResult
from grader.model.run import Party, RunStatus
from grader.model.sheet import ScoreSheet
from grader.render.csv_row import summary_csv
from grader.render.files import sheet_files
from grader.render.terminal import summary_table
from grader.store.folder import SHEET, SheetFolder
from grader.wiring import open_harness

if TYPE_CHECKING:
    from grader.config import Settings
    from grader.engine.grade import Harness
    from grader.model.exercise import Exercise


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be graded, and where sheets go."""

    exercise_id: str
    paths: Sequence[str]
    candidate: str | None
    keep: bool
    replace: bool
    out: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One finished submission: its sheet and the folder that it was written to."""

    sheet: ScoreSheet
    place: Path


def grade_all(settings: Settings, order: Order) -> list[Row]:
    """Grade every path of an order.

    Raises:
        UsageError: Exercise, a path or the output folder is wrong; nothing has been graded then.
    """
    source = resolve(order.exercise_id, settings.exercises)
    exercise = load_exercise(source)
    paths = [existing(text) for text in order.paths]
    folder = SheetFolder(order.out)
    places = folder.places([plain_name(path.resolve().name) for path in paths], replace=order.replace)
    rows: list[Row] = []
    with (
        progress_bar() as bar,
        open_harness(settings, lambda text: bar.console.print(text, style="dim", markup=False)) as harness,
    ):
        for path, place in zip(paths, places, strict=True):
            graded = grade_one(harness, exercise, source, order.candidate, path, bar)
            folder.write(place, files_of(graded, harness, keep=order.keep))
            rows.append(Row(sheet=graded.sheet, place=place))
            folder.write_summary(summary_csv((sheet, str(where)) for where, sheet in folder.sheets()))
    return rows


def grade_one(
    harness: Harness, exercise: Exercise, source: Path, candidate: str | None, path: Path, bar: Progress
) -> Graded:
    """Grade one path, showing how it goes."""
    line = bar.add_task(path.name, total=len(exercise.checks), step="")

    def check(name: str, result: CheckResult | None) -> None:
        bar.update(line, advance=0 if result is None else 1, step=f"check {name}")

    def step(text: str) -> None:
        bar.update(line, step=text)
        if not bar.console.is_terminal:  # a log has no moving bar; it gets a line for each step
            bar.console.print(f"{path.name}: {text}", markup=False, soft_wrap=True)

    graded = GradingRun(harness, exercise, source, candidate, Watcher(step=step, check=check)).grade(path)
    step(graded.sheet.status.value)
    bar.stop_task(line)
    return graded


def files_of(graded: Graded, harness: Harness, *, keep: bool) -> dict[str, str | bytes]:
    """All files of a submission's folder."""
    files: dict[str, str | bytes] = dict(sheet_files(graded.sheet, harness.keyring.signing_key()))
    if keep:
        files |= graded.logs
    return files


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """Progress on stderr: one line per submission."""
    columns = (
        SpinnerColumn(finished_text="[green]✓"),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TextColumn("{task.completed}/{task.total}"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[step]}", style="dim", markup=False),
    )
    console = err()
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        yield bar


def existing(text: str) -> Path:
    """Return the path that an operator named.

    Raises:
        UsageError: It does not exist.
        SubmissionRejected: It is the address of something elsewhere.
    """
    refuse_address(text)
    path = Path(text)
    try:
        path.stat()
    except (OSError, ValueError) as error:
        why = "does not exist" if isinstance(error, FileNotFoundError) else f"cannot be opened: {error}"
        raise UsageError(f"{path} {why}.", hint="Name a folder, or a zip or tar archive.") from error
    return path


def show(rows: Sequence[Row], folder: Path, *, as_json: bool) -> None:
    """Print what was graded: a table and where to look, or JSON."""
    if as_json:
        print_json([summary(row) for row in rows])
        return
    console = out()
    console.print(summary_table([row.sheet for row in rows]))
    for row in rows:
        console.print(str(row.place / "sheet.html"), markup=False, soft_wrap=True)
    console.print(str(folder / "summary.csv"), markup=False, soft_wrap=True)


def summary(row: Row) -> dict[str, object]:
    """What machines are told of a finished submission."""
    sheet = row.sheet
    return {
        "submission": sheet.submission,
        "candidate": sheet.candidate,
        "status": sheet.status.value,
        "earned": None if sheet.earned is None else float(sheet.earned),
        "possible": float(sheet.possible),
        "percent": sheet.percent,
        "reason": sheet.rejection.reason.value if sheet.rejection else None,
        "message": sheet.rejection.message if sheet.rejection else None,
        "faults": [fault.model_dump(mode="json") for fault in sheet.faults],
        "sheet": str(row.place / SHEET),
    }


def exit_status(sheets: Sequence[ScoreSheet], fail_under: float | None) -> int:
    """The worst of all: defect 5, infrastructure 4, rejected 3, below the bar 1, all well 0."""
    parties = {fault.party for sheet in sheets for fault in sheet.faults}
    if Party.AUTHOR in parties:
        return 5
    if parties:
        return 4
    if any(sheet.status is RunStatus.REJECTED for sheet in sheets):
        return 3
    below = fail_under is not None and any((sheet.percent or 0.0) < fail_under for sheet in sheets)
    return 1 if below else 0
