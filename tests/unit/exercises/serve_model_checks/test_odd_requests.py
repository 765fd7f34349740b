"""Odd requests are drawn from what a service publishes, and its answers are judged by that."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from standin import StandIn, exchange


@pytest.fixture(scope="module")
def published(checks):
    answer = {"type": "object", "properties": {name: {} for name in checks.calls.FIELDS}, "required": ["probability"]}
    body = {"type": "object", "properties": {"amount": {"type": "number"}, "tz": {"type": "string"}}}

    def content(schema):
        return {"content": {"application/json": {"schema": schema}}}

    operation = {"requestBody": content(body), "responses": {"200": content(answer)}}
    return checks.openapi.Published({"paths": {"/v1/predict": {"post": operation}}})


ROWS = [
    {
        "request_id": "x", "ts": "2025-03-01T12:00:00Z", "tz": "UTC", "amount": 1.5, "currency": "EUR",
        "income": None, "segment": "retail", "customer_id": place,
    }
    for place in range(40)
]  # fmt: skip


@pytest.fixture(scope="module")
def cases(checks, published):
    return checks.grammar.draw(ROWS, published, 7)


def test_odd_requests_are_the_same_for_a_seed(checks, published, monkeypatch):
    monkeypatch.setattr(checks.grammar, "FROM_SCHEMA", 10)
    monkeypatch.setattr(checks.grammar, "FROM_GRAMMAR", 20)
    one, again, other = (checks.grammar.draw(ROWS, published, seed) for seed in (7, 7, 8))
    assert one == again
    assert one != other


def test_odd_requests_are_of_all_kinds(checks, cases):
    assert 250 <= len(cases) <= 300
    assert sum(case.valid for case in cases) > 10
    assert {case.path for case in cases} > {"/v1/predict", "/v1/predict_batch", "/admin/activate"}
    names = checks.calls.Names("g")
    bodies = [case.request(names).body for case in cases if case.valid]
    ids = {json.loads(body)["request_id"] for body in bodies}
    assert len(ids) == len(bodies)
    assert b"@id@" not in b"".join(bodies)


@pytest.fixture
def fuzzed(checks, published, cases):
    def judge(answer, deaths=()):
        exchanges = [exchange(*answer(case), number=place) for place, case in enumerate(cases)]
        return checks.fuzzing.judged(cases, exchanges, published, list(deaths))

    return judge


def test_a_service_that_answers_as_published_earns_all(checks, fuzzed):
    whole = dict.fromkeys(checks.calls.FIELDS, 1)
    found = fuzzed(lambda case: (200, whole) if case.valid else (422, {}))
    assert found.share == 1
    assert fuzzed(lambda case: (422, {})).share == 0, "refusing everything is no answer"
    half = fuzzed(lambda case: (200, {}) if case.valid else (422, {}))
    assert half.share == 0.5
    assert fuzzed(lambda case: (200, whole) if case.valid else (422, {}), ["it"]).share == 0.5


def test_internal_errors_cost_half_and_the_shortest_request_is_shown(checks, cases, fuzzed):
    whole = dict.fromkeys(checks.calls.FIELDS, 1)
    found = fuzzed(lambda case: (200, whole) if case.valid else (500, {}))
    assert found.share == 0.5
    wrong = [f"{case.method} {case.path} ".encode() + case.body for case in cases if not case.valid]
    assert len(found.shortest) == min(map(len, wrong))
    assert "status 500" in found.evidence["broke with"]


def test_a_service_that_takes_up_any_version_answers_the_other_odd_requests(checks, published, tmp_path):
    whole = dict.fromkeys(checks.calls.FIELDS, 1)
    lacks_model = []

    def answer(request):
        if request.path == checks.calls.ACTIVATE and request.method == "POST":
            lacks_model.append(True)
            return 200, {}
        return (500, {}) if lacks_model else (200, whole)

    bench = checks.bench.Bench(StandIn(answer), tmp_path)
    names = checks.calls.Names("g")
    strata = SimpleNamespace(rows=lambda *_: ROWS, predicts=True, names=names)
    found = checks.fuzzing.fuzz(bench, strata, published, 7)
    assert found.valid == 1
    assert not [how for how in found.broken if "500" in how]
