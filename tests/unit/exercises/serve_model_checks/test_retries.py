"""Requests that come again: what a service must remember, count and log, and what each mistake costs.

Each mistake is made by a small service that has no other.
"""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest
from standin import StandIn, exchange

ROW = {
    "request_id": "", "ts": "2025-03-01T12:00:00Z", "tz": "UTC", "amount": 1.5, "currency": "EUR", "income": None,
    "segment": "retail", "customer_id": 7,
}  # fmt: skip
REVIEW = 0.05


class Remembering:
    """Answers as the brief says, but for its mistakes."""

    def __init__(self, version="v2", mistakes=()):
        self.version, self.mistakes = version, set(mistakes)
        self.known, self.used_up, self.lines = {}, {}, []
        self.requests = self.scored = 0

    def __call__(self, request):
        self.requests += 1
        if "forgets all" in self.mistakes:
            self.known.clear()
        if request.path == "/metrics":
            return (404, {}) if "no counter" in self.mistakes else (200, self._counters())
        body = json.loads(request.body)
        if request.path == "/admin/activate":
            return self._activate(body["version"])
        alone = request.path == "/v1/predict"
        rows = [body] if alone else body["rows"]
        if any(self.used_up.get(row["request_id"], row) != row for row in rows):
            return 409, {}
        if any(set(row) != set(ROW) or row["currency"] != "EUR" for row in rows):
            if "uses up ids" in self.mistakes:
                self.used_up |= {row["request_id"]: row for row in rows}
            return 422, {}
        if "rows one by one" not in self.mistakes and self._conflict(rows):
            return 409, {}
        answers = [self._one(row, alone) for row in rows]
        if None in answers:
            return 409, {}
        return 200, answers[0] if alone else {"model_version": self.version, "results": answers}

    def _counters(self):
        return f'predictions_total{{version="v1",decision="approve"}} {self.scored}\n'.encode()

    def _activate(self, version):
        if "no activation" in self.mistakes:
            return 404, {}
        self.version = version
        if "forgets at a switch" in self.mistakes:
            self.known.clear()
        return 200, {"model_version": version}

    def _conflict(self, rows):
        if self.mistakes & {"ids alone", "bodies are free"}:
            return False
        bodies = {name: body for name, (body, _) in self.known.items()}
        if "looks at earlier ids" in self.mistakes:
            return any(bodies.get(row["request_id"], row) != row for row in rows)
        return any(bodies.setdefault(row["request_id"], row) != row for row in rows)

    def _one(self, row, alone):
        name = row["request_id"]
        body, answer = self.known.get(name, (None, None))
        if body is not None and body != row and self.mistakes & {"rows one by one", "looks at earlier ids"}:
            return None
        by_body = "bodies are free" in self.mistakes
        if answer is None or (by_body and body != row):
            answer = self._score(row)
            self.known[name] = row, answer
            self._log(row, answer, alone)
            self.scored += 1
        elif "logs again" in self.mistakes:
            self._log(row, answer, alone)
        if "scores again" in self.mistakes:
            return self._score(row) | {"prediction_id": answer["prediction_id"]}
        return answer

    def _score(self, row):
        probability = row["amount"] / (1_000 if self.version == "v1" else 2_000)
        return {
            "request_id": row["request_id"],
            "prediction_id": f"p-{json.dumps(row, sort_keys=True)}",
            "model_version": self.version,
            "probability": probability,
            "decision": "review" if probability >= REVIEW else "approve",
        }

    def _log(self, row, answer, alone):
        if "logs single ones" in self.mistakes and not alone:
            return
        change = {"decision": "approve"} if "logs one decision" in self.mistakes else {}
        self.lines.append(json.dumps(answer | {"features": {"amount": row["amount"]}} | change))


@pytest.fixture
def strata_of(checks, tmp_path):
    def make(handler):
        service = StandIn(handler)
        names = checks.calls.Names("g")

        def rows(stratum, count, purpose):
            return [{**ROW, "request_id": names.next(), "amount": 1.5 + 2 * number} for number in range(count)]

        service.files = lambda pattern: {"predictions.jsonl": 1} if handler.lines else {}
        service.read = lambda name, cap: "\n".join(handler.lines).encode()
        return SimpleNamespace(bench=checks.bench.Bench(service, tmp_path), names=names, rows=rows)

    return make


