"""Times of the candidate beside those of a reference, measured in turns on the same machine.

Absolute times say more about the machine than about the service, so everything is a ratio: five blocks of each in turns
(three where a case is hopeless), the other one frozen meanwhile; the median of the ratios counts. They are blocks in
which the reference took alike, as it does on a machine that is idle, and on one that is steadily half as quick. Where
it does not, somebody had the processor for a while: another pair is measured, up to a number. What the candidate's
own block took decides nothing about that.
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

BLOCKS, FEW_BLOCKS, MOST_BLOCKS = 5, 3, 15
BLOCK_REQUESTS, SLOW_REQUESTS = 160, 40
CONCURRENCY = 8
BATCH_ROWS, BLOCK_BATCHES = 256, 3
MOST_SPREAD = 1.6  # the reference's slowest block that counts, in times of its quickest
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


Measure = Callable[[Block], float]


@dataclass(frozen=True, slots=True)
class Rounds:
    """Blocks of the candidate and of the reference, in turns."""

    candidate: tuple[Block, ...]
    reference: tuple[Block, ...]

    def ratio(self, measure: Measure) -> float:
        """Return the median over blocks of how many times the reference's value the candidate's is."""
        pairs = zip(self.candidate, self.reference, strict=True)
        return float(np.median([measure(one) / max(measure(other), 1e-9) for one, other in pairs]))

    def alike(self, measure: Measure, wanted: int) -> Rounds:
        """Return pairs between whose references there is little difference: the quickest so many, or else the most."""
        values = np.array([measure(block) for block in self.reference])
        kept = np.array([], int)
        for least in np.sort(values):
            found = np.flatnonzero((least <= values) & (values <= MOST_SPREAD * least))
            kept = max(kept, found, key=len)
            if len(kept) >= wanted:
                break
        return Rounds(tuple(self.candidate[place] for place in kept), tuple(self.reference[place] for place in kept))

    def __add__(self, other: Rounds) -> Rounds:
        """Put blocks of both together."""
        return Rounds(self.candidate + other.candidate, self.reference + other.reference)

    def __len__(self) -> int:
        """How many pairs there are."""
        return len(self.reference)


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


class Series:
    """Pairs of blocks of one load: as many as it takes until enough of them were measured alike.

    Args:
        bench: The candidate's service.
        pair: Measures one block of each, of so many requests.
        usual: Requests of a block.
        fewer: Requests of a block where the candidate is slow, and of the warm-up.
    """

    def __init__(self, bench: Bench, pair: Callable[[int], Rounds], usual: int, fewer: int) -> None:
        self._bench = bench
        self._pair = pair
        self._usual = usual
        self._fewer = fewer
        self._count = 0
        self._wanted = BLOCKS
        self._rounds = Rounds((), ())

    def alike(self, measure: Measure, what: str) -> Rounds:
        """Return the pairs that were measured under like conditions.

        Raises:
            NotMeasured: Too few of many were.
        """
        if not self._count:
            self._warm_up()
        while len(found := self._rounds.alike(measure, self._wanted)) < self._wanted:
            if len(self._rounds) >= MOST_BLOCKS:
                raise NotMeasured(
                    f"The reference's own {what} was alike in no more than {len(found)} of {MOST_BLOCKS} blocks: "
                    "the machine was too busy to measure."
                )
            self._bench.use(BUSY)
            self._rounds += self._pair(self._count)
        return found

    def _warm_up(self) -> None:
        """Tell how slow the candidate is, and so how much is asked of it."""
        self._bench.use(BUSY)
        warm = self._pair(self._fewer)
        slower = warm.candidate[0].median / max(warm.reference[0].median, 1e-9)
        self._count = self._fewer if slower > HOPELESS else self._usual
        self._wanted = FEW_BLOCKS if slower > BEYOND else BLOCKS
        if not any(map(math.isfinite, warm.candidate[0].seconds)):
            self._bench.spoil()  # it may be at work on these for long
            self._rounds = Rounds(warm.candidate * self._wanted, warm.reference * self._wanted)


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

    def _both(self, make: Callable[[], list[Request]], concurrency: int) -> Rounds:
        candidate = self._load(make(), concurrency, candidate=True)
        return Rounds((candidate,), (self._load(make(), concurrency, candidate=False),))

    @cached_property
    def _singles(self) -> Series:
        def pair(count: int) -> Rounds:
            return self._both(lambda: [predict(row) for row in self.rows(count, self.names.next())], CONCURRENCY)

        return Series(self.bench, pair, BLOCK_REQUESTS, SLOW_REQUESTS)

    @cached_property
    def _in_batches(self) -> Series:
        def pair(count: int) -> Rounds:
            return self._both(lambda: [batch(self.rows(BATCH_ROWS, self.names.next())) for _ in range(count)], 1)

        return Series(self.bench, pair, BLOCK_BATCHES, 1)

    def singles(self, measure: Measure, what: str) -> Rounds:
        """Single predictions at concurrency 8; raises NotMeasured where the machine was too busy."""
        self.reference_ready  # noqa: B018 - starts it
        return self._singles.alike(measure, what)

    def batches(self, measure: Measure, what: str) -> Rounds:
        """Batches of 256 rows, one after the other; raises NotMeasured where the machine was too busy."""
        self.reference_ready  # noqa: B018 - starts it
        return self._in_batches.alike(measure, what)
