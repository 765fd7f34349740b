"""The notebook's points: apart from the code, exact, and never complete before two people agree."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import SubmissionRejected
from grader.model.decision import DecisionPart, RatingState
from grader.model.exercise import CheckDeclaration, Exercise, NotebookPart
from grader.model.reasons import Rejection
from grader.model.run import RunStatus
from grader.model.sheet import Audience, ScoreSheet
from grader.scoring.audience import for_audience
from grader.scoring.decision import human_part, with_reviews
from tests.factories import make_review
from tests.unit.scoring.test_fold import exercise, folded, result

CODE = {"A1": 60, "B1": 40}


def rubric() -> Exercise:
    plain = exercise(CODE)
    manifest = plain.manifest.model_copy(
        update={"notebook": NotebookPart(), "groups": {**plain.manifest.groups, "N": "Notebook"}}
    )
    notebook = tuple(
        CheckDeclaration(id=name, title=name, points=points, competency="other")
        for name, points in (("N1", 3), ("N2", 6))
    )
    return plain.model_copy(update={"manifest": manifest, "checks": plain.checks + notebook})


def sheet(*, notebook: str | None = "decision.ipynb", **shares: float) -> ScoreSheet:
    usual = {"A1": 1.0, "B1": 0.5, "N1": 1.0, "N2": 0.5}
    results = tuple(result(name, share) for name, share in (usual | shares).items() if share >= 0)
    return folded(rubric=rubric(), results=results, notebook=notebook)


def part(found: ScoreSheet) -> DecisionPart:
    assert found.decision is not None
    return found.decision


def test_the_code_keeps_its_hundred_points() -> None:
    found = sheet()
    assert (found.earned, found.possible, found.percent) == (80, 100, 80.0)
    assert [each.id for each in found.groups] == ["A", "B"]
    assert [each.id for each in found.competencies] == ["care", "speed"]
    assert [each.id for each in found.notebook_checks] == ["N1", "N2"]


def test_nobody_has_rated_it_so_the_total_is_a_range() -> None:
    found = part(sheet())
    assert (found.earned, found.possible, found.human, found.human_possible) == (6, 9, None, 6)
    assert (found.total, found.lowest, found.highest, found.total_possible) == (None, 74, 80, 100)


def test_leaving_the_notebook_out_loses_its_own_points_only() -> None:
    found = sheet(notebook=None, N1=0, N2=0)
    assert (found.status, found.earned) == (RunStatus.GRADED, 80)
    assert (part(found).handed_in, part(found).earned, part(found).total) == (False, 0, 68)
    with pytest.raises(ValueError, match="no notebook"):
        with_reviews(found, [make_review("ada")])


def test_an_unmeasured_check_of_the_notebook_leaves_a_range_and_the_code_alone() -> None:
    found = sheet(N2=-1)
    assert (found.status, found.lowest, found.highest) == (RunStatus.FAULTED, 80, 80)
    assert (part(found).earned, part(found).lowest, part(found).highest) == (None, 71, 83)


def test_an_unmeasured_check_of_the_code_widens_the_range() -> None:
    found = sheet(B1=-1)
    assert (found.lowest, found.highest) == (60, 100)
    assert (part(found).earned, part(found).lowest, part(found).highest) == (6, 57, 97)


def test_a_rejected_submission_has_nothing_of_the_kind() -> None:
    assert folded(rubric=rubric(), rejection=SubmissionRejected(Rejection.EMPTY, "x")).decision is None


def test_an_exercise_without_a_notebook_has_none() -> None:
    assert folded().decision is None


@pytest.mark.parametrize(
    ("ratings", "state", "earned"),
    [
        ([(3, 3)], RatingState.SECOND_NEEDED, None),
        ([(1, 1), (1, 1)], RatingState.FINAL, "0"),
        ([(5, 5), (5, 5)], RatingState.FINAL, "6"),
        ([(3, 4), (4, 4)], RatingState.FINAL, "4.13"),  # 2.5 steps are 1.875, shown as 1.88; and 2.25
        ([(3, 4), (5, 4)], RatingState.THIRD_NEEDED, None),
        ([(3, 1), (3, 3)], RatingState.THIRD_NEEDED, None),
        ([(1, 4), (5, 4), (4, 2)], RatingState.FINAL, "4.5"),  # medians 4 and 4
        ([(1, 1), (5, 5), (3, 1)], RatingState.FINAL, "1.5"),
        ([(2, 2), (3, 3), (3, 2)], RatingState.FINAL, "2.25"),
    ],
)
def test_points_of_people(ratings: list[tuple[int, int]], state: RatingState, earned: str | None) -> None:
    found = human_part([make_review(f"r{number}", *each) for number, each in enumerate(ratings)])
    assert found.state is state
    assert found.earned == (None if earned is None else Decimal(earned))
    assert bool(found.dimensions) == (state is RatingState.FINAL)


def test_communication_is_never_scored_and_never_calls_for_a_third() -> None:
    found = human_part([make_review("a", 4, 4, communication=1), make_review("b", 4, 4, communication=5)])
    assert (found.state, found.earned) == (RatingState.FINAL, Decimal("4.5"))


@pytest.mark.parametrize("count", [0, 4])
def test_one_to_three_reviews(count: int) -> None:
    with pytest.raises(ValueError, match="reviews"):
        human_part([make_review(f"r{number}") for number in range(count)])


def test_reviews_make_the_total_and_take_the_signature() -> None:
    rated = with_reviews(sheet(), [make_review("a", 5, 3), make_review("b", 5, 3)])
    assert (part(rated).total, part(rated).lowest, part(rated).highest) == (Decimal("78.5"), None, None)
    assert (rated.earned, rated.signature) == (80, None)


ratings = st.tuples(st.integers(1, 5), st.integers(1, 5))


@given(st.lists(ratings, min_size=2, max_size=3), st.integers(0, 10_000))
def test_the_total_is_the_sum_of_what_is_shown(found: list[tuple[int, int]], cents: int) -> None:
    base = sheet(A1=0, B1=cents / 10_000)
    rated = with_reviews(base, [make_review(f"r{number}", *each) for number, each in enumerate(found)])
    human = part(rated).human
    assert human is not None
    if human.earned is None:
        assert part(rated).total is None
        return
    assert human.earned == sum(each.earned for each in human.dimensions)
    assert base.earned is not None
    automatic = part(rated).earned
    assert automatic is not None
    assert part(rated).total == (base.earned * Decimal("0.85")).quantize(Decimal("0.01"), "ROUND_HALF_UP") + (
        automatic + human.earned
    )
    assert 0 <= human.earned <= 6


def test_a_candidate_sees_the_reading_by_people_when_it_is_final_and_without_names() -> None:
    first = with_reviews(sheet(), [make_review("Grace Hopper", 5, 3)])
    shown = for_audience(first, Audience.CANDIDATE)
    assert (part(shown).human, part(shown).lowest, part(shown).highest, part(shown).earned) == (None, None, None, 6)
    final = for_audience(with_reviews(first, [make_review("Grace Hopper"), make_review("b")]), Audience.CANDIDATE)
    assert part(final).human is not None
    assert (part(final).total, part(final).human.earned) == (Decimal(77), 3)  # type: ignore[union-attr]
    assert "Hopper" not in final.model_dump_json()
    assert "enough" not in final.model_dump_json()


def test_recruiters_see_every_review() -> None:
    rated = with_reviews(sheet(), [make_review("Grace Hopper", 5, 3)])
    shown = for_audience(rated, Audience.RECRUITER)
    assert part(shown) == part(rated)
