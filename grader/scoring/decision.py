"""Points of the decision notebook: the measured part, the part by people, and both beside the code.

Every figure that is shown is rounded to hundredths, half up, and sums are made of the figures that are
shown, so that whoever adds them up on paper gets the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from statistics import median

from grader.model.base import to_points
from grader.model.decision import DecisionPart, DimensionScore, HumanPart, RatingState, Review
from grader.model.exercise import NotebookPart
from grader.model.rubric import (
    APART,
    HUMAN_POINTS,
    LOWEST_RATING,
    POINTS_EACH,
    REVIEWERS_AT_MOST,
    REVIEWERS_NEEDED,
    SCORED,
    Dimension,
)
from grader.model.sheet import CheckLine, ScoreSheet

CODE_SHARE = Decimal("0.85")
TOTAL_POSSIBLE = Decimal(100)
_STEP = Decimal("0.75")  # points for one step of a rating: 1..5 becomes 0..3


def decision_part(notebook: NotebookPart, path: str | None, lines: Iterable[CheckLine]) -> DecisionPart:
    """Sum up the checks of a notebook.

    Args:
        notebook: What the exercise asks for.
        path: Where the notebook is in the submission; None when none was handed in.
        lines: All checks of the run.
    """
    members = [line for line in lines if line.group == notebook.group]
    earned = [line.earned for line in members if line.earned is not None]
    return DecisionPart(
        group=notebook.group,
        path=path or notebook.path,
        handed_in=path is not None,
        earned=sum(earned, Decimal(0)) if len(earned) == len(members) else None,
        possible=sum((line.possible for line in members), Decimal(0)),
        human_possible=HUMAN_POINTS,
        total_possible=TOTAL_POSSIBLE,
    )


def with_totals(sheet: ScoreSheet) -> ScoreSheet:
    """Return the sheet with code and notebook put together: a total, or the range that it will lie in."""
    part = sheet.decision
    if part is None or not sheet.possible:
        return sheet
    code = (sheet.lowest, sheet.highest) if sheet.earned is None else (sheet.earned, sheet.earned)
    if code[0] is None or code[1] is None:
        return sheet.model_copy(update={"decision": part.model_copy(update=_as_range(None, None))})
    measured = [line.earned for line in sheet.notebook_checks if line.earned is not None]
    unmeasured = [line.possible for line in sheet.notebook_checks if line.earned is None]
    known = sum(measured, Decimal(0))
    human = _human_range(part)
    ends = (
        _combined(code[0], sheet.possible) + known + human[0],
        _combined(code[1], sheet.possible) + known + sum(unmeasured, Decimal(0)) + human[1],
    )
    return sheet.model_copy(update={"decision": part.model_copy(update=_as_range(*ends))})


def _combined(code: Decimal, possible: Decimal) -> Decimal:
    return to_points(CODE_SHARE * TOTAL_POSSIBLE * code / possible)


def _human_range(part: DecisionPart) -> tuple[Decimal, Decimal]:
    if not part.handed_in:  # there is nothing to read
        return Decimal(0), Decimal(0)
    if part.human is None or part.human.earned is None:
        return Decimal(0), part.human_possible
    return part.human.earned, part.human.earned


def _as_range(lowest: Decimal | None, highest: Decimal | None) -> dict[str, Decimal | None]:
    if lowest is not None and lowest == highest:
        return {"total": lowest, "lowest": None, "highest": None}
    return {"total": None, "lowest": lowest, "highest": highest}


def human_part(reviews: Sequence[Review]) -> HumanPart:
    """Turn one to three reviews into points, or into what is still needed.

    Two reviewers count with their mean. Where they differ by two or more in a dimension that is
    scored, a third is asked, and the median of the three counts.

    Args:
        reviews: Of different reviewers, each with a rating for every dimension that is scored.

    Raises:
        ValueError: There are no reviews, or more than three.
    """
    if not 0 < len(reviews) <= REVIEWERS_AT_MOST:
        raise ValueError(f"{len(reviews)} reviews; there can be one to {REVIEWERS_AT_MOST}")
    state = _state(reviews)
    if state is not RatingState.FINAL:
        return HumanPart(state=state, reviews=tuple(reviews))
    scores = tuple(
        DimensionScore(id=each.id, title=each.title, earned=_points(reviews, each), possible=POINTS_EACH)
        for each in SCORED
    )
    earned = sum((score.earned for score in scores), Decimal(0))
    return HumanPart(state=state, earned=earned, dimensions=scores, reviews=tuple(reviews))


def with_reviews(sheet: ScoreSheet, reviews: Sequence[Review]) -> ScoreSheet:
    """Return the sheet with these reviews and new totals, unsigned.

    Raises:
        ValueError: The sheet has no notebook that could be rated.
    """
    part = sheet.decision
    if part is None or not part.handed_in:
        raise ValueError("there is no notebook to rate")
    rated = part.model_copy(update={"human": human_part(reviews)})
    return with_totals(sheet.model_copy(update={"decision": rated, "signature": None}))


def _state(reviews: Sequence[Review]) -> RatingState:
    if len(reviews) < REVIEWERS_NEEDED:
        return RatingState.SECOND_NEEDED
    if len(reviews) == REVIEWERS_NEEDED and any(_spread(reviews, dimension) >= APART for dimension in SCORED):
        return RatingState.THIRD_NEEDED
    return RatingState.FINAL


def _ratings(reviews: Sequence[Review], dimension: Dimension) -> list[Decimal]:
    return [Decimal(each.rating) for review in reviews for each in review.ratings if each.dimension == dimension.id]


def _spread(reviews: Sequence[Review], dimension: Dimension) -> Decimal:
    found = _ratings(reviews, dimension)
    return max(found) - min(found)


def _points(reviews: Sequence[Review], dimension: Dimension) -> Decimal:
    # The median of two numbers is their mean.
    return to_points((median(_ratings(reviews, dimension)) - LOWEST_RATING) * _STEP)
