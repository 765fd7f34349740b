"""Memory over many requests, and the health route beside large batches."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from bench import BUSY, once
from calls import HEALTH, answered, batch, get, how, predict, prediction
from timing import CONCURRENCY, Measured

from grader.checker.api import NotMeasured, Reason, SubmissionFailed, linear
from grader.checker.http import Exchange
from grader.clock import monotonic

MB = 1e6
REQUESTS, PIECE, WARM = 3_000, 250, 300
EARLY, CHANGED, FORGETFUL = 16, 2, 1 / 3
ENOUGH, ENOUGH_SECONDS, MOST_SECONDS = 1_500, 25.0, 45.0  # of a slow service so many requests are enough
TRIES, ROUNDS, LARGE_ROWS, BUSY_SECONDS, MOST_LARGE = 3, 3, 512, 1.5, 60
HEALTH_PAUSE, HEALTH_SECONDS, LEAST_POLLS = 0.01, 2.0, 5
QUIET_SECONDS = 0.15  # later than this even the reference answers only where others take the processor


@dataclass(frozen=True, slots=True)
class Growth:
    """Memory after some numbers of requests, the first of which is 0, in MB above the first."""

    requests: tuple[int, ...]
    megabytes: tuple[float, ...]
    answered: float
    remembered: float = 1.0

    @property
    def growth(self) -> float:
        """MB that 3 000 requests add: what was seen, and for the rest as much as the later half of them added.

        What a service takes for its first requests it does not take again, so it is not scaled up.
        """
        done = self.requests[-1]
        if not done:
            return math.inf
        half = max(place for place, requests in enumerate(self.requests) if requests <= done / 2)
        slope = (self.megabytes[-1] - self.megabytes[half]) / (done - self.requests[half])
        return self.megabytes[-1] + max(slope, 0.0) * max(REQUESTS - done, 0)

    @property
    def activity(self) -> float:
        """Credit is for requests that were answered, for enough of them, and mostly for remembering them.

        What keeps nothing cannot grow.
        """
        done = linear(self.answered, 0.5, 0.95) * linear(self.requests[-1], 250, 1_000)
        return done * (FORGETFUL + (1 - FORGETFUL) * self.remembered)

    @property
    def told(self) -> str:
        """Say what it was measured on."""
        told = f"measured over {self.requests[-1]} requests, of which {self.answered:.0%} were answered."
        if self.remembered < 1:
            told += f" Of the early ones {self.remembered:.0%} were remembered; what keeps nothing cannot grow."
        return told


def memory_growth(measured: Measured) -> Growth:
    """Send many requests and look at the box's memory between them."""
    bench = measured.bench
    bench.use(BUSY)
    early = measured.rows(EARLY, measured.names.next())
    first = [prediction(each) for each in _exchanges(measured, early)]
    good = _send(measured, WARM)
    requests, memory, sent = [0], [bench.service.usage()[1]], WARM
    began = monotonic()
    while requests[-1] < REQUESTS and monotonic() < began + seconds_for(requests[-1]):
        good += _send(measured, PIECE)
        sent += PIECE
        requests.append(requests[-1] + PIECE)
        memory.append(bench.service.usage()[1])
    remembered = remembered_of(measured, early, first)
    return Growth(tuple(requests), tuple((each - memory[0]) / MB for each in memory), good / sent, remembered)


def remembered_of(measured: Measured, early: Sequence[Any], first: Sequence[dict[str, Any]]) -> float:
    """Return the share of early requests that are remembered.

    A prediction_id that is computed from the body comes again without any memory. So a few of the request ids come with
    another body, too: what remembers them refuses that, or gives its first answer, which costs its own check.
    """
    again = [prediction(each) for each in _exchanges(measured, early)]
    ids = [(one.get("prediction_id"), other.get("prediction_id")) for one, other in zip(first, again, strict=True)]
    same = sum(bool(one) and one == other for one, other in ids) / len(early)
    others = [{**early[-1 - place], "request_id": early[place]["request_id"]} for place in range(CHANGED)]
    found = _exchanges(measured, others)
    pairs = zip(first[:CHANGED], found, strict=True)
    noticed = sum(answered(each, 409) or (bool(one) and prediction(each) == one) for one, each in pairs)
    return same * noticed / CHANGED


