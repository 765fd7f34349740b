"""Corrections by people: other points, all sums, and nothing that was measured is lost."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from grader.model.result import Outcome
from grader.model.run import RunStatus
from grader.model.sheet import Audience, ScoreSheet
from grader.scoring.audience import for_audience
from grader.scoring.override import line_of, with_override, without_override
from grader.scoring.regrade import refold
from grader.scoring.signing import sign
from tests.factories import STARTED, make_faulted_sheet, make_notebook_sheet, make_sheet
from tests.signatures import is_genuine

KEY = b"k" * 32
LOST = next(check for check in make_sheet().checks if check.earned is not None and check.earned < check.possible)
GAIN = LOST.possible - (LOST.earned or 0)


def corrected(sheet: ScoreSheet, check: str, points: Decimal) -> ScoreSheet:
    return with_override(sheet, check, points, reason="The data were wrong.", by="Bo Ek", made=STARTED)


def test_all_sums_follow_and_what_was_measured_stays() -> None:
    before = make_sheet()
    after = corrected(before, LOST.id, LOST.possible)
    assert before.earned is not None
    assert (after.earned, after.measured_earned) == (before.earned + GAIN, before.earned)
    for old, new in ((before.competencies, after.competencies), (before.groups, after.groups)):
        gains = {b.id: (b.earned or 0) - (a.earned or 0) for a, b in zip(old, new, strict=True)}
        assert {name for name, gain in gains.items() if gain} <= {LOST.competency, LOST.group}
        assert sum(gains.values()) == GAIN
    line = line_of(after, LOST.id)
    assert line.override is not None
    assert (line.outcome, line.override.measured.outcome) == (Outcome.PASSED, LOST.outcome)
    assert (line.because, line.evidence, line.reason) == (LOST.because, LOST.evidence, LOST.reason)
    assert after.signature is None


def test_a_second_correction_keeps_what_was_measured_and_taking_back_restores_it() -> None:
    before = make_sheet(signature=None)
    twice = corrected(corrected(before, LOST.id, LOST.possible), LOST.id, Decimal("0.5"))
    line = line_of(twice, LOST.id)
    assert line.override is not None
    assert (line.outcome, line.override.measured.earned) == (Outcome.PARTIAL, LOST.earned)
    assert without_override(twice, LOST.id) == before


def test_the_notebook_has_its_own_sums() -> None:
    before = make_notebook_sheet()
    check = next(each for each in before.notebook_checks if each.earned != each.possible)
    after = corrected(before, check.id, check.possible)
    assert before.decision is not None
    assert after.decision is not None
    assert (after.earned, after.measured_earned) == (before.earned, before.earned)
    assert (after.decision.earned or 0) - (before.decision.earned or 0) == check.possible - (check.earned or 0)
    assert (after.decision.highest or 0) > (before.decision.highest or 0)


def test_a_run_has_its_total_when_people_have_decided_what_could_not_be_measured() -> None:
    faulted = make_faulted_sheet(signature=None)
    one = corrected(faulted, "E4", Decimal(1))
    assert (one.status, one.earned, one.lowest) == (RunStatus.FAULTED, None, (faulted.lowest or 0) + 1)
    both = corrected(one, "G4", Decimal(0))
    assert (both.status, both.earned, both.lowest) == (RunStatus.GRADED, (faulted.lowest or 0) + 1, None)
    assert (both.measured_earned, both.open_faults) == (None, ())
    assert both.faults == faulted.faults
    assert for_audience(both, Audience.CANDIDATE).faults == ()
    assert without_override(without_override(both, "G4"), "E4") == faulted


def test_sheets_without_a_correction_are_signed_as_they_always_were() -> None:
    sheet = sign(make_sheet(), KEY)
    assert not any("override" in check for check in json.loads(sheet.model_dump_json())["checks"])
    after = sign(corrected(sheet, LOST.id, LOST.possible), KEY)
    assert is_genuine(ScoreSheet.model_validate_json(after.model_dump_json()))
    changed = after.model_dump_json().replace("Bo Ek", "Bo Ox")
    assert not is_genuine(ScoreSheet.model_validate_json(changed))


@pytest.mark.parametrize("audience", [Audience.CANDIDATE, Audience.RECRUITER])
def test_candidates_learn_that_it_was_a_person_and_not_who_or_why(audience: Audience) -> None:
    shown = for_audience(corrected(make_sheet(), LOST.id, LOST.possible), audience)
    override = line_of(shown, LOST.id).override
    assert override is not None
    assert override.measured.earned == LOST.earned
    assert (override.reason + override.by == "") == (audience is Audience.CANDIDATE)


def test_folding_again_takes_what_was_measured(tiny_sheet: ScoreSheet) -> None:
    from grader.catalog.exercises import load_exercise
    from tests.conftest import TINY

    exercise = load_exercise(TINY)
    check = tiny_sheet.checks[0]
    after = corrected(tiny_sheet, check.id, Decimal(0))
    fractions = {each.id: 1.0 for each in tiny_sheet.checks}
    again = refold(after, fractions, exercise, "b" * 32)
    assert again.overridden == ()
    assert (again.earned, line_of(again, check.id).outcome) == (again.possible, Outcome.PASSED)
    assert f"not in these points: {check.id} (0 of" in " ".join(again.observations)


@pytest.fixture
def tiny_sheet() -> ScoreSheet:
    """A run of the smallest exercise, in which everything passed."""
    from grader.catalog.exercises import load_exercise
    from grader.model.result import CheckResult
    from grader.model.run import RunRecord
    from grader.scoring.fold import fold
    from tests.conftest import TINY
    from tests.factories import make_provenance

    exercise = load_exercise(TINY)
    results = tuple(CheckResult(check=each.id, outcome=Outcome.PASSED, fraction=1.0) for each in exercise.checks)
    record = RunRecord(id="a" * 32, started=STARTED, finished=STARTED, results=results)
    return fold(exercise, record, candidate="Ada", submission="ada.zip", provenance=make_provenance())
