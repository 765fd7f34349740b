"""Attribution: the scores point at what drifted."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

import pytest
from answers import Reading, fault_facts, main_reason
from asking import CLEAN, POOLED, SLICE, largest
from figures import attribution_bars
from measures import Share, activity, alarms, attribution_credit, chance, percent, ranked_first, validity
from powers import MODE_WORDS, noticed
from world import FEATURES, KINDS

from grader.checker.api import Reason

# Diffuse drift is in every numeric feature: naming one of them shows nothing.
NAMED = tuple(kind for kind in KINDS if kind != "diffuse")


@pytest.mark.check(
    id="C1",
    points=5,
    competency="monitoring",
    requirement="R5",
    title="Names the feature that drifted, on windows from all hours of the week",
    question=(
        "The alarm says that something changed. How does your detector find out what, and when is it wrong about that?"
    ),
    feedback=(
        "The feature that drifted often is not the one with the largest score (both of a pair: not in the first two)."
    ),
)
def test_pooled(panel, world, award, plot):
    award_attribution(POOLED, panel, world, award, plot)


@pytest.mark.check(
    id="C2",
    points=5,
    competency="monitoring",
    requirement="R5",
    title="Names it on windows of four hours too, where the hour itself moves other features",
    question="In a window of the evening three features differ from the weekly average. How do you find the fourth?",
    feedback=(
        "On windows of a few hours, the feature that drifted often is not the one with the largest score; or such "
        "windows raise too many false alarms."
    ),
)
def test_slice(panel, world, award, plot):
    award_attribution(SLICE, panel, world, award, plot)


def award_attribution(mode: str, panel, world, award, plot) -> None:
    """Award the share of right attributions at the largest sizes, gated by activity and by false alarms."""
    answers = {kind: panel.of(kind, mode, size=largest(kind)) for kind in NAMED}
    found = {kind: right(kind, readings, world.target(kind)) for kind, readings in answers.items()}
    by_chance = fmean(chance(world.target(kind), len(FEATURES), pair=kind == "pair") for kind in NAMED)
    mean = fmean(share.value for share in found.values())
    seen, clean = noticed(panel, mode), alarms(panel.of(CLEAN, mode))
    gate = activity(seen) * validity(clean)
    plot(attribution_bars(found, by_chance), f"Right attributions by kind of drift, {MODE_WORDS[mode]}")
    because = (
        f"{MODE_WORDS[mode]}: {percent(mean)} of the largest drifts attributed rightly; by chance {percent(by_chance)}."
    )
    if gate < 1:
        because += (
            f" It counts {gate:.0%}: {percent(seen.value)} of clear drift noticed, {percent(clean.value)} false alarms."
        )
    every = [reading for readings in answers.values() for reading in readings]
    award(
        attribution_credit(mean, by_chance) * gate,
        because,
        reason=Reason.INACTIVE if activity(seen) < 0.5 else main_reason(every, ("answer", "scores")),
        evidence={f"{kind} right": f"{share.count} of {share.total}" for kind, share in found.items()}
        | fault_facts(every, ("answer", "scores")),
        metrics={"right": mean, "chance": by_chance, "gate": gate},
    )


def right(kind: str, readings: Sequence[Reading], true: Sequence[str]) -> Share:
    """Count the answers that point at what drifted."""
    rightly = sum(ranked_first(reading.scores, true, pair=kind == "pair") for reading in readings)
    return Share(count=rightly, total=len(readings))
