"""Regrades: folding stored results again, and telling who changes, by how much and why. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grader.errors import SubmissionRejected
from grader.model.calibration import Calibration
from grader.model.exercise import Exercise
from grader.model.result import CheckResult
from grader.model.run import RunRecord
from grader.model.sheet import CheckLine, ScoreSheet
from grader.scoring.decision import with_reviews
from grader.scoring.fold import fold
from grader.scoring.override import as_measured


def refold(
    sheet: ScoreSheet,
    fractions: Mapping[str, float],
    exercise: Exercise,
    run: str,
    calibration: Calibration | None = None,
) -> ScoreSheet:
    """Fold the results of a run with other points and texts; returns an unsigned sheet of a run of its own.

    Args:
        sheet: The author's sheet of the run; graded or rejected. What people have corrected is not taken over: they
            decided it with the points and texts that there were.
        fractions: What each check gave, exactly.
        exercise: The exercise as it is now; its checks measure the same as they did.
        run: Id of the new run.
        calibration: What was measured of the exercise now.
    """
    record = RunRecord(
        id=run,
        started=sheet.started,
        finished=sheet.finished,
        waited_seconds=sheet.waited_seconds,
        results=tuple(_result(as_measured(line), fractions[line.id]) for line in sheet.checks if line.id in fractions),
        resources=sheet.resources,
        isolation=sheet.provenance.isolation,
        observations=(
            *sheet.observations,
            f"Points and texts are those of version {exercise.manifest.version}; "
            f"the results were measured in run {sheet.run}.",
            *_corrections(sheet),
        ),
        noticed=sheet.noticed,
    )
    note, decision = sheet.rejection, sheet.decision
    folded = fold(
        exercise,
        record,
        candidate=sheet.candidate,
        submission=sheet.submission,
        provenance=sheet.provenance.model_copy(
            update={"exercise_digest": exercise.digest, "limits": exercise.manifest.limits}
        ),
        rejection=SubmissionRejected(note.reason, note.message, hint=note.hint) if note else None,
        ai_use=sheet.ai_use,
        notebook=decision.path if decision and decision.handed_in else None,
        calibration=calibration,
    )
    rated = decision is not None and decision.human is not None and folded.decision is not None
    return with_reviews(folded, decision.human.reviews) if rated and decision and decision.human else folded


def _corrections(sheet: ScoreSheet) -> list[str]:
    told = ", ".join(f"{line.id} ({line.earned} of {line.possible} points)" for line in sheet.overridden)
    return [f"What people had corrected in that run is not in these points: {told}."] if told else []


def _result(line: CheckLine, fraction: float) -> CheckResult:
    assert line.outcome is not None
    return CheckResult(
        check=line.id,
        outcome=line.outcome,
        fraction=fraction,
        reason=line.reason,
        because=line.because,
        evidence=line.evidence,
        plots=line.plots,
        metrics=line.metrics,
        seconds=line.seconds,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What a run gave: its total in percent (None without one), and the points of each check."""

    status: str
    percent: float | None
    points: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a regrade does to one submission.

    Attributes:
        by: Percentage points; None where one of the two has no total.
        checks: Checks that give other points, with how many more (or fewer), the largest change first.
        crossed: "up" or "down" where the pass mark lies between the two totals, else "".
    """

    by: float | None
    checks: tuple[tuple[str, float], ...]
    crossed: str

    @property
    def is_one(self) -> bool:
        """Whether anything changes at all."""
        return bool(self.checks) or self.by is None or abs(self.by) >= 0.005


def change(before: Score, after: Score, pass_mark: float | None = None) -> Change:
    """Compare two runs of one submission.

    A submission that is rejected, now or then, has no total; where that differs, `by` is None.
    """
    names = dict.fromkeys([*before.points, *after.points])
    moved = [(name, after.points.get(name, 0.0) - before.points.get(name, 0.0)) for name in names]
    checks = sorted(((name, by) for name, by in moved if abs(by) >= 0.005), key=lambda each: -abs(each[1]))
    if before.percent is None and after.percent is None and before.status == after.status:
        return Change(by=0.0, checks=tuple(checks), crossed="")
    known = before.percent is not None and after.percent is not None
    by = (after.percent or 0.0) - (before.percent or 0.0) if known else None
    return Change(by=by, checks=tuple(checks), crossed=_crossed(before.percent, after.percent, pass_mark))


def _crossed(before: float | None, after: float | None, mark: float | None) -> str:
    if mark is None:
        return ""
    passed = [percent is not None and percent >= mark for percent in (before, after)]
    return "" if passed[0] == passed[1] else "up" if passed[1] else "down"


CAUSES = {
    "checks": "the code of checks",
    "data": "the hidden data's generator",
    "setup": "kind or limits of the exercise",
    "reference": "the reference solution",
    "world": "another hidden world, since the version is part of the seed",
    "images": "the images that submissions and checks run in",
    "points": "points or texts",
    "overrides": "corrections by people, which new runs do not hold",
}


def causes(parts: Sequence[str], *, points: bool, images: bool, world: bool, overrides: bool = False) -> list[str]:
    """Say what differs between two gradings, in words.

    Args:
        parts: Parts of the exercise that differ; see `grader.catalog.components`.
        points: Points or texts of checks differ.
        images: The images differ.
        world: The hidden data differ.
        overrides: People have corrected the first, and not the second.
    """
    found = [part for part in parts if part in CAUSES]
    found += [
        name
        for name, there in (("world", world), ("images", images), ("points", points), ("overrides", overrides))
        if there
    ]
    return [CAUSES[name] for name in CAUSES if name in found]
