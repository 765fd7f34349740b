"""Performance: times and memory beside a reference on the same machine, for right answers only."""

from __future__ import annotations

import math

import numpy as np
import pytest
from bench import BUSY
from busy import health_while_busy, memory_growth
from gates import exact
from pictures import latency_curves, memory_line, paired_dots
from timing import log_credit

from grader.checker.api import Reason

LATENCY = (3.0, 9.0)
CPU = (3.0, 12.0)
BATCH = (3.0, 30.0)
READY = (2.0, 6.0)
GROWTH = (30.0, 120.0)  # MB
HEALTH = (0.050, 0.500)  # seconds, where the reference needs a third of the first at most
HEALTH_TIMES = 3.0


@pytest.fixture(scope="module")
def gate(strata):
    """Speed counts for right answers only; without any, nothing is measured."""
    return exact(strata.plain)


def ratio_award(award, gate, ratio, anchors, because, **more):
    """Award what a ratio to the reference earns."""
    credit = log_credit(ratio, *anchors)
    reason = Reason.SLOW if gate.value >= 0.5 else Reason.INACTIVE
    metrics = {"ratio": ratio, "gate": gate.value} | more.pop("metrics", {})
    award(credit * gate.value, because + gate.note, reason=reason, metrics=metrics, **more)


def closed(award, gate) -> bool:
    """Award nothing, and measure nothing, where the gate is closed."""
    if gate.value == 0:
        award(0, "It was not measured." + gate.note, reason=Reason.INACTIVE, metrics={"gate": 0.0})
    return gate.value == 0


def beside(what, seconds, ratio) -> str:
    """Say what was measured and how many times the reference's that is."""
    if not math.isfinite(seconds):
        return "Too many of the requests were not answered."
    return f"{what} {1000 * seconds:.1f} ms, {ratio:.1f} times the reference."


def milliseconds(values) -> str:
    """Write seconds of several blocks."""
    return ", ".join(f"{1000 * value:.1f}" if math.isfinite(value) else "without end" for value in values) + " ms"


@pytest.mark.check(
    id="D1",
    points=6,
    competency="performance",
    requirement="R23",
    title="Answers quickly when eight callers ask at once",
    question="Where do the milliseconds of one request go, and which of them would you remove first?",
    feedback="Single predictions take long when eight callers ask at once, or the plain rows are not right.",
)
def test_latency(measured, gate, award, plot):
    if closed(award, gate):
        return
    rounds = measured.singles(lambda block: block.p95, "latency")
    mine, other = ([block.p95 for block in side] for side in (rounds.candidate, rounds.reference))
    ratio = rounds.ratio(lambda block: block.p95)
    pooled = [np.concatenate([block.seconds for block in side]) for side in (rounds.candidate, rounds.reference)]
    plot(latency_curves(*pooled), "Time until a single prediction is answered, eight callers at once")
    because = beside("95 % of the requests took at most", np.median(mine), ratio)
    evidence = {"submission, by block": milliseconds(mine), "reference, by block": milliseconds(other)}
    metrics = {"p95 ms": 1000 * float(np.median(mine)), "reference p95 ms": 1000 * float(np.median(other))}
    ratio_award(award, gate, ratio, LATENCY, because, evidence=evidence, metrics=metrics)


@pytest.mark.check(
    id="D2",
    points=4,
    competency="performance",
    requirement="R24",
    title="Spends little processor time on a request",
    question="Traffic triples and the machines cannot. What would you change in the service?",
    feedback="A single prediction takes much processor time, or the plain rows are not right.",
)
def test_cpu(measured, gate, award, plot):
    if closed(award, gate):
        return
    rounds = measured.singles(lambda block: block.cpu, "processor time")
    mine, other = ([block.cpu for block in side] for side in (rounds.candidate, rounds.reference))
    ratio = rounds.ratio(lambda block: block.cpu)
    plot(
        paired_dots([1000 * each for each in mine], [1000 * each for each in other], "processor time of a request, ms"),
        "Processor time of a single prediction, by block",
    )
    because = beside("A request took processor time of", np.median(mine), ratio)
    evidence = {"submission, by block": milliseconds(mine), "reference, by block": milliseconds(other)}
    metrics = {"cpu ms": 1000 * float(np.median(mine)), "reference cpu ms": 1000 * float(np.median(other))}
    ratio_award(award, gate, ratio, CPU, because, evidence=evidence, metrics=metrics)


