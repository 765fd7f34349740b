"""From an exercise's rubric and a run's results to a score sheet. Pure: the same input gives the same sheet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal

from grader.errors import SubmissionRejected
from grader.model.base import CENT
from grader.model.calibration import Calibration
from grader.model.exercise import CheckDeclaration, Exercise
from grader.model.reasons import REASON_WORDS, REJECTION_WORDS
from grader.model.result import CheckResult
from grader.model.run import Fault, Party, RunRecord, RunStatus
from grader.model.sheet import Audience, CheckLine, ExerciseReference, Provenance, RejectionNote, ScoreSheet, Subtotal
from grader.scoring.band import error_band
from grader.scoring.decision import decision_part, with_totals

FLOAT_ERROR = Decimal("1e-10")  # two thirds as a float are a little less, and of 6 points still 4


def fold(
    exercise: Exercise,
    run: RunRecord,
    *,
    candidate: str,
    submission: str,
    provenance: Provenance,
    rejection: SubmissionRejected | None = None,
    ai_use: str = "",
    notebook: str | None = None,
    calibration: Calibration | None = None,
) -> ScoreSheet:
    """Fold a run into its sheet, for authors, who see everything; `for_audience` takes away from that.

    A declared check without a result is a fault: the sheet then has no total, but the range
    between those checks earning nothing and earning everything.

    Args:
        exercise: The rubric: checks, points, groups, competencies.
        run: What was found out.
        candidate: Whose work it is.
        submission: What the handed-in folder or archive is called.
        provenance: What is needed to recompute the score.
        rejection: Why nothing could be graded, if so.
        ai_use: The candidate's own declaration.
        notebook: Path of the decision notebook in the submission; None when none was handed in.
        calibration: What was measured of the exercise, if it was.
    """
    results = {result.check: result for result in run.results}
    lines = tuple(_line(check, results.get(check.id)) for check in _in_order(exercise)) if rejection is None else ()
    faults = run.faults + tuple(_defect_fault(exercise, run)) + tuple(_silent(lines, run))
    status = RunStatus.REJECTED if rejection else RunStatus.FAULTED if faults else RunStatus.GRADED
    manifest = exercise.manifest
    code = tuple(line for line in lines if manifest.notebook is None or line.group != manifest.notebook.group)
    asked = manifest.notebook if rejection is None else None
    sheet = ScoreSheet(
        audience=Audience.AUTHOR,
        run=run.id,
        status=status,
        candidate=candidate,
        submission=submission,
        exercise=ExerciseReference(id=exercise.id, version=manifest.version, title=manifest.title),
        started=run.started,
        finished=run.finished,
        waited_seconds=run.waited_seconds,
        possible=exercise.possible,
        **code_totals(code, status),
        rejection=_rejection_note(rejection),
        faults=faults,
        competencies=_competencies(exercise, code),
        groups=subtotals(code, manifest.groups.items(), lambda line: line.group),
        checks=lines,
        decision=decision_part(asked, notebook, lines) if asked else None,
        resources=run.resources,
        observations=run.observations,
        noticed=run.noticed,
        ai_use=ai_use,
        provenance=provenance,
    )
    band = error_band(calibration, manifest.version, sheet.percent)
    return with_totals(sheet.model_copy(update={"band": band}))


def _in_order(exercise: Exercise) -> list[CheckDeclaration]:
    """Checks as people count them: by group as the manifest lists them, then by number."""
    groups = list(exercise.manifest.groups)
    return sorted(exercise.checks, key=lambda check: (groups.index(check.group), int(check.id[1:])))


def code_totals(lines: Sequence[CheckLine], status: RunStatus) -> dict[str, Decimal | None]:
    """The total of a graded run, the range of a faulted one, nothing for a rejected one."""
    known = sum((line.earned for line in lines if line.earned is not None), Decimal(0))
    open_points = sum((line.possible for line in lines if line.earned is None), Decimal(0))
    faulted = status is RunStatus.FAULTED
    return {
        "earned": known if status is RunStatus.GRADED else None,
        "lowest": known if faulted else None,
        "highest": known + open_points if faulted else None,
    }


def earned_points(possible: Decimal, fraction: float) -> Decimal:
    """Points for a share of a check, to hundredths, rounded down: full points need the full share."""
    exact = (possible * Decimal(repr(fraction))).quantize(FLOAT_ERROR)
    points = exact.quantize(CENT, rounding="ROUND_DOWN")
    return points if fraction >= 1 else min(points, max(possible - CENT, Decimal(0)))


def _line(check: CheckDeclaration, result: CheckResult | None) -> CheckLine:
    shared = {
        "id": check.id,
        "group": check.group,
        "title": check.title,
        "competency": check.competency,
        "possible": check.points,
        "question": check.question,
        "feedback": check.feedback,
        "source": f"{check.file}:{check.line}",
    }
    if result is None:
        return CheckLine(**shared, earned=None, outcome=None)
    return CheckLine(
        **shared,
        earned=earned_points(check.points, result.fraction),
        outcome=result.outcome,
        reason=result.reason,
        words=REASON_WORDS[result.reason] if result.reason else "",
        because=result.because,
        evidence=result.evidence,
        plots=result.plots,
        metrics=result.metrics,
        seconds=result.seconds,
    )


def _defect_fault(exercise: Exercise, run: RunRecord) -> Iterable[Fault]:
    declared = {check.id: check for check in exercise.checks}
    for defect in run.defects:
        # What a check left undone has no line of its own; then it is the check's.
        at = defect if defect.file else declared[defect.check]
        place = f"{at.file}:{at.line}: " if at.file else ""
        yield Fault(
            party=Party.AUTHOR,
            message=f"{place}check {defect.check}: {defect.message}",
            hint="Correct the check and grade again.",
        )


def _silent(lines: Iterable[CheckLine], run: RunRecord) -> Iterable[Fault]:
    """Checks that nobody accounts for: no result, no defect, no fault that explains it."""
    defective = {defect.check for defect in run.defects}
    missing = [line.id for line in lines if line.outcome is None and line.id not in defective]
    if missing and not run.faults:
        yield Fault(
            party=Party.INFRASTRUCTURE,
            message=f"No answer came for {', '.join(missing)}.",
            hint="Grade again.",
        )


def _rejection_note(rejection: SubmissionRejected | None) -> RejectionNote | None:
    if rejection is None:
        return None
    return RejectionNote(
        reason=rejection.reason,
        words=REJECTION_WORDS[rejection.reason],
        message=rejection.message,
        hint=rejection.hint,
    )


def _competencies(exercise: Exercise, lines: tuple[CheckLine, ...]) -> tuple[Subtotal, ...]:
    titles = ((competency.id, competency.title) for competency in exercise.competencies)
    return subtotals(lines, titles, lambda line: line.competency)


def subtotals(
    lines: tuple[CheckLine, ...], titles: Iterable[tuple[str, str]], key: Callable[[CheckLine], str]
) -> tuple[Subtotal, ...]:
    """Add up lines by a key, in the order of these pairs of key and title; what no line belongs to is left out."""
    totals = []
    for name, title in titles:
        members = [line for line in lines if key(line) == name]
        if not members:
            continue
        earned = [line.earned for line in members if line.earned is not None]
        totals.append(
            Subtotal(
                id=name,
                title=title,
                earned=sum(earned, Decimal(0)) if len(earned) == len(members) else None,
                possible=sum((line.possible for line in members), Decimal(0)),
            )
        )
    return tuple(totals)
