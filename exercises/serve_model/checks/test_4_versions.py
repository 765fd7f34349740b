"""Versions and bookkeeping: the second version, switching under load, counters, requests that come twice."""

from __future__ import annotations

import pytest
from bench import MAIN, SECOND
from calls import batch, predict, prediction, results
from counting import count, repeat
from gates import uses_the_model
from parity import HI, LO
from switching import switch, switch_under_load

from grader.checker.api import Reason, linear


@pytest.mark.check(
    id="B8",
    points=3,
    competency="serving",
    requirement="R3, R4",
    title="Decides at the threshold, and takes the probability of the right class in both versions",
    question=(
        "A new model version was trained with its classes in another order. What in your service would notice, "
        "before customers do?"
    ),
    feedback=(
        "A probability equal to the threshold gets the wrong decision, or with the second version the probability "
        "is not that of a late payment (meta.json)."
    ),
)
def test_threshold_and_class(strata, award):
    plain = strata.plain
    edges = [strata.of("threshold", "rows at the threshold", stage) for stage in (MAIN, SECOND)]
    second = strata.of("plain", "plain rows of the second version", SECOND)
    decided = decisions_right(edges[0])
    parts = {
        "right decisions at the threshold": decided,
        "right decisions at the second version's threshold": decisions_right(edges[1]),
        "right decisions elsewhere": elsewhere_right(plain),
        "right probabilities of the second version": second.value,
    }
    at_edges = min(linear(decided, LO, HI), linear(parts["right decisions elsewhere"], LO, HI))
    share = at_edges * (0.4 + 0.4 * second.credit + 0.2 * linear(decisions_right(edges[1]), LO, HI))
    because = (
        f"At the threshold {decided:.0%} of the decisions are right, elsewhere {elsewhere_right(plain):.0%}; with the "
        f"second version {second.value:.0%} of the probabilities are right."
    )
    evidence = {name: f"{value:.1%}" for name, value in parts.items()} | second.evidence()
    award(min(1.0, round(share, 9)), because, evidence=evidence, metrics=parts)


def decisions_right(edge) -> float:
    """Return the share of rows with the right probability and the right decision."""
    return float(edge.decided_right.mean()) if len(edge.true) else 0.0


def elsewhere_right(parity) -> float:
    """Return the share of right decisions among right probabilities."""
    close = parity.close
    return float(parity.decided_right[close].mean()) if close.any() else 0.0


@pytest.mark.check(
    id="C2",
    points=2,
    competency="operations",
    requirement="R1, R5, R17, R18",
    title="Says in every answer which version it comes from",
    question="Two versions ran last Tuesday. How do you tell afterwards which one answered a given request?",
    feedback="Some answers do not name the version that they come from.",
)
def test_version_in_answers(strata, award):
    bench = strata.bench
    gate = uses_the_model(strata.plain)
    bench.use(SECOND)
    parts = {"started with the first": named(strata.plain.versions, "v1")}
    back = switch(bench, "v2")
    parts["started with the second"] = named(asked(strata), "v2")
    there = switch(bench, "v1")
    parts["switched to the first"] = named(asked(strata), "v1") * there.worked
    switch(bench, "v2")
    # Whoever always names the version of the start is right until somebody switches, which is what it is about.
    share = 0.2 * parts["started with the first"] + 0.2 * parts["started with the second"]
    share += 0.6 * parts["switched to the first"]
    because = f"{min(parts.values()):.0%} to {max(parts.values()):.0%} of the answers name the version that was active."
    if not (back.worked and there.worked):
        because += " Activation is not answered as agreed."
    award(min(1.0, round(share, 9)) * gate.value, because + gate.note, reason=Reason.SCHEMA, metrics=parts)


def asked(strata) -> list[str]:
    """Return the versions that a few answers of every kind name."""
    rows = strata.rows("mixed", 10, "versions")
    exchanges = strata.bench.ask(*map(predict, rows), batch(map(strata.names.rename, rows)), stage=SECOND)
    whole = prediction(exchanges[-1])
    answers = [prediction(each) for each in exchanges[:-1]] + results(exchanges[-1], len(rows)) + [whole]
    ready = strata.bench.once_ready()
    answers.append(prediction(ready))
    return [str(each.get("model_version")) for each in answers]


def named(versions, expected) -> float:
    """Return the share of answers that name the expected version."""
    return sum(each == expected for each in versions) / max(len(versions), 1)


@pytest.mark.check(
    id="C3",
    points=4,
    competency="operations",
    requirement="R7, R18",
    title="Switches versions under load without a failed or a mixed answer",
    question="A batch is half scored when the new version is activated. Which one answers it, and what ensures that?",
    feedback=(
        "While versions are switched under load, requests fail, batches mix versions, answers come from the version "
        "before, or an unknown version is not refused."
    ),
)
def test_switching(strata, award):
    gate = uses_the_model(strata.plain)
    found = switch_under_load(strata)
    metrics = {"batches": float(found.total), "failed": float(len(found.failures)), "mixed": float(found.mixed)}
    metrics |= {"judged": float(found.judged), "stale": float(found.stale)}
    award(found.share * gate.value, found.because + gate.note, evidence=found.evidence, metrics=metrics)


@pytest.mark.check(
    id="C5",
    points=4,
    competency="monitoring",
    requirement="R19",
    title="Counts what it does, in numbers that agree with the callers' and labels that stay few",
    question="Which labels would you never put on a metric, and what happens to the monitoring when somebody does?",
    feedback="The metrics cannot be read, do not agree with the requests that were made, or their labels grow.",
)
def test_metrics(strata, award):
    gate = uses_the_model(strata.plain)
    found = count(strata)
    wrong = {
        name: f"{found.found[name]:.0f} instead of {value:.0f}"
        for name, value in found.expected.items()
        if found.found[name] != value
    }
    share = (0.1 + 0.9 * linear(found.agree, 0.2, 1.0)) * found.bounded
    because = f"{len(found.expected) - len(wrong)} of {len(found.expected)} counters agree with the requests made."
    if not found.bounded:
        because += f" {found.new_series} new series came with the same kinds of requests."
        wrong["a new series"] = found.example
    metrics = {"agree": found.agree, "new series": float(found.new_series)}
    award(share * gate.value, because + gate.note, evidence=wrong, metrics=metrics)


@pytest.mark.check(
    id="C6",
    points=3,
    competency="operations",
    requirement="R15",
    title="Gives a repeated request its first answer, and refuses its id for another",
    question="A caller times out and asks again. What must not happen twice, and how long do you remember?",
    feedback=(
        "A repeated request gets another answer (perhaps only after an activation) or is counted again, its id passes "
        "with another body, or a request that was refused leaves something behind."
    ),
)
def test_repeated_requests(strata, award):
    gate = uses_the_model(strata.plain)
    found = repeat(strata)
    evidence = {"predictions counted": found.counted or "there is no counter"}
    metrics = {"same": found.same, "at once": found.at_once, "in batch": found.in_batch, "conflict": found.conflict}
    metrics |= {"undone": found.undone, "switched": found.switched, "free": found.free}
    award(found.share * gate.value, found.because + gate.note, evidence=evidence, metrics=metrics)
