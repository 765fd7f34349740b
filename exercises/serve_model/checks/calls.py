"""Requests as the brief words them, and answers as data to be judged."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from grader.checker.http import Exchange, Request
from grader.frames import BrokenFrame, strict_json

PREDICT, BATCH, ACTIVATE = "/v1/predict", "/v1/predict_batch", "/admin/activate"
HEALTH, READY, METRICS, OPENAPI = "/health", "/ready", "/metrics", "/openapi.json"
FIELDS = frozenset({"request_id", "prediction_id", "model_version", "probability", "decision"})
BATCH_FIELDS = frozenset({"model_version", "results"})
DECISIONS = frozenset({"approve", "review"})
MOST_ROWS = 512

Row = Mapping[str, Any] | str
"""One request: a mapping, or JSON text where how a number is written matters."""


class Names:
    """Gives every request an id of its own, so that no answer can come from a cache of ids.

    Args:
        prefix: Tells this run's ids from those of others.
    """

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._count = 0

    def next(self) -> str:
        """Return an id that was not given before."""
        self._count += 1
        return f"{self._prefix}-{self._count:06d}"

    def rename(self, row: Row) -> Row:
        """Return the row under a new id."""
        if isinstance(row, str):
            old = json.dumps(json.loads(row)["request_id"])
            return row.replace(old, json.dumps(self.next()), 1)
        return {**row, "request_id": self.next()}


def id_of(row: Row) -> str:
    """Return a row's request id."""
    return str((json.loads(row) if isinstance(row, str) else row)["request_id"])


def text(row: Row) -> str:
    """Write a row as JSON."""
    return row if isinstance(row, str) else json.dumps(row, ensure_ascii=False)


def post(path: str, body: str | bytes, content_type: str = "application/json") -> Request:
    """Make a POST request."""
    raw = body.encode() if isinstance(body, str) else body
    return Request(method="POST", path=path, body=raw, headers={"content-type": content_type} if content_type else {})


def get(path: str) -> Request:
    """Make a GET request."""
    return Request(method="GET", path=path)


def predict(row: Row) -> Request:
    """Ask for one prediction."""
    return post(PREDICT, text(row))


def batch(rows: Iterable[Row]) -> Request:
    """Ask for several predictions at once."""
    return post(BATCH, f'{{"rows": [{", ".join(map(text, rows))}]}}')


def names_version(request: Request) -> bool:
    """Tell whether an activation names one of the versions that there are."""
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        return False
    return isinstance(body, dict) and body.get("version") in ("v1", "v2")


def activate(version: str) -> Request:
    """Ask for another version."""
    return post(ACTIVATE, json.dumps({"version": version}))


def batches(rows: Sequence[Row], size: int = MOST_ROWS) -> list[Request]:
    """Ask for many predictions, in as few requests as are allowed."""
    return [batch(rows[start : start + size]) for start in range(0, len(rows), size)]


def document(exchange: Exchange) -> Any:
    """Return the answer as strict JSON; None when it is none."""
    try:
        return strict_json(exchange.body)
    except BrokenFrame:
        return None


def object_of(exchange: Exchange) -> dict[str, Any]:
    """Return the answer as a JSON object; an empty one when it is none."""
    found = document(exchange)
    return found if isinstance(found, dict) else {}


def answered(exchange: Exchange, status: int = 200) -> bool:
    """Tell whether a whole answer with this status came."""
    return exchange.status == status and not exchange.error


def prediction(exchange: Exchange) -> dict[str, Any]:
    """Return the answer to a prediction; an empty object when there is none."""
    return object_of(exchange) if answered(exchange) else {}


def results(exchange: Exchange, size: int) -> list[dict[str, Any]]:
    """Return the answers of a batch, as many as rows were sent; empty objects where there are none."""
    found = prediction(exchange).get("results")
    if not isinstance(found, list) or len(found) != size:
        return [{} for _ in range(size)]
    return [each if isinstance(each, dict) else {} for each in found]


def probability(answer: Mapping[str, Any]) -> float:
    """Return an answer's probability; not a number when there is none."""
    value = answer.get("probability")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return math.nan
    return float(value) if 0 <= value <= 1 else math.nan


HOW = {
    "refused": "connection refused",
    "reset": "connection closed without a whole answer",
    "timeout": "no answer in time",
    "too_large": "an answer that does not end",
}


def how(exchange: Exchange) -> str:
    """Say how a request ended."""
    if exchange.error or not exchange.status:
        return HOW.get(exchange.error, "an answer that is not HTTP")
    if answered(exchange) and exchange.headers.get("content-encoding", "identity") != "identity":
        return "a compressed answer that nobody asked for"
    return f"status {exchange.status}"


def tally(words: Iterable[str]) -> str:
    """Count equal words: "status 500 (3), no answer (1)"."""
    counts: dict[str, int] = {}
    for word in words:
        counts[word] = counts.get(word, 0) + 1
    return ", ".join(f"{word} ({count})" for word, count in sorted(counts.items(), key=lambda each: -each[1]))
