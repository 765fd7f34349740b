"""Counters of the service beside the checker's own log, and requests that come twice."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench import MAIN, SECOND, Bench
from calls import (
    BATCH,
    FIELDS,
    METRICS,
    PREDICT,
    Names,
    Row,
    answered,
    batch,
    get,
    post,
    predict,
    prediction,
    probability,
    results,
)
from parity import SAME, Strata
from prometheus import Labels, Metrics, NotMetrics, read
from switching import switch

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
    """What came of requests that were made more than once; each a share of those tried.

    Attributes:
        same: The first answer came again.
        at_once: One id for all, when they came at the same moment.
        in_batch: The first answer came again in a batch.
        conflict: Another body under a known id was refused.
        counted_once: Repeated requests were not counted again.
        counted: What was counted, in words.
        undone: Nothing was left of a batch that was refused for one of its ids.
        switched: The first answer came again after another version was activated.
        free: An id was free after a wrong request with it was refused.
    """

    same: float = 0.0
    at_once: float = 0.0
    in_batch: float = 0.0
    conflict: float = 0.0
    counted_once: bool = False
    counted: str = ""
    undone: float = 0.0
    switched: float = 0.0
    free: float = 0.0

    @property
    def share(self) -> float:
        """Share of the points: an id that stands for two bodies spoils all of it."""
        parts = 0.21 * self.same + 0.09 * self.at_once + 0.12 * self.in_batch + 0.18 * self.counted_once
        parts += 0.15 * self.undone + 0.15 * self.switched + 0.1 * self.free
        return min(1.0, round(self.conflict * parts, 9))

    @property
    def because(self) -> str:
        """Say it in a few sentences."""
        told = f"{self.same:.0%} of repeated requests got their first answer, {self.in_batch:.0%} in a batch; of those "
        told += f"that came at once {self.at_once:.0%} got one id. Of other bodies under a known id "
        told += f"{self.conflict:.0%} were refused."
        if not self.conflict:
            return told
        told += f" After an activation {self.switched:.0%} got their first answer. Batches that were refused left "
        return told + f"nothing behind in {self.undone:.0%} of the cases, other refusals in {self.free:.0%}."


def repeat(strata: Strata) -> Repeated:
    """Make requests twice, at once, in batches, with another body, after a refusal, and after a switch of versions."""
    bench = strata.bench
    rows = [row for row in strata.rows("mixed", TWICE, "twice") if not isinstance(row, str)]
    before = _predictions(bench)
    first = _answers(bench, rows)
    known = sum(bool(each.get("prediction_id")) for each in first)
    found = Repeated()
    again = [rewritten(row) if place % 2 else row for place, row in enumerate(rows)]
    found.same = _equal(first, _answers(bench, again))
    found.in_batch = _equal(first, _in_batch(bench, rows))
    after = _predictions(bench)
    if before is not None and after is not None:
        found.counted_once = after - before == known > 0
        found.counted = f"{after - before:.0f} for {len(rows)} different requests, each made several times"
    found.at_once = _at_once(strata)
    found.conflict = _conflicts(bench, rows, strata.names) if known else 0.0
    if found.conflict:  # without it, nothing else counts
        found.undone = _undone(bench, rows, strata.names)
        found.free = _free(bench, rows, strata.names)
        found.switched = _after_switch(bench, rows, first)
    return found


def rewritten(row: Mapping[str, Any]) -> str:
    """Write an equal body in another way: order of the fields, spaces, how a number is written."""
    fields = [f"{json.dumps(name)} :  {_in_another_way(value)}" for name, value in reversed(row.items())]
    return "{\n " + " ,".join(fields) + "}"


def _in_another_way(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.17e}"
    return json.dumps(value)


def _answers(bench: Bench, rows: Sequence[Row]) -> list[dict[str, Any]]:
    return [prediction(each) for each in bench.ask(*(predict(row) for row in rows), stage=SECOND)]


def _in_batch(bench: Bench, rows: Sequence[Row]) -> list[dict[str, Any]]:
    return results(bench.ask(batch(rows), stage=SECOND)[0], len(rows))


def _equal(first: Sequence[Mapping[str, Any]], second: Sequence[Mapping[str, Any]]) -> float:
    return sum(same_answer(one, other) for one, other in zip(first, second, strict=True)) / len(first)


def same_answer(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Tell whether an answer was given again: all of its fields, the probability as exactly as in a batch."""
    if not one.get("prediction_id") or not abs(probability(one) - probability(other)) <= SAME:
        return False
    return all(one.get(name) == other.get(name) for name in FIELDS - {"probability"})


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
    changed = [_other(row) for row in rows[:4]]
    changed += [{**row, "segment": "something else"} for row in rows[4:6]]
    requests = [predict(row) for row in changed] + [batch([changed[0], changed[1]]), batch(_twice(rows[-1], names))]
    return sum(answered(each, 409) for each in bench.ask(*requests, stage=SECOND)) / len(requests)