def test_what_remembers_counts_and_undoes_earns_all(checks, strata_of):
    service = Remembering()
    found = checks.counting.repeat(strata_of(service))
    assert found.share == 1, found
    assert service.version == "v2", "the version is that of before"
    assert "After an activation 100%" in found.because
    assert service.requests < 110


@pytest.mark.parametrize(
    ("mistakes", "part", "value", "share"),
    [
        (["rows one by one"], "undone", 0, 0.85),
        (["looks at earlier ids"], "undone", 0.5, 0.925),
        (["rows one by one", "no counter"], "undone", 0, 0.67),
        (["uses up ids"], "free", 0, 0.9),
        (["forgets at a switch"], "switched", 0, 0.85),
        (["scores again"], "switched", 0, 0.85),
        (["no activation"], "switched", 0, 0.85),
        (["no counter"], "counted_once", False, 0.82),
        (["ids alone"], "conflict", 0, 0),
        (["bodies are free"], "conflict", 0, 0),
    ],
)
def test_a_mistake_costs_its_part(checks, strata_of, mistakes, part, value, share):
    found = checks.counting.repeat(strata_of(Remembering(mistakes=mistakes)))
    assert getattr(found, part) == value
    assert found.share == pytest.approx(share)


def test_all_three_mistakes_cost_two_fifths(checks, strata_of):
    mistakes = ["rows one by one", "uses up ids", "forgets at a switch"]
    found = checks.counting.repeat(strata_of(Remembering(mistakes=mistakes)))
    assert (found.undone, found.free, found.switched) == (0, 0, 0)
    assert found.share == pytest.approx(0.6)


def test_an_id_that_is_free_and_was_counted_was_not_undone(checks, strata_of):
    class Counting(Remembering):
        def _conflict(self, rows):
            self.scored += len(rows)
            return super()._conflict(rows)

    found = checks.counting.repeat(strata_of(Counting()))
    assert found.undone == 0
    assert found.free == 1


def test_a_batch_must_be_refused_with_409_to_be_undone(checks, strata_of):
    class Otherwise(Remembering):
        def __call__(self, request):
            status, answer = super().__call__(request)
            return (422 if status == 409 and request.path == checks.calls.BATCH else status), answer

    found = checks.counting.repeat(strata_of(Otherwise()))
    assert (found.conflict, found.undone, found.free) == (0.75, 0, 1)


@pytest.mark.parametrize("wrong", ["amount", "currency", "rows"])
def test_each_kind_of_wrong_request_leaves_its_id_free(checks, strata_of, wrong):
    class Using(Remembering):
        def __call__(self, request):
            found = super().__call__(request)
            if found[0] == 422:
                body = json.loads(request.body)
                kind = "rows" if "rows" in body else "currency" if "amount" in body else "amount"
                self.used_up |= {row["request_id"]: row for row in body.get("rows", [body]) if kind == wrong}
            return found

    assert checks.counting.repeat(strata_of(Using())).free == (0.5 if wrong == "rows" else 0.75)


def test_without_any_refusal_of_other_bodies_nothing_more_is_asked(checks, strata_of):
    service = Remembering(mistakes=["ids alone"])
    found = checks.counting.repeat(strata_of(service))
    assert service.version == "v2"
    assert service.requests < 80
    assert "activation" not in found.because


@pytest.mark.parametrize("name", ["request_id", "prediction_id", "model_version", "probability", "decision"])
def test_an_answer_that_is_given_again_is_the_same_in_all_fields(checks, name):
    answer = Remembering()._score(ROW | {"request_id": "g-1"})
    same = checks.counting.same_answer
    assert same(answer, dict(answer))
    assert same(answer, answer | {"probability": answer["probability"] + 1e-15})
    assert not same(answer, answer | {name: 0.5 if name == "probability" else "another"})
    assert not same(answer, {})
    assert not same({}, {})


@pytest.fixture
def traced(checks, strata_of, monkeypatch):
    artefacts = SimpleNamespace(meta={"features": ["amount"]})
    monkeypatch.setattr(checks.logbook, "artefacts", lambda folder, version: artefacts)
    monkeypatch.setattr(
        checks.logbook, "from_features", lambda folder, rows, version: np.array([row["amount"] / 1_000 for row in rows])
    )

    def make(handler):
        return checks.logbook.trace(strata_of(handler), None)

    return make


