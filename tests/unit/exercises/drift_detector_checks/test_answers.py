"""Answers are read with suspicion: each fault has a name, and costs no more than the field that it spoils."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pytest

from grader.checker.api import Reason

FEATURES = ("amount", "device")


@dataclass
class Given:
    value: object = None
    error: str = ""
    reason: Reason | None = None


def answer(**changes: object) -> dict[str, object]:
    return {"drift": True, "p_value": 0.01, "scores": {"amount": 2.0, "device": 0}, "n": 3} | changes


def read(checks, value: object):
    return checks.answers.read_check(Given(value), rows=3, features=FEATURES, alpha=0.05)


def test_an_answer_that_keeps_the_contract_has_no_fault(checks):
    reading = read(checks, answer())
    assert reading.faults == {}
    assert (reading.decision, reading.p, reading.scores) == (True, 0.01, {"amount": 2.0, "device": 0.0})


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"p_value": math.nan}, "p_value"),
        ({"p_value": math.inf}, "p_value"),
        ({"p_value": -0.01}, "p_value"),
        ({"p_value": 1.01}, "p_value"),
        ({"p_value": "0.01"}, "p_value"),
        ({"p_value": True}, "p_value"),
        ({"p_value": None}, "p_value"),
        ({"p_value": 10**400}, "p_value"),
        ({"drift": 1}, "flag"),
        ({"drift": "yes"}, "flag"),
        ({"drift": None}, "flag"),
        ({"drift": False}, "agreement"),
        ({"p_value": 0.06}, "agreement"),
        ({"scores": None}, "scores"),
        ({"scores": [1.0, 2.0]}, "scores"),
        ({"scores": {"amount": 1.0}}, "scores"),
        ({"scores": {"amount": 1.0, "device": 1.0, "hour": 1.0}}, "names"),
        ({"scores": {"amount": -1.0, "device": 1.0}}, "scores"),
        ({"scores": {"amount": math.nan, "device": 1.0}}, "scores"),
        ({"scores": {"amount": "1", "device": 1.0}}, "scores"),
        ({"scores": {"amount": 10**400, "device": 1.0}}, "scores"),
        ({"n": 4}, "n"),
        ({"n": 3.0}, "n"),
        ({"n": True}, "n"),
        ({"n": None}, "n"),
    ],
)
def test_each_fault_is_found_in_its_own_field(checks, changes, field):
    assert list(read(checks, answer(**changes)).faults) == [field]


@pytest.mark.parametrize("field", ["drift", "p_value", "scores", "n"])
def test_a_missing_key_is_a_fault(checks, field):
    value = {name: each for name, each in answer().items() if name != field}
    assert list(read(checks, value).faults.values()) == [f"{field} is missing"]


@pytest.mark.parametrize("value", [None, [], "drift", 0.01, True])
def test_an_answer_that_is_no_dict_is_one_fault(checks, value):
    reading = read(checks, value)
    assert list(reading.faults) == ["answer"]
    assert reading.decision is None


def test_a_malformed_decision_is_an_alarm_on_clean_data_and_a_miss_on_drift(checks):
    reading = read(checks, answer(p_value=math.nan))
    assert reading.false_alarm
    assert not reading.hit


def test_a_malformed_score_leaves_the_decision_alone(checks):
    assert read(checks, answer(scores=None)).hit


def test_gates_read_the_flag_kindly(checks):
    assert read(checks, answer(p_value="0.01")).flag is True
    assert read(checks, {"p_value": 0.2}).flag is False


def test_exceptions_and_silence_keep_their_reasons(checks):
    raised = checks.answers.read_check(Given(error="KeyError"), rows=3, features=FEATURES, alpha=0.05)
    late = checks.answers.read_check(Given(reason=Reason.TIMEOUT), rows=3, features=FEATURES, alpha=0.05)
    assert (raised.reason, raised.faults) == (Reason.CRASHED, {"answer": "raised KeyError"})
    assert late.reason == Reason.TIMEOUT


def test_the_commonest_faults_are_told_with_their_number(checks):
    readings = [read(checks, answer(p_value=math.nan))] * 3 + [read(checks, answer())]
    assert checks.answers.fault_facts(readings, ("p_value",)) == {"malformed: p_value is nan": "3 of 4 answers"}
    assert checks.answers.main_reason(readings, ("p_value",)) == Reason.NON_FINITE
    assert checks.answers.main_reason(readings[2:] + readings[3:], ("p_value",)) == Reason.WRONG_ANSWER


def test_alarms_are_bools_and_nothing_else(checks):
    read_alarm = checks.answers.read_alarm
    assert read_alarm(Given({"alarm": False})).flag is False
    assert [read_alarm(Given(value)).flag for value in ({"alarm": 0}, {}, None)] == [None] * 3


def test_attribution_passes_over_scores_of_other_names(checks):
    reading = read(checks, answer(scores={"amount": 1.0, "device": 2.0, "hour": 9.0}))
    assert reading.scores == {"amount": 1.0, "device": 2.0}