def _other(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return another body under the same id."""
    return {**row, "amount": row["amount"] + 1}


def _twice(row: Mapping[str, Any], names: Names) -> list[dict[str, Any]]:
    """Return two bodies under one new id."""
    renamed = {**row, "request_id": names.next()}
    return [renamed, _other(renamed)]


def _undone(bench: Bench, rows: Sequence[dict[str, Any]], names: Names) -> float:
    """Return the share of batches that leave nothing when they are refused, for an id used before or for one in them.

    New rows come first: what takes up one row after the other has them when it comes to the id.
    """
    one, two = ({**row, "request_id": names.next()} for row in rows[:2])
    twice = _twice(rows[2], names)
    before = _leaves_nothing(bench, [one, _other(rows[0])], [one])
    return (before + _leaves_nothing(bench, [two, *twice], [two, twice[0]])) / 2


def _leaves_nothing(bench: Bench, rows: Sequence[dict[str, Any]], new: Sequence[dict[str, Any]]) -> float:
    """Return the share of new ids that are free after a batch was refused, which must not have been counted either."""
    before = _predictions(bench)
    refused = bench.ask(batch(rows), stage=SECOND)[0]
    counted = _predictions(bench) != before  # where there is no counter, the ids alone tell
    later = bench.ask(*(predict(_other(_other(row))) for row in new), stage=SECOND)
    return answered(refused, 409) * (not counted) * sum(answered(each) for each in later) / len(later)


def _free(bench: Bench, rows: Sequence[dict[str, Any]], names: Names) -> float:
    """Return the share of ids that can be used once a wrong request, or a batch with a wrong row, was refused."""
    right = [{**row, "request_id": names.next()} for row in rows[:4]]
    wrong = [{**row, "currency": "none"} for row in right]
    lacking = {name: value for name, value in right[1].items() if name != "amount"}
    refused = bench.ask(predict(wrong[0]), predict(lacking), batch([right[2], wrong[3]]), stage=SECOND)
    later = bench.ask(*(predict(_other(row)) for row in right), stage=SECOND)
    pairs = zip([*refused, refused[-1]], later, strict=True)
    return sum(400 <= before.status < 500 and answered(after) for before, after in pairs) / len(right)


def _after_switch(bench: Bench, rows: Sequence[dict[str, Any]], first: Sequence[Mapping[str, Any]]) -> float:
    """Return the share of rows that get their first answer again, alone or in a batch, while another version is served.

    It ends with the version that the stage began with.
    """
    half = len(rows) // 2
    there = switch(bench, MAIN.version)
    again = _answers(bench, rows[:half]) + _in_batch(bench, rows[half:])
    switch(bench, SECOND.version)
    return _equal(first, again) * there.worked


def _predictions(bench: Bench) -> float | None:
    try:
        return scrape(bench).value(PREDICTIONS)
    except SubmissionFailed:
        return None
