"""Versions: what each answers in peace, and whether every answer under load is that of one version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench import SECOND, Bench
from calls import Row, activate, answered, batch, how, id_of, object_of, prediction, probability, results, tally
from parity import Strata

from grader.checker.api import linear
from grader.checker.http import Exchange, Request
from grader.clock import monotonic

VERSIONS = ("v1", "v2")
ROWS, SWITCHES, PAUSE = 64, 14, 0.2
LOAD_SECONDS, CONCURRENCY, MOST_BATCHES = 4.0, 4, 400
CLOCKS = 0.05  # seconds by which the load's clock and ours may differ
ALIKE = 1e-9
FAILED_NONE, MIXED_NONE = 0.05, 2


@dataclass(frozen=True, slots=True)
class Switch:
    """One activation: the version, when it was asked for and when it had been answered, how it was answered."""

    version: str
    asked: float
    done: float
    exchange: Exchange

    @property
    def worked(self) -> bool:
        """It was answered as agreed."""
        return answered(self.exchange) and object_of(self.exchange).get("model_version") == self.version


@dataclass(slots=True, kw_only=True)
class Switched:
    """What was seen under load.

    Attributes:
        total: Batches sent.
        failures: How those without an answer ended.
        mixed: Batches whose rows are of more than one version, or of another than they say.
        judged: Batches that began and ended between two switches.
        stale: Those of them that were answered by the version before.
        switches: The activations.
        differ: The two versions answer differently, so that a switch can be seen.
        unknown: An unknown version was refused with 409 and the old one went on.
    """

    total: int = 0
    failures: list[str] = field(default_factory=list)
    mixed: int = 0
    judged: int = 0
    stale: int = 0
    switches: list[Switch] = field(default_factory=list)
    differ: bool = False
    unknown: bool = False

    @property
    def works(self) -> float:
        """Every activation was answered as agreed, and changes the answers."""
        done = sum(each.worked for each in self.switches)
        return linear(done / max(len(self.switches), 1), 0.5, 1.0) * self.differ

    @property
    def share(self) -> float:
        """Share of the points."""
        whole = linear(len(self.failures) / max(self.total, 1), FAILED_NONE, 0.0)
        pure = linear(self.mixed, MIXED_NONE, 0)
        prompt = linear(self.stale / max(self.judged, 1), 0.2, 0.0)
        return round(self.works * min(whole, pure) * (0.7 + 0.2 * prompt + 0.1 * self.unknown), 9)

    @property
    def because(self) -> str:
        """Say it in a few sentences."""
        good = sum(each.worked for each in self.switches)
        told = f"{good} of {len(self.switches)} activations under load were answered as agreed."
        told += (
            f" Of {self.total} batches {len(self.failures)} failed, {self.mixed} mix versions or name the wrong one,"
        )
        told += f" {self.stale} were answered by the version before."
        if not self.differ:
            told += " After an activation the answers are those of the version before."
        return told if self.unknown else f"{told} An unknown version is not refused with 409."

    @property
    def evidence(self) -> dict[str, object]:
        """Return what failed."""
        facts: dict[str, object] = {}
        if self.failures:
            facts["batches without an answer"] = tally(self.failures)
        bad = [how(each.exchange) for each in self.switches if not each.worked]
        if bad:
            facts["activations that failed"] = tally(bad)
        return facts


def switch(bench: Bench, version: str, began: float = 0.0) -> Switch:
    """Activate a version just now."""
    asked = monotonic() - began
    exchange = bench.once(activate(version))
    return Switch(version, asked, monotonic() - began, exchange)


def steady_answers(strata: Strata, rows: Sequence[Row]) -> tuple[list[float], float]:
    """Return what the active version answers in peace, and how long a batch takes."""
    exchange = strata.bench.ask(batch([strata.names.rename(row) for row in rows]), stage=SECOND)[0]
    return [probability(each) for each in results(exchange, len(rows))], exchange.seconds


def switch_under_load(strata: Strata) -> Switched:
    """Switch to and fro while batches are scored."""
    bench = strata.bench
    bench.use(SECOND)
    rows = strata.rows("plain", ROWS, "switching")
    found = Switched()
    steady: dict[str, list[float]] = {}
    for version in ("v1", "v2"):
        found.switches.append(switch(bench, version))
        steady[version], seconds = steady_answers(strata, rows)
    found.differ = _differ(steady["v1"], steady["v2"])
    if found.works:
        requests, order = _load(strata, rows, seconds)
        exchanges, switches = _run(bench, requests)
        found.switches += switches
        judge(found, exchanges, order, steady, switches)
        found.unknown = _unknown_refused(bench)
    return found


def _differ(one: Sequence[float], other: Sequence[float]) -> bool:
    return sum(abs(first - second) > ALIKE for first, second in zip(one, other, strict=True)) > len(one) / 2


def _load(strata: Strata, rows: Sequence[Row], seconds: float) -> tuple[list[Request], list[dict[str, int]]]:
    """Make as many batches as last for some seconds; of each remember which of its ids is which row."""
    count = max(12, min(MOST_BATCHES, int(LOAD_SECONDS / max(seconds, 1e-3))))
    requests, order = [], []
    for _ in range(count):
        named = [strata.names.rename(row) for row in rows]
        requests.append(batch(named))
        order.append({id_of(row): place for place, row in enumerate(named)})
    return requests, order


def _run(bench: Bench, requests: Sequence[Request]) -> tuple[list[Exchange], list[Switch]]:
    switches = []
    with bench.service.background(requests, concurrency=CONCURRENCY, seconds=90.0) as running:
        began = monotonic()
        for number in range(SWITCHES):
            bench.service.let_run(PAUSE)
            switches.append(switch(bench, VERSIONS[number % 2], began))
    return list(running.exchanges), switches


def _unknown_refused(bench: Bench) -> bool:
    """SWITCHES is even, so v2 is active now. Paths that lead to a version are no version's name."""
    refused = all(bench.once(activate(name)).status == 409 for name in ("v7", "./v1", "v2/../v1"))
    ready = object_of(bench.once_ready())
    if refused and ready.get("model_version") == VERSIONS[(SWITCHES - 1) % 2]:
        return True
    bench.spoil()  # what it serves now is nobody's version
    return False


