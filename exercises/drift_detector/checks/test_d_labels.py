"""Labels: changes of P(y | x), told from changes of x."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

import anchors
import pytest
from answers import DECISION, Reading, fault_facts, main_reason
from figures import label_rates
from measures import Share, alarms, false_alarms, hits, label_activity, percent

from grader.checker.api import Reason, linear

WORDS = {
    "clean": "nothing changed",
    "covariate": "one input shifted",
    "country": "mix of countries changed",
    "intercept_s": "base rate moved, small",
    "intercept_l": "base rate moved, large",
    "label_shift": "odds of the label doubled",
    "slope_half": "strongest effect halved",
    "slope_reversed": "strongest effect reversed",
}


@pytest.mark.check(
    id="D1",
    points=3,
    competency="statistics",
    requirement="R12",
    title="Keeps the promised rate of false alarms on labelled rows",
    question="Your model is never perfectly calibrated. How does your test of the labels allow for that?",
    feedback="Labelled rows without any change raise more alarms than alpha allows, or gross changes raise none.",
)
def test_clean(heard, award, plot):
    shares = {WORDS[kind]: alarms(readings) for kind, readings in heard.items()}
    plot(label_rates(shares, anchors.ALPHA, silent=3), "Alarms of `feedback`, with exact 95 % intervals")
    found, seen = false_alarms(heard["clean"]), strongest(heard)
    because = f"False alarms on {found.words()} sets of labelled rows; promised are {percent(anchors.ALPHA)}."
    if label_activity(seen) < 1:
        because += f" Of gross changes it noticed only {seen.words()}."
    give(award, ["clean"], heard, linear(found.value, *anchors.LABEL_ALARMS) * label_activity(seen), because)


@pytest.mark.check(
    id="D2",
    points=4,
    competency="monitoring",
    requirement="R13",
    title="Stays quiet when the inputs change and P(y | x) does not",
    question="Two countries double their share and the rate of late payers moves. Why is that no reason to retrain?",
    feedback=(
        "A changed mix of inputs with unchanged P(y | x) is reported as concept drift; or false alarms cost this too."
    ),
)
def test_covariate(heard, award):
    kinds = ["covariate", "country"]
    found = false_alarms([reading for kind in kinds for reading in heard[kind]])
    because = f"It took a change of the inputs for concept drift in {found.words()} cases."
    give(award, kinds, heard, linear(found.value, *anchors.LABEL_ALARMS) * trust(heard), because)


@pytest.mark.check(
    id="D3",
    points=2,
    competency="statistics",
    requirement="R14",
    title="Notices that the base rate moved",
    question="How many labels do you need before you can tell that 20 % became 25 %?",
    feedback="A moved base rate at given inputs is often missed; or false alarms cost this too.",
)
def test_intercept(heard, award):
    award_detection(["intercept_s", "intercept_l", "label_shift"], anchors.INTERCEPT, heard, award)


@pytest.mark.check(
    id="D4",
    points=3,
    competency="statistics",
    requirement="R14",
    title="Notices that an effect changed while the base rate hardly did",
    question="The rate of late payers is as always, and yet the model is wrong. How would you see that from labels?",
    feedback="A changed effect of an input is often missed when the base rate stays; or false alarms cost this too.",
)
def test_slope(heard, award):
    award_detection(["slope_half", "slope_reversed"], anchors.SLOPE, heard, award)


def award_detection(kinds: Sequence[str], between: tuple[float, float], heard, award) -> None:
    """Award the mean rate of detection, gated by D1."""
    found = {kind: hits(heard[kind]) for kind in kinds}
    mean = fmean(share.value for share in found.values())
    listed = ", ".join(f"{WORDS[kind]} {percent(share.value)}" for kind, share in found.items())
    because = f"{percent(mean)} noticed on average: {listed}."
    give(award, kinds, heard, linear(mean, *between) * trust(heard), because)


def strongest(heard) -> Share:
    """Return how often the gross change was noticed that it notices best."""
    return max((alarms(heard[kind]) for kind in ("intercept_l", "slope_reversed")), key=lambda share: share.value)


def trust(heard) -> float:
    """Return the credit of D1, which gates the others."""
    return linear(false_alarms(heard["clean"]).value, *anchors.LABEL_ALARMS) * label_activity(strongest(heard))


def give(award, kinds: Sequence[str], heard, share: float, because: str) -> None:
    """Award with the facts of these kinds."""
    readings: list[Reading] = [reading for kind in kinds for reading in heard[kind]]
    gate = trust(heard)
    if kinds != ["clean"] and gate < 1:
        because += f" It counts {gate:.0%}, as false alarms on unchanged rows and gross changes do (D1)."
    quiet = label_activity(strongest(heard)) < 0.5
    evidence = {WORDS[kind]: f"alarms in {alarms(heard[kind]).words()}" for kind in kinds}
    award(
        share,
        because,
        reason=Reason.INACTIVE if quiet else main_reason(readings, DECISION),
        evidence=evidence | fault_facts(readings, DECISION),
        metrics={kind: alarms(heard[kind]).value for kind in kinds} | {"gate": gate},
    )
