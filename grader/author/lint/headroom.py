"""Rules about limits: slower machines than the author's must not cost anybody points."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from grader.author.expectations import Earned
from grader.author.lint.findings import Finding, Level
from grader.catalog.calibration import read_calibration
from grader.catalog.exercises import grading_digest
from grader.catalog.ladder import RungKind, load_ladder
from grader.catalog.manifest import FILE, line_of
from grader.model.exercise import Exercise

HEADROOM = 3.0


def limits_leave_room(exercise: Exercise, source: Path, records: Path | None) -> Iterator[Finding]:
    """The reference needs at most a third of the run's time and of its box's memory, where that was measured.

    Args:
        exercise: The exercise.
        source: Its folder.
        records: Folder with the runs of `prove`; they are nearer to the present exercise than a calibration is.
    """
    found = _last_run(exercise, source, records)
    calibration = read_calibration(source)
    if found is None and calibration is not None and calibration.version == exercise.manifest.version:
        found = calibration.seconds, calibration.peak_memory
    if found is None:
        return
    limits, text = exercise.manifest.limits, (source / FILE).read_text(encoding="utf-8")
    for name, used, limit, unit, level in (
        (("limits", "run_seconds"), found[0], limits.run_seconds, 1, Level.ERROR),
        # Memory is capped the same everywhere, so a close limit is a choice; it is told all the same.
        (("limits", "submission", "memory"), float(found[1]), float(limits.submission.memory), 2**20, Level.WARNING),
    ):
        if used * HEADROOM > limit:
            what = "s" if unit == 1 else "MiB"
            yield Finding(
                rule="headroom",
                file=FILE,
                line=line_of(text, name),
                message=f"{name[-1]} is {limit / unit:.0f} {what}, and the reference used {used / unit:.0f} {what}",
                hint=f"Leave {HEADROOM:g} times as much as the reference needs: {used * HEADROOM / unit:.0f} {what}.",
                level=level,
            )


def _last_run(exercise: Exercise, source: Path, records: Path | None) -> tuple[float, int] | None:
    file = records / f"{exercise.id}.jsonl" if records is not None else None
    if file is None or not file.is_file():
        return None
    digest = grading_digest(exercise, source)
    references = {rung.name for rung in load_ladder(source) if rung.expected.rung is RungKind.REFERENCE}
    for line in reversed(file.read_text(encoding="utf-8").splitlines()):
        try:
            run = Earned.model_validate_json(line)
        except ValueError:
            continue
        if run.rung in references and run.exercise == digest and run.status == "graded":
            return run.seconds, run.peak_memory
    return None
