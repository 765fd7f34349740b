"""Counters of the service beside the checker's own log, and requests that come twice."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench import SECOND, Bench
from calls import BATCH, METRICS, PREDICT, Names, Row, answered, batch, get, post, predict, prediction, results
from parity import Strata
from prometheus import Labels, Metrics, NotMetrics, read

from grader.checker.api import Reason, SubmissionFailed
from grader.checker.http import Request

REQUESTS, PREDICTIONS, DURATION = "http_requests_total", "predictions_total", "http_request_duration_seconds"
SINGLES, ROWS, WRONG, STRANGE, TWICE = 40, 30, 6, 12, 12
MOST_NEW_SERIES = 8


def scrape(bench: Bench) -> Metrics:
    """Read the counters.

    Raises:
        SubmissionFailed: They are not there, or not in the format.
    """
    exchange = bench.ask(get(METRICS), stage=SECOND)[0]
    if not answered(exchange):
        raise SubmissionFailed(Reason.MISSING_OUTPUT, f"GET {METRICS} was answered with status {exchange.status}.")
    try:
        return read(exchange.body.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise SubmissionFailed(Reason.FORMAT, "The metrics are not UTF-8 text.") from error
    except NotMetrics as error:
        raise SubmissionFailed(Reason.FORMAT, f"The metrics are not in Prometheus' text format: {error}.") from error


@dataclass(slots=True, kw_only=True)
class Counted:
    """Counters beside our own log: by what is counted, expected and found; series that were added by our requests."""

    expected: dict[str, float] = field(default_factory=dict)
    found: dict[str, float] = field(default_factory=dict)
    new_series: int = 0
    example: str = ""

    @property
    def agree(self) -> float:
        """Share of the counters that agree."""
        good = sum(self.found[name] == value for name, value in self.expected.items())
        return good / max(len(self.expected), 1)

    @property
    def bounded(self) -> bool:
        """No label grows with requests."""
        return self.new_series <= MOST_NEW_SERIES


def count(strata: Strata) -> Counted:
    """Make known requests between two looks at the counters."""
    bench = strata.bench
    scrape(bench)
    _traffic(strata, "before")  # so that all series which honest labels can have are there
    before = scrape(bench)
    own, decisions = _traffic(strata, "counted")
    after = scrape(bench)
    counted = Counted()
    for (route, status), number in own.items():
        _compare(counted, before, after, REQUESTS, number, route=route, status=status)
    for (version, decision), number in decisions.items():
        _compare(counted, before, after, PREDICTIONS, number, version=version, decision=decision)
    for route in (PREDICT, BATCH):
        number = sum(each for (name, _), each in own.items() if name == route)
        _compare(counted, before, after, f"{DURATION}_count", number, route=route)
    added = [name for name in after.samples if name not in before.samples]
    counted.new_series = len(added)
    counted.example = _written(*added[0]) if added else ""
    return counted


def _written(name: str, labels: Labels) -> str:
    """Write a series as the format does."""
    written = ",".join(f'{key}="{value}"' for key, value in sorted(labels))
    return f"{name}{{{written}}}"[:200]


def _compare(counted: Counted, before: Metrics, after: Metrics, name: str, number: float, **labels: str) -> None:
    what = f"{name} {', '.join(labels.values())}"
    counted.expected[what] = number
    counted.found[what] = after.value(name, **labels) - before.value(name, **labels)


def _traffic(strata: Strata, purpose: str) -> tuple[Counter[tuple[str, str]], Counter[tuple[str, str]]]:
    """Send requests of many kinds; return what should be counted, from our own side."""
    bench, names = strata.bench, strata.names
    rows = strata.rows("mixed", SINGLES, f"count/{purpose}")
    many = strata.rows("mixed", ROWS, f"count in batches/{purpose}")
    singles = [predict(row) for row in rows]
    wrong = [post(PREDICT, "{}") for _ in range(WRONG)]
    strange = [get(f"/nothing/{names.next()}") for _ in range(STRANGE)]
    requests: list[tuple[str, Request]] = [(PREDICT, each) for each in singles + wrong]
    requests += [(BATCH, batch(many))] + [("", each) for each in strange]
    exchanges = bench.send([request for _, request in requests], concurrency=4, stage=SECOND)
    own: Counter[tuple[str, str]] = Counter()
    for (route, _), exchange in zip(requests, exchanges, strict=True):
        if route and exchange.status:
            own[route, f"{exchange.status // 100}xx"] += 1
    answers = [prediction(each) for each in exchanges[:SINGLES]] + results(exchanges[SINGLES + WRONG], len(many))
    return own, Counter((str(each["model_version"]), str(each["decision"])) for each in answers if _usable(each))


def _usable(answer: dict[str, Any]) -> bool:
    return isinstance(answer.get("model_version"), str) and isinstance(answer.get("decision"), str)


@dataclass(slots=True, kw_only=True)
class Repeated:
    """What came of requests that were made more than once; each a share of those tried."""

    same: float = 0.0
    at_once: float = 0.0
    in_batch: float = 0.0
    conflict: float = 0.0
    counted_once: bool = False
    counted: str = ""

    @property
    def share(self) -> float:
        """Share of the points: an id that stands for two bodies spoils all of it."""
        parts = 0.35 * self.same + 0.15 * self.at_once + 0.2 * self.in_batch + 0.3 * self.counted_once
        return round(self.conflict * parts, 9)


def repeat(strata: Strata) -> Repeated:
    """Make requests twice, at once, in batches, and with another body."""
    bench = strata.bench
    rows = [row for row in strata.rows("mixed", TWICE, "twice") if not isinstance(row, str)]
    before = _predictions(bench)
    first = _ids(bench, rows)
    found = Repeated()
    found.same = _equal(first, _ids(bench, [rewritten(row) if place % 2 else row for place, row in enumerate(rows)]))
    whole = bench.ask(batch(rows), stage=SECOND)[0]
    found.in_batch = _equal(first, [str(each.get("prediction_id", "")) for each in results(whole, len(rows))])
    after = _predictions(bench)
    if before is not None and after is not None:
        found.counted_once = after - before == sum(map(bool, first)) and any(first)
        found.counted = f"{after - before:.0f} for {len(rows)} different requests, each made several times"
    found.at_once = _at_once(strata)
    found.conflict = _conflicts(bench, rows, strata.names) if any(first) else 0.0
    return found


def rewritten(row: Mapping[str, Any]) -> str:
    """Write an equal body in another way: order of the fields, spaces, how a number is written."""
    fields = [f"{json.dumps(name)} :  {_in_another_way(value)}" for name, value in reversed(row.items())]
    return "{\n " + " ,".join(fields) + "}"


def _in_another_way(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.17e}"
    return json.dumps(value)


def _ids(bench: Bench, rows: Sequence[Row]) -> list[str]:
    exchanges = bench.ask(*(predict(row) for row in rows), stage=SECOND)
    return [str(prediction(each).get("prediction_id", "")) for each in exchanges]


def _equal(first: Sequence[str], second: Sequence[str]) -> float:
    return sum(bool(one) and one == other for one, other in zip(first, second, strict=True)) / len(first)


def _at_once(strata: Strata) -> float:
    """Return the share of rows that get one id when they come four times at the same moment."""
    rows = strata.rows("mixed", 6, "at once")
    copies = [predict(row) for row in rows for _ in range(4)]
    exchanges = strata.bench.send(copies, concurrency=4, stage=SECOND)
    ids = [str(prediction(each).get("prediction_id", "")) for each in exchanges]
    groups = [set(ids[start : start + 4]) for start in range(0, len(ids), 4)]
    return sum(len(group) == 1 and "" not in group for group in groups) / len(groups)


def _conflicts(bench: Bench, rows: Sequence[dict[str, Any]], names: Names) -> float:
    """Return the share of other bodies under a known id that are refused."""
    changed = [{**row, "amount": row["amount"] + 1} for row in rows[:4]]
    changed += [{**row, "segment": "something else"} for row in rows[4:6]]
    requests = [predict(row) for row in changed] + [batch([changed[0], changed[1]]), batch(_twice(rows[-1], names))]
    return sum(answered(each, 409) for each in bench.ask(*requests, stage=SECOND)) / len(requests)


def _twice(row: Mapping[str, Any], names: Names) -> list[dict[str, Any]]:
    """Return two bodies under one new id."""
    renamed = {**row, "request_id": names.next()}
    return [renamed, {**renamed, "amount": row["amount"] + 1}]


def _predictions(bench: Bench) -> float | None:
    try:
        return scrape(bench).value(PREDICTIONS)
    except SubmissionFailed:
        return None
