"""The decision notebook in words; the same in every format."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from grader.model.decision import DecisionPart, Rating, RatingState
from grader.model.rubric import DIMENSIONS, REVIEWERS_NEEDED, Dimension
from grader.model.run import RunStatus
from grader.model.sheet import Audience, ScoreSheet
from grader.render.words import points

NO_NOTEBOOK = "No notebook was handed in."

_STATE_WORDS = {
    None: "not yet rated",
    RatingState.SECOND_NEEDED: f"one of {REVIEWERS_NEEDED} reviewers has rated it",
    RatingState.THIRD_NEEDED: "two reviewers differ by 2 or more; a third is needed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """What one reviewer says of one dimension."""

    reviewer: str
    rating: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RubricRow:
    """One dimension of the rubric, and what is known of it on this sheet.

    Attributes:
        dimension: Title and anchors.
        score: Points, or "" where there are none yet, or none at all.
        voices: What reviewers said.
    """

    dimension: Dimension
    score: str
    voices: tuple[Voice, ...]


def automatic(part: DecisionPart) -> str:
    """The measured part: `8 of 9 points measured automatically`."""
    if not part.handed_in:
        return f"{points(part.earned)} of {points(part.possible)} points. {NO_NOTEBOOK}"
    if part.earned is None:
        return f"up to {points(part.possible)} points, not fully measured"
    return f"{points(part.earned)} of {points(part.possible)} points measured automatically"


def by_people(part: DecisionPart, audience: Audience) -> str:
    """The part by people: points, or what is still missing; "" where there is nothing to read."""
    if not part.handed_in:
        return ""
    offered = points(part.human_possible)
    human = part.human
    if human is not None and human.earned is not None:
        return f"{points(human.earned)} of {offered} points by reviewers"
    if audience is Audience.CANDIDATE:
        return f"up to {offered} more points by reviewers, who have yet to finish"
    return f"{offered} by reviewers: {_STATE_WORDS[human.state if human else None]}"


def together(part: DecisionPart) -> str:
    """Code and notebook together, or "" where nothing can be said yet."""
    possible = points(part.total_possible)
    if part.total is not None:
        return f"Code and notebook together: {points(part.total)} of {possible}."
    if part.lowest is not None and part.highest is not None:
        return f"Code and notebook together: between {points(part.lowest)} and {points(part.highest)} of {possible}."
    return ""


def sentence(sheet: ScoreSheet) -> str:
    """Everything about the notebook in a line or two; "" where the exercise asks for none."""
    part = sheet.decision
    if part is None:
        return ""
    told = [automatic(part).removesuffix("."), by_people(part, sheet.audience)]
    return f"Decision notebook: {'; '.join(text for text in told if text)}. {together(part)}".strip()


def sum_shown(sheet: ScoreSheet) -> str:
    """How the combined total is made."""
    part = sheet.decision
    if part is None or part.total is None or sheet.earned is None:
        return "0.85 x the percentage of the code + both parts of the notebook."
    human = part.human.earned if part.human and part.human.earned is not None else None
    parts = [f"0.85 x {points(sheet.earned)}", points(part.earned), points(human) if human is not None else ""]
    if sheet.possible != part.total_possible:
        parts[0] = f"0.85 x {points(sheet.earned)} / {points(sheet.possible)} x {points(part.total_possible)}"
    return f"{' + '.join(text for text in parts if text)} = {points(part.total)}."


def rubric_rows(part: DecisionPart) -> Sequence[RubricRow]:
    """The rubric, with what reviewers said once the rating is final.

    Until then nobody is shown it: whoever rates next must not know what the others think.
    """
    return [
        RubricRow(dimension=dimension, score=_score(part, dimension), voices=tuple(_voices(part, dimension)))
        for dimension in DIMENSIONS
    ]


def needs_reviews(sheet: ScoreSheet) -> bool:
    """Whether this sheet should show a form to fill in."""
    part = sheet.decision
    if part is None or not part.handed_in or sheet.audience is Audience.CANDIDATE:
        return False
    if sheet.status is not RunStatus.GRADED:  # nothing is rated before the run is complete
        return False
    return part.human is None or part.human.state is not RatingState.FINAL


def reviewers(part: DecisionPart) -> str:
    """Who rated it, in the order of their forms."""
    return ", ".join(review.reviewer for review in part.human.reviews) if part.human else ""


def _score(part: DecisionPart, dimension: Dimension) -> str:
    if not dimension.scored:
        return "not scored"
    found = [each for each in part.human.dimensions if each.id == dimension.id] if part.human else []
    return f"{points(found[0].earned)} of {points(found[0].possible)}" if found else ""


def _voices(part: DecisionPart, dimension: Dimension) -> Iterator[Voice]:
    final = part.human is not None and part.human.state is RatingState.FINAL
    for review in part.human.reviews if part.human and final else ():
        for each in review.ratings:
            if each.dimension == dimension.id:
                yield _voice(review.reviewer, each)


def _voice(reviewer: str, rating: Rating) -> Voice:
    return Voice(reviewer=reviewer, rating=rating.rating, why=rating.why)
