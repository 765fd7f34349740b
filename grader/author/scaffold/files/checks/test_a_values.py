"""Group A: typical values, and mistakes that were counted."""

from __future__ import annotations

from statistics import fmean

import pytest
from measures import COUNT_HI, COUNT_LO, TYPICAL_HI, TYPICAL_LO, deviation, share_found
from pictures import values_beside_truth

from grader.checker.api import linear


@pytest.mark.check(
    id="A1",
    points=50,
    requirement="R1",
    competency="statistics",
    title="Tells what an order is typically worth in every shop",
    question="Why is the middle order a better answer here than the mean, and when would it be a worse one?",
    feedback="Some of your typical values are off. Which orders of a shop do you count, and in which currency?",
)
def test_typical_values(said, truth, award, plot):
    away = {name: deviation(said[name].typical, each.typical) for name, each in truth.items()}
    near = sum(each <= TYPICAL_HI for each in away.values())
    missing = sum(each != each for each in away.values())
    because = f"{near} of {len(away)} typical values are right to within {TYPICAL_HI:.0%}."
    if missing:
        because += f" For {missing} there is no number."
    plot(values_beside_truth(said, truth), "Typical order value of each shop")
    evidence = {name: f"{said[name].typical:.2f} where {truth[name].typical:.2f} is right" for name in _worst(away)}
    award(fmean(linear(each, TYPICAL_LO, TYPICAL_HI) for each in away.values()), because, evidence=evidence)


@pytest.mark.check(
    id="A2",
    points=30,
    requirement="R2",
    competency="data-quality",
    title="Counts the orders that were entered in crowns",
    question="How would you notice in production that a shop began to enter more orders in the wrong currency?",
    feedback="Your counts of orders in crowns are off. What is the largest order in euros that a shop can have?",
)
def test_counted_mistakes(said, truth, award):
    dirty = {name: each for name, each in truth.items() if each.errors}
    away = {name: deviation(said[name].errors, each.errors) for name, each in dirty.items()}
    near = sum(each <= COUNT_HI for each in away.values())
    because = (
        f"{near} of {len(dirty)} counts are right to within {COUNT_HI:.0%}; "
        f"{share_found(said, truth):.0%} of all mistakes are counted."
    )
    evidence = {name: f"{said[name].errors:g} where there are {dirty[name].errors}" for name in _worst(away)}
    award(fmean(linear(each, COUNT_LO, COUNT_HI) for each in away.values()), because, evidence=evidence)


def _worst(away: dict[str, float]) -> list[str]:
    """The three shops that are furthest off, those without a number first."""
    return sorted(away, key=lambda name: (away[name] == away[name], -away[name]))[:3]
