"""What people look at in a decision notebook: dimensions, and what behaviour each rating stands for.

The anchors describe what was done, not how well it was worded; spelling and idiom are not rated.
"""

from __future__ import annotations

from decimal import Decimal

from grader.model.base import Frozen, Line

LOWEST_RATING, HIGHEST_RATING = 1, 5
POINTS_EACH = Decimal(3)
REVIEWERS_NEEDED, REVIEWERS_AT_MOST = 2, 3
APART = 2
"""Ratings of one dimension that differ by this much call for a third reviewer."""


class Anchor(Frozen):
    """What a rating looks like in a notebook. Ratings without an anchor lie between their neighbours."""

    rating: int
    behaviour: Line


class Dimension(Frozen):
    """One thing that reviewers rate. One that is not scored is for the conversation with the candidate."""

    id: str
    title: Line
    scored: bool
    anchors: tuple[Anchor, ...]


def _dimension(id_: str, title: str, *, scored: bool, low: str, middle: str, high: str) -> Dimension:
    anchors = tuple(Anchor(rating=rating, behaviour=words) for rating, words in ((1, low), (3, middle), (5, high)))
    return Dimension(id=id_, title=title, scored=scored, anchors=anchors)


DIMENSIONS: tuple[Dimension, ...] = (
    _dimension(
        "decision_quality",
        "Decision quality",
        scored=True,
        low="States a choice; no rival was tried, or the numbers quoted contradict it.",
        middle="Compares two options on one sensible metric; picks the better; one limitation named.",
        high=(
            "Ties the metric to business cost, shows how sensitive the choice is to that cost, "
            "says what evidence would reverse it and who must be told."
        ),
    ),
    _dimension(
        "evidence_handling",
        "Evidence handling",
        scored=True,
        low="Point values only; leakage or peeking is present and unnoticed.",
        middle="Held-out check and an interval; one sanity check.",
        high=(
            "Looks for the failure (slices, time split, ablation), reports a negative result, "
            "separates noise from effect, scopes the claim to the data seen."
        ),
    ),
    _dimension(
        "communication",
        "Communication",
        scored=False,
        low="Needs the author to interpret.",
        middle="A peer can follow.",
        high="A product owner could act on the first paragraph alone.",
    ),
)
SCORED = tuple(dimension for dimension in DIMENSIONS if dimension.scored)
HUMAN_POINTS = POINTS_EACH * len(SCORED)
