"""Times of the candidate beside those of a reference, measured in turns on the same machine.

Absolute times say more about the machine than about the service, so everything is a ratio: five blocks of each in turns
(three where a case is hopeless), the other one frozen meanwhile; the median of the ratios counts. Where the reference's
own blocks differ too much, the machine was not quiet: it is measured once more, and then not at all.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from bench import BUSY, Bench
from calls import Names, answered, batch, predict
from parity import Strata

from grader.checker.api import NotMeasured, SubmissionFailed, linear
from grader.checker.http import Exchange, Request

BLOCKS, FEW_BLOCKS = 5, 3
BLOCK_REQUESTS, SLOW_REQUESTS, WARM_REQUESTS = 160, 40, 40
CONCURRENCY = 8
BATCH_ROWS, BLOCK_BATCHES = 256, 3
MOST_SPREAD = 1.6
HOPELESS = 12.0  # times slower than the reference: fewer requests tell as much
BEYOND = 60.0  # times slower: fewer blocks do too, since this is twice what earns nothing in any check


@dataclass(frozen=True, slots=True)
class Block:
    """One load: seconds of every request (infinite where none was answered), CPU seconds of a request."""

    seconds: np.ndarray
    cpu: float

    @property
    def p95(self) -> float:
        """95 % of the requests took at most this."""
        return float(np.quantile(self.seconds, 0.95, method="higher"))

    @property
    def median(self) -> float:
        """Half of the requests took at most this."""
        return float(np.quantile(self.seconds, 0.5, method="higher"))


@dataclass(frozen=True, slots=True)
class Rounds:
    """Blocks of the candidate and of the reference, in turns."""

    candidate: tuple[Block, ...]
    reference: tuple[Block, ...]

    def ratio(self, measure: Callable[[Block], float]) -> float:
        """Return the median over blocks of how many times the reference's value the candidate's is."""
        pairs = zip(self.candidate, self.reference, strict=True)
        return float(np.median([measure(one) / max(measure(other), 1e-9) for one, other in pairs]))

    def spread(self, measure: Callable[[Block], float]) -> float:
        """Return how much the reference's own blocks differ: the second largest in units of the second smallest."""
        values = sorted(measure(block) for block in self.reference)
        return values[-2] / max(values[1], 1e-9)


def log_credit(ratio: float, full: float, none: float) -> float:
    """Credit that falls in a straight line over the logarithm of a ratio, from 1 at `full` to 0 at `none`."""
    if not ratio > 0 or math.isinf(ratio):
        return 0.0
    return linear(math.log(ratio), math.log(none), math.log(full))


def block_of(exchanges: Sequence[Exchange], cpu_seconds: float) -> Block:
    """Turn a load into a block; a request without a whole answer took for ever."""
    good = [answered(each) for each in exchanges]
    seconds = [each.seconds if fine else math.inf for each, fine in zip(exchanges, good, strict=True)]
    return Block(np.array(seconds), cpu_seconds / sum(good) if any(good) else math.inf)


def measured_quietly(rounds: Callable[[], Rounds], measure: Callable[[Block], float], what: str) -> Rounds:
    """Measure, and once more where the machine was not quiet.

    Raises:
        NotMeasured: It was not quiet the second time either.
    """
    for _ in range(2):
        found = rounds()
        if found.spread(measure) <= MOST_SPREAD:
            return found
    raise NotMeasured(
        f"The reference's own {what} differed {found.spread(measure):.1f} times between blocks, so the machine was too "
        "busy to measure."
    )