def seconds_for(done: int) -> float:
    """Return how long requests are sent at most, once some are done."""
    return ENOUGH_SECONDS if done >= ENOUGH else MOST_SECONDS


def _send(measured: Measured, count: int) -> int:
    return sum(answered(each) for each in _exchanges(measured, measured.rows(count, measured.names.next())))


def _exchanges(measured: Measured, rows: Sequence[Any]) -> list[Exchange]:
    return measured.bench.send([predict(row) for row in rows], concurrency=CONCURRENCY, stage=BUSY)


@dataclass(frozen=True, slots=True)
class Health:
    """How quickly the health route answered, round by round, and which share of the batches beside it was answered."""

    rounds: tuple[tuple[float, ...], ...]
    batches: float

    @property
    def polls(self) -> int:
        """How often it was asked."""
        return sum(map(len, self.rounds))

    @property
    def p95(self) -> float:
        """95 % of the answers of a round came within this, in the middle one of the rounds."""
        return float(np.median([_p95(each) for each in self.rounds])) if self.rounds else math.inf

    @property
    def activity(self) -> float:
        """Credit is for being alive beside work, not beside refused work."""
        return linear(self.batches, 0.5, 0.95)

    @property
    def note(self) -> str:
        """Say why credit is reduced."""
        return "" if self.activity == 1 else f" Only {self.batches:.0%} of the batches were answered."


def _p95(seconds: Sequence[float]) -> float:
    return float(np.quantile(seconds, 0.95, method="higher"))


def health_while_busy(measured: Measured) -> tuple[Health, Health]:
    """Ask the health route again and again while large batches are scored, in turns with the reference.

    Returns:
        The candidate's and the reference's.

    Raises:
        SubmissionFailed: Not even one batch by itself is answered in time.
        NotMeasured: Even the reference answered late, three times.
    """
    for _ in range(TRIES):
        rounds = [_both(measured) for _ in range(ROUNDS)]
        candidate, reference = _joined([one for one, _ in rounds]), _joined([other for _, other in rounds])
        if reference.p95 <= QUIET_SECONDS:
            return candidate, reference
    raise NotMeasured(f"The reference's own health route took {1000 * reference.p95:.0f} ms: the machine was too busy.")


def _joined(rounds: Sequence[Health]) -> Health:
    return Health(tuple(each.rounds[0] for each in rounds), float(np.mean([each.batches for each in rounds])))


def _both(measured: Measured) -> tuple[Health, Health]:
    measured.bench.use(BUSY)
    candidate = _round(measured, measured.bench.service)
    with measured.reference_alone() as reference:
        return candidate, _round(measured, reference)


def _round(measured: Measured, service: Any) -> Health:
    alone = service.load([batch(measured.rows(LARGE_ROWS, measured.names.next()))], concurrency=1)[0]
    if not answered(alone):
        measured.bench.spoil()
        raise SubmissionFailed(Reason.TIMEOUT, f"A batch of {LARGE_ROWS} rows by itself ended with {how(alone)}.")
    count = max(3, min(MOST_LARGE, math.ceil(BUSY_SECONDS / max(alone.seconds, 0.001))))
    large = [batch(measured.rows(LARGE_ROWS, measured.names.next())) for _ in range(count)]
    seconds: list[float] = []
    with service.background(large, concurrency=2, seconds=60.0) as running:
        end = monotonic() + min(BUSY_SECONDS, 0.8 * count * alone.seconds)
        while monotonic() < end or len(seconds) < LEAST_POLLS:
            exchange = once(service, get(HEALTH), HEALTH_SECONDS)
            seconds.append(exchange.seconds if answered(exchange) else math.inf)
            service.let_run(HEALTH_PAUSE)
    done = [answered(each) for each in running.exchanges]
    return Health((tuple(seconds),), sum(done) / max(len(done), 1))
