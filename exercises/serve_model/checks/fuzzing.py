"""Sends the property-based requests and judges all answers together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bench import MAIN, Bench
from calls import ACTIVATE, FIELDS, PREDICT, answered, document, how, tally
from grammar import Case, draw
from openapi import OverBudget, Published
from parity import FEW, Strata

from grader.checker.api import linear
from grader.checker.http import Exchange

BROKEN_LO, BROKEN_HI = 0.04, 0.0  # share of requests that may break the service
SCHEMA_LO, SCHEMA_HI = 0.50, 0.98
VALID_LO, VALID_HI = 0.50, 0.95


@dataclass(slots=True)
class Fuzzed:
    """What came of the requests.

    Attributes:
        total: Requests sent.
        broken: Requests that led to a server error or to no answer.
        shortest: The shortest of these.
        valid: Share of the right requests that got a prediction.
        checked: Answers for which a schema is published.
        off: How answers differ from the published schema.
        published: A useful schema is published for predictions.
        deaths: How often the process ended in this run, apart from what checks ask for.
    """

    total: int = 0
    broken: list[str] = field(default_factory=list)
    shortest: bytes = b""
    valid: float = 0.0
    checked: int = 0
    off: list[str] = field(default_factory=list)
    published: bool = False
    deaths: list[str] = field(default_factory=list)

    @property
    def share(self) -> float:
        """Share of the points: half for not breaking, half for answering as published."""
        steady = linear(len(self.broken) / max(self.total, 1), BROKEN_LO, BROKEN_HI) * (not self.deaths)
        matching = linear(1 - len(self.off) / max(self.checked, 1), SCHEMA_LO, SCHEMA_HI) * self.published
        return (steady + matching) / 2 * linear(self.valid, VALID_LO, VALID_HI)

    @property
    def because(self) -> str:
        """Say it in a few sentences."""
        told = f"{len(self.broken)} of {self.total} odd requests broke the service."
        told += f" {len(self.off)} of {self.checked} answers do not match the published description."
        if self.deaths:
            told += f" The process ended by itself {len(self.deaths)} times in this run."
        if not self.published:
            told += " The answer to a prediction is not described."
        if self.valid < VALID_HI:
            told += f" Credit is reduced, because only {self.valid:.0%} of the right requests got a prediction."
        return told

    @property
    def evidence(self) -> dict[str, object]:
        """Return what broke and what differs."""
        facts: dict[str, object] = {}
        if self.broken:
            facts["broke with"] = tally(self.broken)
            facts["shortest request that broke it"] = self.shortest[:300].decode("utf-8", "backslashreplace")
        differing = enumerate(dict.fromkeys(self.off[:40]), start=1)
        facts |= {f"answer unlike the description, {place}": words for place, words in differing}
        return facts | {f"the process ended, {place}": words for place, words in enumerate(self.deaths, start=1)}

    @property
    def metrics(self) -> dict[str, float]:
        """Return the raw measures."""
        return {"broken": float(len(self.broken)), "off schema": float(len(self.off)), "valid": self.valid}


def fuzz(bench: Bench, strata: Strata, published: Published, number: int) -> Fuzzed:
    """Draw, send, judge."""
    rows = [row for row in strata.rows("mixed", 40, "fuzz") if not isinstance(row, str)]
    # Whoever is told to take up a version that there is not may have no model afterwards. That is not asked here.
    cases = sorted(draw(rows, published, number), key=lambda case: (case.path, case.method) == (ACTIVATE, "POST"))
    if not strata.predicts:  # then nothing can be earned here, and odd requests may take long
        cases = cases[:FEW]
    exchanges = bench.send([each.request(strata.names) for each in cases], concurrency=4, stage=MAIN)
    return judged(cases, exchanges, published, bench.troubles.deaths)


def judged(cases: Sequence[Case], exchanges: Sequence[Exchange], published: Published, deaths: Sequence[str]) -> Fuzzed:
    """Judge the answers to all cases."""
    found = Fuzzed(total=len(cases), deaths=list(deaths))
    answer = published.resolve(published.response_schema("post", PREDICT, 200) or {})
    found.published = published.fields(answer) >= FIELDS
    right = [answered(each) for case, each in zip(cases, exchanges, strict=True) if case.valid]
    found.valid = sum(right) / len(right) if right else 0.0
    for case, exchange in zip(cases, exchanges, strict=True):
        if exchange.status >= 500 or not exchange.status or exchange.error:
            found.broken.append(how(exchange))
            whole = f"{case.method} {case.path} ".encode() + case.body
            if not found.shortest or len(whole) < len(found.shortest):
                found.shortest = whole
        else:
            _against_schema(found, case, exchange, published)
    return found


def _against_schema(found: Fuzzed, case: Case, exchange: Exchange, published: Published) -> None:
    path = case.path.partition("?")[0]
    schema = published.response_schema(case.method.lower(), path, exchange.status)
    if not schema or exchange.status == 204:
        return
    found.checked += 1
    value = document(exchange)
    try:
        words = (
            "no strict JSON" if value is None and exchange.body.strip() != b"null" else published.errors(value, schema)
        )
    except (OverBudget, RecursionError):
        words = "the published schema cannot be worked through"
    if words:
        found.off.append(f"{case.method} {path} {exchange.status}: {words}")
