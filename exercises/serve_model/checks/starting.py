"""Starts that take long or must not succeed: what the service says of itself meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from bench import CORRUPT, HALF_CORRUPT, SLOW, Bench
from calls import HEALTH, Names, Row, activate, answered, get, object_of, predict, prediction, probability
from parity import CLOSE, Strata

from grader.checker.api import SubmissionFailed
from grader.checker.http import Exchange
from grader.clock import monotonic

SLOW_SECONDS, CORRUPT_SECONDS, SETTLE_SECONDS, PAUSE = 60.0, 20.0, 2.0, 0.03
ACTIVATION_SECONDS = 20.0  # the first model that is loaded may bring its library with it
EACH_TIME = 1.0  # seconds; with the slow model a prediction from memory takes some hundredths
LATE_FIRST = 0.5  # seconds by which the first prediction may be slower than later ones


@dataclass(slots=True, kw_only=True)
class SlowStart:
    """What was seen while a model loaded that takes its time.

    Attributes:
        alive: /health answered while /ready did not say 200 yet.
        waiting: /ready answered 503 meanwhile.
        ready: It became ready.
        right: The first predictions after that were answered, and right.
        first: Seconds of the very first one.
        later: Seconds of those after it.
        odd: Other statuses of /ready.
    """

    alive: bool = False
    waiting: bool = False
    ready: bool = False
    right: bool = False
    first: float = 0.0
    later: float = 0.0
    odd: set[int] = field(default_factory=set)

    @property
    def loads_each_time(self) -> bool:
        """Every prediction takes as long as loading, so being ready means nothing."""
        return self.ready and self.later > EACH_TIME

    @property
    def early(self) -> bool:
        """It said that it was ready when it was not."""
        late = self.first > self.later + LATE_FIRST
        return self.ready and (not self.right or late or self.loads_each_time)

    @property
    def told(self) -> str:
        """Say it for people."""
        before = "/ready answered 503 while it loaded" if self.waiting else "/ready never answered 503 before"
        if self.waiting and not self.alive:
            before += ", /health did not answer 200 meanwhile"
        if not self.ready:
            return f"{before}; it was not ready within {SLOW_SECONDS:.0f} s"
        told = f"{before}; once ready, its first prediction took {self.first:.2f} s and later ones {self.later:.2f} s"
        return told if self.right else f"{told}; the first predictions failed, or were not those that it gave later"


def slow_start(strata: Strata) -> SlowStart:
    """Start with an artefact that loads slowly, and look all the time."""
    bench = strata.bench
    rows = strata.rows("plain", 4, "slow start")
    found = SlowStart()
    bench.use(SLOW)
    end = monotonic() + SLOW_SECONDS
    while monotonic() < end and bench.service.alive():
        ready = bench.once_ready()
        if answered(ready):
            found.ready = True
            _first_predictions(found, bench, strata, rows)
            break
        if answered(ready, 503):
            found.waiting = True
            found.alive = answered(bench.once(get(HEALTH))) or found.alive
        elif ready.status:
            found.odd.add(ready.status)
        bench.service.let_run(PAUSE)
    bench.spoil()
    return found


def _first_predictions(found: SlowStart, bench: Bench, strata: Strata, rows: Sequence[Row]) -> None:
    exchanges = [bench.once(predict(row), 10.0) for row in rows]
    found.first = exchanges[0].seconds
    found.later = float(np.median([each.seconds for each in exchanges[1:]]))
    # Whether numbers are right is for other checks; here they must be those that it gives later.
    again = [bench.once(predict(strata.names.rename(row))) for row in rows]
    found.right = all(_alike(*pair) for pair in zip(exchanges, again, strict=True))


def _alike(one: Exchange, other: Exchange) -> bool:
    return abs(probability(prediction(one)) - probability(prediction(other))) <= CLOSE


@dataclass(slots=True, kw_only=True)
class CorruptStart:
    """What was seen when the version to start with is damaged."""

    statuses: set[int] = field(default_factory=set)
    alive: bool = False
    predicted: bool = False
    recovers: bool = False

    @property
    def refused(self) -> bool:
        """It was never ready, and predicted nothing."""
        return 200 not in self.statuses and not self.predicted

    @property
    def told(self) -> str:
        """Say it for people."""
        answers = " and ".join(f"status {each}" for each in sorted(self.statuses)) or "nothing"
        told = f"/ready answered {answers}, /health {'answered 200' if self.alive else 'did not answer 200'}"
        if self.predicted:
            return f"{told}; a prediction was answered all the same"
        return told if self.recovers else f"{told}; it could not be brought back by activating a sound version"


def corrupt_start(strata: Strata) -> CorruptStart:
    """Start with a damaged version; it must say that it lives and is not ready, until a sound one is activated."""
    bench = strata.bench
    row = strata.rows("plain", 1, "corrupt start")[0]
    found = CorruptStart()
    bench.use(CORRUPT)
    began = monotonic()
    seen = None
    while bench.service.alive() and monotonic() < began + CORRUPT_SECONDS:
        ready = bench.once_ready()
        if ready.status:
            found.statuses.add(ready.status)
            seen = seen or monotonic()
            found.alive = answered(bench.once(get(HEALTH)))
        # Once it answers, loading takes no longer than for a sound version.
        if 200 in found.statuses or (seen and monotonic() > seen + SETTLE_SECONDS):
            break
        bench.service.let_run(5 * PAUSE)
    found.predicted = answered(bench.once(predict(row)))
    if found.refused and bench.service.alive():
        activated = bench.once(activate("v1"), ACTIVATION_SECONDS)
        ready = object_of(bench.once_ready()).get("model_version") == "v1"
        found.recovers = answered(activated) and ready and answered(bench.once(predict(strata.names.rename(row))))
    bench.spoil()
    return found


@dataclass(slots=True, kw_only=True)
class Refusal:
    """How the activation of a damaged version was answered, and whether the old one went on."""

    status: int = 0
    goes_on: bool = False

    @property
    def told(self) -> str:
        """Say it for people."""
        answer = f"it answered with status {self.status}" if self.status else "it did not answer"
        return f"{answer}, and the old version {'went on serving' if self.goes_on else 'did not go on as before'}"


def refused_activation(bench: Bench, names: Names, rows: Sequence[Row]) -> Refusal:
    """Activate a damaged version."""
    try:
        bench.use(HALF_CORRUPT)
    except SubmissionFailed:
        return Refusal()
    before = [prediction(bench.once(predict(row))) for row in rows]
    refused = bench.once(activate("v2"), 10.0)
    after = [prediction(bench.once(predict(names.rename(row)))) for row in rows]
    ready = object_of(bench.once_ready()).get("model_version") == "v1"
    same = all(
        one.get("model_version") == other.get("model_version") == "v1"
        and abs(probability(one) - probability(other)) <= CLOSE
        for one, other in zip(before, after, strict=True)
    )
    bench.spoil()
    return Refusal(status=0 if refused.error else refused.status, goes_on=ready and same)
