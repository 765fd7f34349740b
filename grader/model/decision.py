"""The decision notebook on a score sheet: what was measured, and how people rated it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from grader.model.base import Frozen, Line, Points
from grader.model.rubric import HIGHEST_RATING, LOWEST_RATING

REASON_CAP = 2000


class RatingState(StrEnum):
    """How far the reading by people has come."""

    SECOND_NEEDED = "second_needed"
    THIRD_NEEDED = "third_needed"
    FINAL = "final"


class Rating(Frozen):
    """What one reviewer says of one dimension of the rubric."""

    dimension: str
    rating: Annotated[int, Field(ge=LOWEST_RATING, le=HIGHEST_RATING)]
    why: Annotated[str, Field(max_length=REASON_CAP)] = ""


class Review(Frozen):
    """One reviewer's form, as it was read."""

    reviewer: Annotated[Line, Field(min_length=1, max_length=120)]
    recorded: datetime
    ratings: tuple[Rating, ...]


class DimensionScore(Frozen):
    """Points of one dimension, once all reviewers who are needed have rated it."""

    id: str
    title: Line
    earned: Points
    possible: Points


class HumanPart(Frozen):
    """The reading by people. `earned` is None until it is final."""

    state: RatingState
    earned: Points | None = None
    dimensions: tuple[DimensionScore, ...] = ()
    reviews: tuple[Review, ...] = ()


class DecisionPart(Frozen):
    """The decision notebook, apart from the points for code.

    Attributes:
        group: The check group that judges it; its checks are among the checks of the sheet.
        path: Where the notebook is in the submission, or should be.
        handed_in: Whether there is one.
        earned: Points measured by checks; None while one of them lacks its answer.
        possible: Points that those checks give.
        human: What reviewers said; None when nobody has rated it.
        human_possible: Points that reviewers give.
        total: 0.85 x the percentage of code + both parts of the notebook, of `total_possible`; None
            while something is missing. Then `lowest` and `highest` say what it can become.
    """

    group: str
    path: Line
    handed_in: bool
    earned: Points | None
    possible: Points
    human: HumanPart | None = None
    human_possible: Points
    total: Points | None = None
    lowest: Points | None = None
    highest: Points | None = None
    total_possible: Points
