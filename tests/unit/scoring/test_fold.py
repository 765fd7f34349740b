"""Folding: totals add up exactly, and nothing that was not measured becomes points or a zero."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import SubmissionRejected
from grader.model.exercise import CheckDeclaration, CommandPart, Competency, Exercise, Manifest
from grader.model.reasons import Reason, Rejection
from grader.model.result import CheckDefect, CheckResult, Outcome
from grader.model.run import Fault, Party, RunRecord, RunStatus
from grader.model.sheet import ScoreSheet
from grader.scoring.fold import earned_points, fold
from tests.factories import make_provenance

MOMENT = datetime(2026, 11, 23, tzinfo=UTC)
POINTS = {"A1": 3, "A2": 4, "B1": 3}


def exercise(points: dict[str, Any] = POINTS) -> Exercise:
    manifest = Manifest(
        schema=1,
        id="sample",
        version="1.0.0",
        title="Sample",
        summary="s",
        hours=1,
        public_seed=1,
        part=CommandPart(kind="command", argv=("python", "x.py"), entry="x.py"),
        groups={"A": "First", "B": "Second"},
    )
    checks = tuple(
        CheckDeclaration(id=name, title=name, points=value, competency="care" if name[0] == "A" else "speed")
        for name, value in points.items()
    )
    competencies = tuple(Competency(id=name, title=name.title(), summary="s") for name in ("care", "speed", "other"))
    return Exercise(manifest=manifest, checks=checks, competencies=competencies, digest="d")


def result(check: str, fraction: float) -> CheckResult:
    outcome = Outcome.PASSED if fraction == 1 else Outcome.PARTIAL if fraction else Outcome.FAILED
    return CheckResult(
        check=check, outcome=outcome, fraction=fraction, reason=None if fraction == 1 else Reason.WRONG_ANSWER
    )


def folded(
    rejection: SubmissionRejected | None = None,
    rubric: Exercise | None = None,
    notebook: str | None = None,
    **found: Any,
) -> ScoreSheet:
    record = RunRecord(**({"id": "0" * 32, "started": MOMENT, "finished": MOMENT} | found))
    return fold(
        rubric or exercise(),
        record,
        candidate="ada",
        submission="ada",
        provenance=make_provenance(),
        rejection=rejection,
        notebook=notebook,
    )


def test_adds_up_by_group_and_by_competency() -> None:
    sheet = folded(results=(result("A1", 1), result("A2", 0.5), result("B1", 0)))
    assert (sheet.status, sheet.earned, sheet.possible) == (RunStatus.GRADED, Decimal(5), Decimal(10))
    assert [(each.id, each.earned, each.possible) for each in sheet.groups] == [("A", 5, 7), ("B", 0, 3)]
    assert [(each.id, each.earned) for each in sheet.competencies] == [("care", 5), ("speed", 0)]


def test_what_a_run_waited_for_others_is_no_part_of_its_duration() -> None:
    assert folded(finished=MOMENT + timedelta(seconds=60), waited_seconds=20.5).seconds == 39.5
    assert folded(waited_seconds=0.4).seconds == 0  # moments are whole seconds


def test_a_missing_answer_is_a_fault_with_a_range() -> None:
    sheet = folded(results=(result("A1", 1), result("B1", 1)))
    assert (sheet.status, sheet.earned, sheet.lowest, sheet.highest) == (RunStatus.FAULTED, None, 6, 10)
    assert "A2" in sheet.faults[0].message
    assert [(each.id, each.earned) for each in sheet.groups] == [("A", None), ("B", 3)]


def test_a_defect_names_its_line_and_blames_the_author() -> None:
    defect = CheckDefect(check="A2", message="KeyError: 'x'", file="checks/test_a.py", line=7)
    sheet = folded(results=(result("A1", 1), result("B1", 1)), defects=(defect,))
    assert [fault.party for fault in sheet.faults] == [Party.AUTHOR]
    assert sheet.faults[0].message.startswith("checks/test_a.py:7: check A2")


def test_a_fault_of_the_machine_explains_all_missing_answers() -> None:
    fault = Fault(party=Party.INFRASTRUCTURE, message="The engine is gone.")
    sheet = folded(faults=(fault,))
    assert (sheet.faults, sheet.lowest, sheet.highest) == ((fault,), 0, 10)


def test_a_rejection_gives_no_points_and_no_zero() -> None:
    sheet = folded(rejection=SubmissionRejected(Rejection.EMPTY, "Nothing there.", hint="Put files in it."))
    assert (sheet.status, sheet.earned, sheet.checks, sheet.groups) == (RunStatus.REJECTED, None, (), ())
    assert sheet.rejection is not None
    assert (sheet.rejection.reason, sheet.rejection.hint) == (Rejection.EMPTY, "Put files in it.")


@pytest.mark.parametrize(
    ("share", "points"), [(1.0, "3.00"), (0.9999, "2.99"), (1 - 1e-13, "2.99"), (0.0, "0.00"), (0.1 + 0.2, "0.90")]
)
def test_only_the_full_share_gives_full_points(share: float, points: str) -> None:
    assert earned_points(Decimal(3), share) == Decimal(points)


@pytest.mark.parametrize(
    ("possible", "share", "points"),
    [
        (6, 2 / 3, "4.00"),
        (3, 1 / 3, "1.00"),
        (7, 3 / 7, "3.00"),
        (7, 1 / 3, "2.33"),
        (6, 0.6666, "3.99"),
        (0, 0.5, "0.00"),
    ],
)
def test_a_share_that_no_float_can_hold_loses_nothing(possible: int, share: float, points: str) -> None:
    assert earned_points(Decimal(possible), share) == Decimal(points)


@given(st.integers(1, 2000), st.floats(0, 1, exclude_max=True))
def test_less_than_the_full_share_is_less_than_full_points(cents: int, share: float) -> None:
    assert 0 <= earned_points(Decimal(cents) / 100, share) < Decimal(cents) / 100


@given(
    st.lists(st.tuples(st.integers(1, 2000), st.floats(0, 1)), min_size=1, max_size=40),
)
def test_totals_are_exact_bounded_and_agree(items: list[tuple[int, float]]) -> None:
    points = {f"{'AB'[index % 2]}{index}": Decimal(cents) / 100 for index, (cents, _) in enumerate(items)}
    results = tuple(result(name, share) for name, (_, share) in zip(points, items, strict=True))
    sheet = folded(rubric=exercise(points), results=results)
    assert sheet.earned is not None
    assert 0 <= sheet.earned <= sheet.possible
    assert sheet.earned == sum(each.earned for each in sheet.groups) == sum(each.earned for each in sheet.checks)


def test_lists_checks_by_group_and_number_whatever_the_order_of_their_files() -> None:
    rubric = exercise({"B10": 1, "B2": 1, "A1": 1})
    assert [line.id for line in folded(rubric=rubric).checks] == ["A1", "B2", "B10"]
