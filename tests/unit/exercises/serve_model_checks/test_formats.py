"""Formats: metrics, published descriptions, locations of errors, equal bodies written in another way."""

from __future__ import annotations

import json

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from standin import exchange

GOOD = """# HELP http_requests_total Requests.
# TYPE http_requests_total counter
http_requests_total{route="/v1/predict",status="2xx"} 12
http_requests_total{route="/v1/predict",status="4xx"} 3
# TYPE seconds histogram
seconds_bucket{route="a",le="0.1"} 1
seconds_bucket{route="a",le="+Inf"} 3
seconds_sum{route="a"} 1.25
seconds_count{route="a"} 3
odd{text="a\\"b\\\\c\\n,}"} NaN 1700000000000
"""


def test_metrics_are_read_and_added_up(checks):
    found = checks.prometheus.read(GOOD)
    assert found.value("http_requests_total", route="/v1/predict") == 15
    assert found.value("http_requests_total", route="/v1/predict", status="4xx") == 3
    assert found.value("predictions_total") == 0
    assert frozenset({("text", 'a"b\\c\n,}')}) in {labels for name, labels in found.samples if name == "odd"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"2xx"} 12', '"2xx"} twelve'),
        ('"2xx"} 12', '"2xx"} -1'),
        ('status="4xx"', 'status="2xx"'),
        ('route="/v1/predict",status="4xx"', "route=/v1/predict"),
        ('le="+Inf"} 3', 'le="+Inf"} 0'),
        ('le="+Inf"', 'le="5"'),
        ('seconds_count{route="a"} 3', 'seconds_count{route="a"} 4'),
        ('seconds_sum{route="a"} 1.25\n', ""),
        ("counter\n", "sum\n"),
        ("# TYPE seconds histogram", "# TYPE http_requests_total counter"),
        ("# HELP", "<html>"),
    ],
)
def test_text_that_breaks_the_format_is_refused(checks, old, new):
    assert old in GOOD
    with pytest.raises(checks.prometheus.NotMetrics):
        checks.prometheus.read(GOOD.replace(old, new, 1))


def test_metrics_are_read_without_an_end_of_line_at_the_end(checks):
    whole = GOOD.replace(" NaN ", " 1 ")
    assert checks.prometheus.read(whole.rstrip()) == checks.prometheus.read(whole)


ROW = {
    "type": "object",
    "required": ["probability", "decision"],
    "additionalProperties": False,
    "properties": {
        "probability": {"type": "number", "minimum": 0, "maximum": 1},
        "decision": {"enum": ["approve", "review"]},
        "income": {"anyOf": [{"type": "number"}, {"type": "null"}]},
        "notes": {"type": "array", "items": {"type": "string", "maxLength": 3}, "maxItems": 2},
    },
}
answers = st.fixed_dictionaries(
    {},
    optional={
        "probability": st.sampled_from([0, 0.5, 1, 1.5, -1, True, "0.5", None]),
        "decision": st.sampled_from(["approve", "review", "no", 1, None]),
        "income": st.sampled_from([1, None, "1", False]),
        "notes": st.lists(st.sampled_from(["abc", "abcd", 1]), max_size=3) | st.none(),
        "more": st.integers(),
    },
)


@settings(deadline=None, max_examples=200)
@given(answers)
def test_answers_are_checked_as_a_whole_library_does(checks, value):
    published = checks.openapi.Published({"components": {"schemas": {"Row": ROW}}})
    wrong = bool(published.errors(value, {"$ref": "#/components/schemas/Row"}))
    assert wrong == (not jsonschema.Draft202012Validator(ROW).is_valid(value))


def test_a_schema_that_refers_to_itself_ends(checks):
    loop = {"components": {"schemas": {"A": {"$ref": "#/components/schemas/A"}}}}
    assert checks.openapi.Published(loop).errors(1, {"$ref": "#/components/schemas/A"}) == ""
    wide = {"components": {"schemas": {"B": {"allOf": [{"allOf": [{"$ref": "#/components/schemas/B"}] * 20}] * 20}}}}
    with pytest.raises(checks.openapi.OverBudget):
        checks.openapi.Published(wide).errors(1, {"$ref": "#/components/schemas/B"})