@pytest.mark.check(
    id="D3",
    points=4,
    competency="performance",
    requirement="R25",
    title="Scores a batch at once, not row by row",
    question="Your batch is a loop over rows today. What has to change so that it is not, and what must stay equal?",
    feedback="A batch of many rows takes long, or the plain rows are not right.",
)
def test_batch_time(measured, gate, award):
    if closed(award, gate):
        return
    rounds = measured.batches(lambda block: block.median, "time for a batch")
    mine, other = ([block.median for block in side] for side in (rounds.candidate, rounds.reference))
    ratio = rounds.ratio(lambda block: block.median)
    because = beside("A batch of 256 rows took", np.median(mine), ratio)
    evidence = {"submission, by block": milliseconds(mine), "reference, by block": milliseconds(other)}
    metrics = {"batch ms": 1000 * float(np.median(mine)), "reference batch ms": 1000 * float(np.median(other))}
    ratio_award(award, gate, ratio, BATCH, because, evidence=evidence, metrics=metrics)


@pytest.mark.check(
    id="D4",
    points=2,
    competency="operations",
    requirement="R26",
    title="Is ready soon after it is started",
    question="What does your service do before it is ready, and what of that could wait?",
    feedback="It takes long until the service is ready, it loads its model later, or the plain rows are not right.",
)
def test_ready_time(measured, slow, gate, award):
    if closed(award, gate):
        return
    if slow.loads_each_time:
        award(0, "It loads the model for every request, not before it is ready.", reason=Reason.INACTIVE)
        return
    other = measured.reference_ready
    measured.bench.use(BUSY)
    mine = measured.bench.ready_seconds
    ratio = float(np.median(mine) / np.median(other))
    because = f"It was ready after {np.median(mine):.1f} s, {ratio:.1f} times the reference."
    evidence = {"submission, by start": milliseconds(mine), "reference, by start": milliseconds(other)}
    ratio_award(award, gate, ratio, READY, because, evidence=evidence, metrics={"seconds": float(np.median(mine))})


@pytest.mark.check(
    id="D5",
    points=3,
    competency="operations",
    requirement="R27",
    title="Does not grow with the number of requests",
    question="What in your service remembers something of every request, and what bounds it?",
    feedback="Memory grows with the number of requests, or the plain rows are not right.",
)
def test_memory_growth(measured, gate, award, plot):
    if closed(award, gate):
        return
    found = memory_growth(measured)
    plot(memory_line(found.requests, found.megabytes, *GROWTH), "Memory added while single predictions are answered")
    credit = log_linear(found.growth) * found.activity
    because = f"Memory grew by {found.growth:.0f} MB over 3 000 requests; {found.told}"
    reason = Reason.MEMORY if gate.value * found.activity >= 0.5 else Reason.INACTIVE
    award(credit * gate.value, because + gate.note, reason=reason, metrics={"growth MB": found.growth})


def log_linear(growth: float) -> float:
    """Credit for growth in MB; none at all is as good as the upper anchor."""
    return log_credit(max(growth, 1.0), *GROWTH)


@pytest.mark.check(
    id="D6",
    points=2,
    competency="operations",
    requirement="R28",
    title="Says that it is alive while it scores large batches",
    question="A large batch comes in, and the orchestrator restarts your service. How are the two connected?",
    feedback="The health route answers late while large batches are scored, or the plain rows are not right.",
)
def test_health_while_busy(measured, gate, award):
    if closed(award, gate):
        return
    found, other = health_while_busy(measured)
    slower = max(1.0, HEALTH_TIMES * other.p95 / HEALTH[0])  # the machine's own slowness is nobody's
    credit = log_credit(found.p95 / slower, *HEALTH) * found.activity
    because = (
        f"While batches of 512 rows were scored, 95 % of {found.polls} answers of /health came within "
        f"{1000 * found.p95:.0f} ms; those of the reference within {1000 * other.p95:.0f} ms.{found.note}"
    )
    reason = Reason.SLOW if gate.value * found.activity >= 0.5 else Reason.INACTIVE
    metrics = {"p95 ms": 1000 * found.p95, "reference p95 ms": 1000 * other.p95}
    award(credit * gate.value, because + gate.note, reason=reason, metrics=metrics)