def judge(
    found: Switched,
    exchanges: Sequence[Exchange],
    order: Sequence[Mapping[str, int]],
    steady: Mapping[str, Sequence[float]],
    switches: Sequence[Switch],
) -> None:
    """Judge every batch of a load."""
    found.total = len(exchanges)
    for exchange in exchanges:
        if not answered(exchange):
            found.failures.append(how(exchange))
            continue
        version = version_of(prediction(exchange), order[exchange.request], steady)
        if version is None:
            found.mixed += 1
            continue
        expected = _expected(exchange, switches)
        found.judged += expected is not None
        found.stale += expected not in (None, version)


def version_of(
    answer: Mapping[str, Any], order: Mapping[str, int], steady: Mapping[str, Sequence[float]]
) -> str | None:
    """Return the one version that a batch names and whose numbers it holds; None where there is none."""
    version = answer.get("model_version")
    listed = answer.get("results")
    if (
        not isinstance(version, str)
        or version not in steady
        or not isinstance(listed, list)
        or len(listed) != len(order)
    ):
        return None
    for each in listed:
        row = each if isinstance(each, dict) else {}
        place = order.get(str(row.get("request_id")))
        if place is None or row.get("model_version") != version:
            return None
        if not abs(probability(row) - steady[version][place]) <= ALIKE:
            return None
    return str(version)


def _expected(exchange: Exchange, switches: Sequence[Switch]) -> str | None:
    """Return the version that must have answered; None where either may have."""
    begin, end = exchange.began, exchange.began + exchange.seconds
    for number, each in enumerate(switches):
        following = switches[number + 1].asked if number + 1 < len(switches) else float("inf")
        if each.worked and begin > each.done + CLOCKS and end < following - CLOCKS:
            return each.version
    return None
