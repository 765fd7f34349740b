"""Corrections by people: one check of one run gives other points, and all sums follow. Pure."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from grader.model.result import Outcome
from grader.model.run import RunStatus
from grader.model.sheet import CheckLine, Measured, Override, ScoreSheet
from grader.scoring.decision import with_totals
from grader.scoring.fold import code_totals, subtotals


def with_override(
    sheet: ScoreSheet, check: str, earned: Decimal, *, reason: str, by: str, made: datetime
) -> ScoreSheet:
    """Return the sheet with other points for a check and new sums, unsigned; what was measured stays beside them.

    A run that was faulted is graded when no check is left without points. The error band stays: it says how far what
    was measured moves from one hidden world to another, and a person's decision does not move.

    Args:
        sheet: The author's sheet.
        check: Id of a check that is on it.
        earned: Points, from none to all that the check can give.
        reason: Why.
        by: Who says so.
        made: When.
    """
    line = as_measured(line_of(sheet, check))
    override = Override(measured=Measured(earned=line.earned, outcome=line.outcome), reason=reason, by=by, made=made)
    outcome = _outcome(earned, line.possible)
    return _with_line(sheet, line.model_copy(update={"earned": earned, "outcome": outcome, "override": override}))


def without_override(sheet: ScoreSheet, check: str) -> ScoreSheet:
    """Return the sheet with what a check gave as measured, and new sums, unsigned."""
    return _with_line(sheet, as_measured(line_of(sheet, check)))


def as_measured(line: CheckLine) -> CheckLine:
    """The line of a check as it was before a person corrected it."""
    if line.override is None:
        return line
    measured = line.override.measured
    return line.model_copy(update={"earned": measured.earned, "outcome": measured.outcome, "override": None})


def line_of(sheet: ScoreSheet, check: str) -> CheckLine:
    """The line of a check.

    Raises:
        KeyError: There is none.
    """
    for line in sheet.checks:
        if line.id == check:
            return line
    raise KeyError(check)


def _outcome(earned: Decimal, possible: Decimal) -> Outcome:
    if earned >= possible:
        return Outcome.PASSED
    return Outcome.PARTIAL if earned else Outcome.FAILED


def _with_line(sheet: ScoreSheet, line: CheckLine) -> ScoreSheet:
    lines = tuple(line if each.id == line.id else each for each in sheet.checks)
    changed = sheet.model_copy(update={"checks": lines, "signature": None})
    is_open = any(each.earned is None for each in lines)
    status = RunStatus.FAULTED if sheet.faults and is_open else RunStatus.GRADED
    code, part = changed.code_checks, changed.decision
    if part is not None:
        measured = [each.earned for each in changed.notebook_checks if each.earned is not None]
        complete = len(measured) == len(changed.notebook_checks)
        part = part.model_copy(update={"earned": sum(measured, Decimal(0)) if complete else None})
    competencies = subtotals(code, [(each.id, each.title) for each in sheet.competencies], lambda each: each.competency)
    groups = subtotals(code, [(each.id, each.title) for each in sheet.groups], lambda each: each.group)
    sums = {"status": status, "competencies": competencies, "groups": groups, "decision": part}
    return with_totals(changed.model_copy(update=sums | code_totals(code, status)))
