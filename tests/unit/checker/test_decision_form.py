"""The form of decision.json: exact for its own check, and value by value for the others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.checker.api import SubmissionFailed
from grader.checker.decision_form import claims_of, deviations
from grader.model.reasons import Reason
from tests.decisions import make_decision

METRIC = "quarantine_rate"


def test_the_form_as_the_brief_asks_for_it_has_no_deviations() -> None:
    assert deviations(make_decision(), METRIC) == []
    assert deviations(make_decision(cost_assumption={"false_alarm": 3}), METRIC) == []
    sweep = [{"name": f"threshold {number}", "value": number} for number in range(200)]
    assert deviations(make_decision(alternatives=sweep, rollback_trigger="word " * 1000), METRIC) == []
    explained = [{"name": name, "value": 0.1, "interval": [0, 1]} for name in ("newest", "first")]
    assert deviations(make_decision(alternatives=explained), METRIC) == []


WRONG: dict[str, tuple[dict[str, object], str]] = {
    "other metric": ({"metric": "auc"}, "metric must be 'quarantine_rate'"),
    "no method": ({"chosen_method": " "}, "chosen_method must be a text"),
    "one alternative": ({"alternatives": [{"name": "a", "value": 1}]}, "alternatives must be a list of at least 2"),
    "alternative without a number": (
        {"alternatives": [{"name": "a", "value": 1}, {"name": "b", "value": "2"}]},
        "alternatives must give every name a finite number",
    ),
    "alternative with more": (
        {"alternatives": [{"name": "a", "value": 1}, {"name": "b", "x": 3}]},
        "alternatives must hold objects of name and value",
    ),
    "alternatives twice": (
        {"alternatives": [{"name": "a", "value": 1}, {"name": "a", "value": 2}]},
        "alternatives must have different names",
    ),
    "true as a number": ({"operating_point": True}, "operating_point must be a finite number"),
    "text as a number": ({"estimate": "0.1"}, "estimate must be a finite number"),
    "huge integer": ({"estimate": 10**400}, "estimate must be a finite number"),
    "interval the wrong way round": ({"interval": [0.2, 0.1]}, "interval must be two finite numbers"),
    "interval of three": ({"interval": [0.1, 0.2, 0.3]}, "interval must be two finite numbers"),
    "outside": ({"estimate": 0.5}, "estimate lies outside of interval"),
    "empty assumption": ({"cost_assumption": {}}, "cost_assumption must not be empty"),
    "assumption as a list": ({"cost_assumption": ["x"]}, "cost_assumption must be a text or an object"),
    "one failure": ({"known_failures": ["x"]}, "known_failures must be a list of at least 2 texts"),
    "failure twice": ({"known_failures": ["x", "x "]}, "known_failures must name different failures"),
    "failure without words": ({"known_failures": ["x", ""]}, "known_failures must hold texts"),
    "placeholder": ({"rollback_trigger": None}, "rollback_trigger must be a text"),
    "unknown key": ({"Estimate": 1}, "unknown key 'Estimate'"),
}


@pytest.mark.parametrize(("changes", "said"), WRONG.values(), ids=WRONG.keys())
def test_what_differs_is_named(changes: dict[str, object], said: str) -> None:
    (found,) = deviations(make_decision(**changes), METRIC)
    assert found.startswith(said)


def test_missing_keys_are_named() -> None:
    decision = make_decision()
    del decision["metric"], decision["interval"]
    assert deviations(decision, METRIC) == ["metric is missing", "interval is missing"]


@pytest.mark.parametrize("content", [[], 3, "x", None])
def test_something_else_is_no_decision(content: object) -> None:
    assert deviations(content, METRIC) == ["decision.json is not an object"]
    assert claims_of(content).estimate is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(sorted(make_decision())) | st.text(max_size=4), json_values))
def test_any_json_is_judged_without_an_error(changes: dict[str, object]) -> None:
    found = deviations(make_decision(**changes), METRIC)
    assert all(isinstance(line, str) for line in found)
    claims_of(make_decision(**changes))


def test_values_are_taken_one_by_one() -> None:
    claims = claims_of(make_decision(interval="wide", chosen_method=3))
    assert (claims.estimate, claims.interval, claims.method, claims.point) == (0.1, None, None, 1.0)
    assert claims.require_estimate() == 0.1
    with pytest.raises(SubmissionFailed) as caught:
        claims.require_interval()
    assert caught.value.reason is Reason.SCHEMA