def test_predictions_alone_in_batches_and_repeated_are_looked_for(traced):
    service = Remembering("v1")
    found = traced(service)
    assert found.share == 1
    assert not found.problems
    assert (len(found.alone), len(found.together), len(found.twice)) == (22, 23, 5)
    assert len(service.lines) == len(found.right) == 50


def test_who_logs_single_predictions_alone_loses_half(traced):
    found = traced(Remembering("v1", ["logs single ones"]))
    assert found.share == pytest.approx(0.45 + 0.06)
    assert "0% of those in a batch" in found.because


def test_a_repetition_that_is_logged_again_costs_a_little(traced):
    found = traced(Remembering("v1", ["logs again"]))
    assert found.share == pytest.approx(0.9)
    assert found.doubled == found.twice


def test_a_log_that_is_written_late_has_repetitions_before_the_last_predictions(traced):
    service = Remembering("v1", ["logs again"])
    traced(service)
    names = [json.loads(line)["request_id"] for line in service.lines]
    assert len(set(names[-22:]) - set(names[:-22])) == 22
    assert len(names) - len(set(names)) == 5


def test_the_decision_that_is_logged_is_the_one_answered(traced):
    found = traced(Remembering("v1", ["logs one decision"]))
    assert 0 < len(found.right) < 50
    assert set(found.problems) == {"the decision is another one"}


def test_one_line_of_each_half_may_be_missing(checks):
    alone, together = ({f"{half}{number}" for number in range(25)} for half in "ab")
    whole = checks.logbook.Trace(alone=alone, together=together, twice={"c"}, right=alone | together | {"c"})
    assert whole.share == 1
    whole.right -= {"a1", "b1"}
    assert whole.share == 1
    whole.right -= {"a2", "a3"}
    assert 0.9 < whole.share < 1


class Measuring:
    """What memory is measured with, on a stand-in."""

    def __init__(self, strata):
        self.names, self._rows = strata.names, strata.rows
        self.bench = strata.bench
        self.bench.service.usage = lambda: (0, 100)

    def rows(self, count, purpose):
        return self._rows("mixed", count, purpose)


@pytest.mark.parametrize(
    ("mistakes", "remembered"), [([], 1), (["bodies are free"], 0), (["ids alone"], 1), (["forgets all"], 0)]
)
def test_what_has_no_memory_but_ids_made_of_bodies_is_told(checks, strata_of, monkeypatch, mistakes, remembered):
    monkeypatch.setattr(checks.busy, "REQUESTS", 500)
    found = checks.busy.memory_growth(Measuring(strata_of(Remembering(mistakes=mistakes))))
    assert found.remembered == remembered
    assert found.answered == 1


FIRST, NEW = {"prediction_id": "p", "probability": 0.2}, {"prediction_id": "q", "probability": 0.3}


@pytest.mark.parametrize(
    ("others", "remembered"),
    [
        ([(409, {}), (409, {})], 1),
        ([(409, {}), (200, NEW)], 0.5),
        ([(200, FIRST), (200, FIRST | {"probability": 0.3})], 0.5),
        ([(422, {}), (0, None)], 0),
    ],
)
def test_another_body_under_an_early_id_must_be_noticed(checks, monkeypatch, others, remembered):
    early = [{"request_id": f"g-{number}", "amount": number} for number in range(16)]
    asked = []

    def exchanges(measured, rows):
        asked.append(rows)
        return [exchange(200, FIRST)] * len(rows) if rows is early else [exchange(*each) for each in others]

    monkeypatch.setattr(checks.busy, "_exchanges", exchanges)
    assert checks.busy.remembered_of(None, early, [FIRST] * 16) == remembered
    assert asked[1] == [{"request_id": "g-0", "amount": 15}, {"request_id": "g-1", "amount": 14}]


def test_ids_that_are_new_each_time_are_not_remembered(checks, monkeypatch):
    early = [{"request_id": f"g-{number}"} for number in range(16)]
    monkeypatch.setattr(checks.busy, "_exchanges", lambda measured, rows: [exchange(409)] * len(rows))
    assert checks.busy.remembered_of(None, early, [FIRST] * 16) == 0
    monkeypatch.setattr(checks.busy, "_exchanges", lambda measured, rows: [exchange(200, {})] * len(rows))
    assert checks.busy.remembered_of(None, early, [{}] * 16) == 0