@pytest.mark.parametrize("name", ["enum", "required", "type"])
def test_a_list_that_is_looked_through_for_every_value_is_work(checks, name):
    rules = {"items": {name: [f"x{number}" for number in range(1_000)]}}
    published = checks.openapi.Published({})
    assert isinstance(published.errors([{}] * 10, rules), str)
    with pytest.raises(checks.openapi.OverBudget):
        list(checks.openapi._Check(published).breaks([{}] * 100, rules, "answer", 24))


def test_a_reference_without_end_leads_nowhere(checks):
    root = {"a": {"a": {"type": "string"}}}
    assert checks.openapi.Published(root).errors(1, {"$ref": "#/a/a"}) == "answer is not of type string"
    assert checks.openapi.Published(root).resolve({"$ref": "#/" + "a/" * 1_000}) == {}


@pytest.mark.parametrize("root", [{}, {"paths": []}, {"paths": {"/v1/predict": {"post": "x"}}}, {"paths": {"/": None}}])
def test_any_document_can_be_read(checks, root):
    published = checks.openapi.Published.read(exchange(200, root))
    assert max(checks.openapi.described(published).values()) <= 1
    assert published.request_schema("/v1/predict") == {}


def test_a_document_that_is_no_json_describes_nothing(checks):
    published = checks.openapi.Published.read(exchange(200, b"<html>"))
    assert sum(checks.openapi.described(published).values()) == 0


def refusal(checks, index=None):
    return checks.refusals.Refusal("x", checks.calls.get("/"), location="amount", index=index)


@pytest.mark.parametrize(
    ("place", "index", "right"),
    [
        (["body", "amount"], None, True),
        (["body", "currency"], None, False),
        (["body", "rows", 3, "amount"], 3, True),
        (["body", "rows", 2, "amount"], 3, False),
        (["body", "amount"], 3, False),
        (["body", "amount", 3], 3, False),
        (["body", True, "amount"], 1, False),
    ],
)
def test_an_error_must_name_the_field_and_the_row(checks, place, index, right):
    answer = exchange(422, {"detail": [{"loc": ["body", "tz"]}, {"loc": place}]})
    assert (refusal(checks, index).judge(answer) == "") is right


def test_a_refusal_needs_its_status_and_a_whole_answer(checks):
    good = {"detail": [{"loc": ["body", "amount"]}]}
    assert refusal(checks).judge(exchange(422, good)) == ""
    assert "status 500" in refusal(checks).judge(exchange(500, good))
    assert refusal(checks).judge(exchange(422, good, error="too_large"))
    assert refusal(checks).judge(exchange(422, b"[NaN]"))
    assert refusal(checks).judge(exchange(422, {"detail": "wrong"}))


def test_refusing_everything_earns_nothing(checks):
    judged = checks.refusals.Judged(names=("a", "b"), wrong={}, accepted=0.0)
    assert judged.share == 0
    assert "Credit is reduced" in judged.because
    assert checks.refusals.Judged(names=("a", "b"), wrong={"a": "x"}, accepted=1.0).share == 0.5


def test_an_equal_body_in_another_form_is_equal(checks):
    row = {"request_id": "x", "amount": 0.1, "income": None, "segment": 'é"', "customer_id": 5}
    text = checks.counting.rewritten(row)
    assert json.loads(text) == row
    assert text != json.dumps(row)


def test_ids_are_never_given_twice(checks):
    names = checks.calls.Names("g")
    rows = [{"request_id": "old", "amount": 1}, '{"request_id": "old", "amount": 1e0}']
    renamed = [names.rename(row) for row in rows * 3]
    assert len({checks.calls.id_of(row) for row in renamed}) == 6
    assert "1e0" in renamed[1]


@pytest.mark.parametrize(
    "answer",
    [b"", b"[]", b'{"probability": NaN}', b'{"probability": "0.5"}', b'{"probability": true}', b'{"probability": 2}'],
)
def test_only_a_number_between_0_and_1_is_a_probability(checks, answer):
    found = checks.calls.probability(checks.calls.prediction(exchange(200, answer)))
    assert found != found


def test_a_broken_answer_is_none(checks):
    whole = {"probability": 0.5}
    assert checks.calls.prediction(exchange(200, whole)) == whole
    assert checks.calls.prediction(exchange(200, whole, error="too_large")) == {}
    assert checks.calls.prediction(exchange(503, whole)) == {}
    assert "compressed" in checks.calls.how(exchange(200, b"\x1f\x8b", headers={"content-encoding": "gzip"}))
