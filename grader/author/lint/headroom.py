"""Rules about limits: slower machines than the author's must not cost anybody points."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from grader.author.expectations import Earned
from grader.author.lint.findings import Finding, Level
from grader.catalog.calibration import read_calibration
from grader.catalog.exercises import grading_digest
from grader.catalog.ladder import RungKind, load_ladder
from grader.catalog.manifest import FILE, line_of
from grader.model.exercise import Exercise
from grader.model.run import Nearest

HEADROOM = 3.0


class Used(NamedTuple):
    """What the reference used: seconds of the whole run, bytes of its box, and what came nearest to each limit."""

    seconds: float
    memory: int
    nearest: Mapping[str, Nearest]


def limits_leave_room(exercise: Exercise, source: Path, records: Path | None) -> Iterator[Finding]:
    """The reference needs at most a third of each limit, where that was measured.

    Args:
        exercise: The exercise.
        source: Its folder.
        records: Folder with the runs of `prove`; they are nearer to the present exercise than a calibration is.
    """
    used = _last_run(exercise, source, records)
    calibration = read_calibration(source)
    if used is None and calibration is not None and calibration.version == exercise.manifest.version:
        used = Used(calibration.seconds, calibration.peak_memory, calibration.nearest)
    if used is None:
        return
    text = (source / FILE).read_text(encoding="utf-8")
    limits = exercise.manifest.limits
    memory = used.memory / 2**20, limits.submission.memory / 2**20
    yield from _short(text, ("limits", "run_seconds"), (used.seconds, limits.run_seconds))
    # Memory is capped the same everywhere, so a close limit is a choice; it is told all the same.
    yield from _short(text, ("limits", "submission", "memory"), memory, unit="MiB", level=Level.WARNING)
    for name, each in used.nearest.items():
        by_a_check = each.given < getattr(limits, name, 0.0)
        yield from _short(
            text,
            ("limits", name),
            (each.seconds, each.given),
            title=f"what a check gives of {name}" if by_a_check else name,
            level=Level.WARNING if by_a_check else Level.ERROR,  # less than the manifest has is a choice, too
        )


def _short(
    text: str,
    name: tuple[str, ...],
    measured: tuple[float, float],
    *,
    title: str = "",
    unit: str = "s",
    level: Level = Level.ERROR,
) -> Iterator[Finding]:
    used, limit = measured
    if used * HEADROOM > limit:
        yield Finding(
            rule="headroom",
            file=FILE,
            line=line_of(text, name),
            message=f"{title or name[-1]} is {limit:g} {unit}, and the reference used {_readable(used)} {unit}",
            hint=f"Leave {HEADROOM:g} times as much as the reference needs: {_readable(used * HEADROOM)} {unit}.",
            level=level,
        )


def _readable(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}"


def _last_run(exercise: Exercise, source: Path, records: Path | None) -> Used | None:
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
            return Used(run.seconds, run.peak_memory, run.nearest)
    return None
