"""Folding again: other points and texts, and of what was found out nothing is lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from grader.errors import SubmissionRejected
from grader.model.reasons import Rejection
from grader.model.run import Noticed, Resources, Sign
from grader.model.sheet import ScoreSheet
from grader.scoring.override import with_override
from grader.scoring.regrade import Score, change, refold
from tests.factories import make_provenance, make_sheet
from tests.unit.scoring.test_fold import MOMENT, exercise, folded, result

SHARES = {"A1": 1.0, "A2": 1 / 3, "B1": 0.5}
AGAIN = "1" * 32


def measured(rejection: SubmissionRejected | None = None) -> ScoreSheet:
    """A sheet that has something in every place where a run can leave it."""
    told = {
        "because": "Half was right.",
        "metrics": {"share": 0.5},
        "seconds": 1.5,
        "plots": make_sheet().checks[0].plots,
    }
    evidence = make_sheet().checks[0].evidence
    results = [
        result(check, share).model_copy(update={**told, "evidence": evidence}) for check, share in SHARES.items()
    ]
    sheet = folded(
        rejection=rejection,
        finished=MOMENT + timedelta(seconds=60),
        waited_seconds=20.5,
        results=() if rejection else tuple(results),
        resources=Resources(wall_seconds=9.5, sessions=3),
        isolation=make_provenance().isolation,
        observations=("Everything lay in the folder work.",),
        noticed=(Noticed(sign=Sign.STEERING, where=("conftest.py",)), Noticed(sign=Sign.NETWORK, times=3)),
    )
    made = sheet.provenance.model_copy(update={"exercise_digest": "d", "limits": exercise().manifest.limits})
    return sheet.model_copy(update={"ai_use": "For the tests.", "provenance": made})


@pytest.mark.parametrize(
    "rejection", [None, SubmissionRejected(Rejection.EMPTY, "Nothing there.", hint="Put files in.")]
)
def test_the_same_points_give_the_same_sheet(rejection: SubmissionRejected | None) -> None:
    before = measured(rejection)
    after = refold(before, {} if rejection else SHARES, exercise(), AGAIN)
    told = f"Points and texts are those of version 1.0.0; the results were measured in run {before.run}."
    assert after == before.model_copy(update={"run": AGAIN, "observations": (*before.observations, told)})


def test_other_points_change_points_and_sums_only() -> None:
    before = measured()
    after = refold(before, SHARES, exercise({"A1": 3, "A2": 10, "B1": 3}), AGAIN)
    assert [line.earned for line in after.checks] == [Decimal(3), Decimal("3.33"), Decimal("1.50")]
    assert (after.earned, after.possible) == (Decimal("7.83"), 16)
    points = {"possible": None, "earned": None}
    assert [line.model_copy(update=points) for line in after.checks] == [
        line.model_copy(update=points) for line in before.checks
    ]


def test_what_people_corrected_is_told_and_measured_points_count() -> None:
    before = measured()
    corrected = with_override(before, "B1", Decimal(3), reason="Its data were wrong.", by="Bo Ek", made=MOMENT)
    after = refold(corrected, SHARES, exercise(), AGAIN)
    assert after.checks == before.checks
    assert "B1 (3 of 3.00 points)" in after.observations[-1]


def test_a_change_is_found_and_so_is_who_crosses_the_mark() -> None:
    before = Score(status="graded", percent=70.0, points={"A1": 3.0, "B1": 4.0})
    found = change(before, replace(before, percent=60.0, points={"A1": 2.0, "B1": 4.0}), 65)
    assert (found.by, found.checks, found.crossed) == (-10.0, (("A1", -1.0),), "down")
    assert not change(before, before, 65).is_one
