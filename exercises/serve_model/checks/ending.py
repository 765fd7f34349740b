"""The end of the service: what becomes of requests that are under way."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from bench import BUSY
from calls import answered, batch
from parity import Strata

from grader.checker.http import Exchange, Request
from grader.checker.service import ServiceEnding
from grader.clock import monotonic

SECONDS, LOAD_SECONDS, LEAST_LEAD, ENOUGH = 5.0, 2.5, 0.03, 2
ROWS, CONCURRENCY, MOST_BATCHES, LONG = 512, 6, 80, 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How the service ended, and how many requests were under way then and were answered."""

    ending: ServiceEnding
    under_way: int
    finished: int

    @property
    def share(self) -> float:
        """Share of the points."""
        if self.ending.timed_out:
            return 0.0
        finished = self.finished / self.under_way if self.under_way else 0.0
        clean = self.ending.exit_status == 0
        share = (0.45 * finished + 0.55 * clean * (finished > 0)) * (0.8 if self.ending.leftovers else 1.0)
        return round(share, 9)

    @property
    def because(self) -> str:
        """Say it in a few sentences."""
        if self.ending.timed_out:
            return f"It did not end within {SECONDS:.0f} s of SIGTERM."
        how = (
            f"signal {self.ending.signal}"
            if self.ending.exit_status is None
            else f"exit status {self.ending.exit_status}"
        )
        told = f"It ended with {how} after {self.ending.seconds:.1f} s; {self.finished} of {self.under_way} requests "
        told += "that were under way were answered."
        return told + (" It left processes behind." if self.ending.leftovers else "")


def end_under_load(strata: Strata) -> Ended:
    """Send SIGTERM while batches are scored."""
    bench = strata.bench
    rows = [row for row in strata.rows("mixed", ROWS, "ending") if not isinstance(row, str)]

    def make() -> Request:
        return batch([strata.names.rename(row) for row in rows])

    alone = bench.ask(make(), stage=BUSY)[0]
    if alone.seconds > LONG:  # how fast it is, is for other checks; smaller batches then take as long
        del rows[max(1, int(ROWS * LONG / alone.seconds)) :]
        alone = bench.ask(make(), stage=BUSY)[0]
    count = max(2 * CONCURRENCY, min(MOST_BATCHES, math.ceil(LOAD_SECONDS / max(alone.seconds, 0.01))))
    requests = [make() for _ in range(count)]
    with bench.service.background(requests, concurrency=CONCURRENCY, seconds=60.0, request_seconds=8.0) as running:
        began = monotonic()
        bench.service.let_run(min(0.5, 0.25 * count * alone.seconds))
        moment = monotonic() - began
        ending = bench.service.stop("TERM", seconds=SECONDS)
    bench.spoil()
    under_way = certainly_under_way(running.exchanges, moment)
    return Ended(ending=ending, under_way=len(under_way), finished=sum(answered(each) for each in under_way))


def certainly_under_way(found: Sequence[Exchange], moment: float) -> list[Exchange]:
    """Return the requests that the service must have begun with before a moment, and not ended.

    What was sent only just now may not have been read yet, and no server can finish what it has not read. So the
    longer ago, in units of the time that requests took before, the better, as long as there are enough of them.
    """
    before = [each.seconds for each in found if answered(each) and each.began + each.seconds < moment]
    usual = float(np.median(before)) if before else 0.0
    under_way: list[Exchange] = []
    for lead in (usual / 2, usual / 4, LEAST_LEAD):
        under_way = [each for each in found if was_under_way(each, moment, lead)]
        if len(under_way) >= ENOUGH:
            break
    return under_way


def was_under_way(exchange: Exchange, moment: float, lead: float) -> bool:
    """Tell whether a request had been sent some time before a moment, and was not answered then."""
    return exchange.began < moment - lead and exchange.began + exchange.seconds > moment