class Measured:
    """What the checks about performance look at; each part is measured when it is first asked for.

    Args:
        bench: The candidate's service.
        reference: The reference's service, in a box of its own.
        strata: Gives rows and request ids.
        folder: The variant's folder.
    """

    def __init__(self, bench: Bench, reference: Any, strata: Strata, folder: Path) -> None:
        self.bench = bench
        self._reference = reference
        self._strata = strata
        self._folder = folder
        self._kept: dict[str, Rounds] = {}
        self._reference_ready: list[float] = []

    @property
    def names(self) -> Names:
        """Gives request ids."""
        return self._strata.names

    def rows(self, count: int, purpose: str) -> list[Any]:
        """Return rows that were not asked for before: some are drawn once, each amount is new."""
        drawn = self._drawn
        draw = self._strata.random(f"amounts/{purpose}")
        picked = (drawn[draw.randrange(len(drawn))] for _ in range(count))
        return [{**row, "request_id": self.names.next(), "amount": round(draw.uniform(5, 900), 2)} for row in picked]

    @cached_property
    def _drawn(self) -> list[dict[str, Any]]:
        return [dict(row) for row in self._strata.rows("mixed", 1_000, "timing") if not isinstance(row, str)]

    @cached_property
    def reference_ready(self) -> tuple[float, ...]:
        """Seconds until the reference was ready, of two starts; it runs afterwards.

        Raises:
            NotMeasured: It did not become ready.
        """
        inputs = {"artifacts": self._folder / BUSY.folder}
        environment = {"MODEL_DIR": "{artifacts}", "MODEL_VERSION": BUSY.version}
        try:
            first = self._reference.start(inputs, environment, seconds=60.0)
            return first.seconds, self._reference.restart(seconds=60.0).seconds
        except SubmissionFailed as failure:
            raise NotMeasured(f"The reference could not be started: {failure.because}") from failure

    @contextmanager
    def reference_alone(self) -> Iterator[Any]:
        """Freeze the candidate's box and give the reference, which is idle at other times by itself.

        Raises:
            NotMeasured: The reference failed, which is no fault of the candidate.
        """
        self.reference_ready  # noqa: B018 - starts it
        with self.bench.service.paused():
            try:
                yield self._reference
            except SubmissionFailed as failure:
                raise NotMeasured(f"The reference could not be measured: {failure.because}") from failure

    def _load(self, requests: Sequence[Request], concurrency: int, *, candidate: bool) -> Block:
        if candidate:
            exchanges = self.bench.load(requests, concurrency=concurrency)
            return block_of(exchanges, self.bench.service.last_load.cpu_seconds)
        with self.reference_alone() as reference:
            exchanges = self._of_reference(requests, concurrency)
            return block_of(exchanges, reference.last_load.cpu_seconds)

    def _of_reference(self, requests: Sequence[Request], concurrency: int) -> list[Exchange]:
        found: list[Exchange] = self._reference.load(requests, concurrency=concurrency)
        if not all(answered(each) for each in found):
            raise NotMeasured("The reference did not answer every request.")
        return found

    def _both(self, make: Callable[[], list[Request]], concurrency: int) -> tuple[Block, Block]:
        candidate = self._load(make(), concurrency, candidate=True)
        return candidate, self._load(make(), concurrency, candidate=False)

    def _rounds(self, make: Callable[[int], list[Request]], usual: int, fewer: int, concurrency: int) -> Rounds:
        """Measure some blocks of each in turns, after a warm-up that also tells how slow the candidate is."""
        self.reference_ready  # noqa: B018 - starts it
        self.bench.use(BUSY)
        warm = self._both(lambda: make(fewer), concurrency)
        if not any(map(math.isfinite, warm[0].seconds)):
            self.bench.spoil()  # it may be at work on these for long
            return Rounds((warm[0],) * BLOCKS, (warm[1],) * BLOCKS)
        slower = warm[0].median / max(warm[1].median, 1e-9)
        count = fewer if slower > HOPELESS else usual
        blocks = [
            self._both(lambda: make(count), concurrency) for _ in range(FEW_BLOCKS if slower > BEYOND else BLOCKS)
        ]
        return Rounds(tuple(one for one, _ in blocks), tuple(other for _, other in blocks))

    def _singles(self) -> Rounds:
        def make(count: int) -> list[Request]:
            return [predict(row) for row in self.rows(count, self.names.next())]

        return self._rounds(make, BLOCK_REQUESTS, SLOW_REQUESTS, CONCURRENCY)

    def _in_batches(self) -> Rounds:
        def make(count: int) -> list[Request]:
            return [batch(self.rows(BATCH_ROWS, self.names.next())) for _ in range(count)]

        return self._rounds(make, BLOCK_BATCHES, 1, 1)

    def singles(self, measure: Callable[[Block], float], what: str) -> Rounds:
        """Single predictions at concurrency 8."""
        return self._quiet("singles", self._singles, measure, what)

    def batches(self, measure: Callable[[Block], float], what: str) -> Rounds:
        """Batches of 256 rows, one after the other."""
        return self._quiet("batches", self._in_batches, measure, what)

    def _quiet(self, name: str, rounds: Callable[[], Rounds], measure: Callable[[Block], float], what: str) -> Rounds:
        kept = self._kept.get(name)
        if kept is None or kept.spread(measure) > MOST_SPREAD:
            self._kept[name] = measured_quietly(rounds, measure, what)
        return self._kept[name]
