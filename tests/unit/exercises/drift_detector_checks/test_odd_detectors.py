"""All thirty checks on detectors that break the contract in one way: no check breaks, and the rest keeps its points.

With so few windows the points mean little by themselves; they are compared with those of the detector that is spoiled.
"""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.slow

B = {f"B{number}" for number in range(1, 11)}
DECISIONS = {"A1", "A2", "A3", "A4", *B}


def lost(graded, name: str) -> set[str]:
    """The checks that earn less than with the detector that keeps the contract."""
    sound, odd = graded["Simple"], graded[name]
    timed = {"F7"}
    return {check for check in sound if odd[check]["fraction"] < sound[check]["fraction"] - 1e-9} - timed


def earned(graded, name: str) -> float:
    return sum(each["fraction"] * each["points"] for each in graded[name].values())


def test_there_are_thirty_checks_of_a_hundred_points(graded):
    points = {check: each["points"] for check, each in graded["Simple"].items()}
    groups = {group: sum(value for check, value in points.items() if check[0] == group) for group in "ABCDEF"}
    assert groups == {"A": 20, "B": 40, "C": 10, "D": 12, "E": 6, "F": 12}
    assert len(points) == 30


@pytest.mark.parametrize(
    ("name", "reason"),
    [("NanP", "non_finite"), ("NoDrift", "schema"), ("Contradicts", "schema")],
)
def test_a_malformed_decision_costs_decisions_and_not_scores_or_labels(graded, name, reason):
    # Simple earns nothing for A3 and A4, so there is nothing to lose there.
    gone = lost(graded, name)
    assert {"A1", "A2", "B4"} <= gone
    assert not {check for check in gone if check[0] in "DE"}
    assert graded[name]["B4"]["reason"] == reason
    assert any("malformed" in fact["label"] for fact in graded[name]["B4"]["evidence"])


@pytest.mark.parametrize("name", ["NanP", "NoDrift"])
def test_it_costs_attribution_nothing(graded, name):
    assert "C1" not in lost(graded, name)


def test_malformed_scores_cost_attribution_and_the_check_of_complete_answers(graded):
    assert lost(graded, "InfiniteScores") == {"C1", "F5"}


@pytest.mark.parametrize("name", ["UnknownScores", "WrongCount"])
def test_other_names_and_a_wrong_count_cost_the_check_of_complete_answers(graded, name):
    assert lost(graded, name) == {"F5"}


@pytest.mark.parametrize("name", ["AnswersFrame", "Raises"])
def test_no_usable_answer_of_check_leaves_labels_and_streams_alone(graded, name):
    gone = lost(graded, name)
    assert {"A1", "A2", "B4", "C1"} <= gone
    assert not {check for check in gone if check[0] in "DE"}


def test_odd_alarms_cost_the_stream_and_what_follows_a_stream(graded):
    assert {"F2", "F3"} <= lost(graded, "OddAlarms") <= {"E1", "E2", "F2", "F3", "F6"}
    assert graded["OddAlarms"]["E1"]["fraction"] == 0
    assert any("alarm is a str" in fact["label"] for fact in graded["OddAlarms"]["E1"]["evidence"])


def test_odd_feedback_costs_the_labels(graded):
    assert {"D1", "D2"} <= lost(graded, "OddFeedback") <= {"D1", "D2", "D3", "D4", "F2", "F6"}


@pytest.mark.parametrize("name", ["Never", "Always"])
def test_one_answer_to_everything_earns_nothing(graded, name):
    assert earned(graded, name) == 0


def test_silence_in_small_windows_earns_nothing_there(graded):
    assert "A2" in lost(graded, "QuietWhenSmall") <= {"A2", "F1", "F5"}
    assert graded["QuietWhenSmall"]["A2"]["fraction"] == 0


def test_who_looks_at_numbers_alone_keeps_a_part_of_calibration(graded):
    assert {"A1", "A2", "B4", "C1"} <= lost(graded, "NumbersOnly")
    for check in ("A1", "A2"):
        assert 0.4 < graded["NumbersOnly"][check]["fraction"] / graded["Simple"][check]["fraction"] < 0.9


def test_a_detector_that_cannot_be_fitted_earns_nothing_and_says_why(graded):
    assert earned(graded, "CannotFit") == 0
    assert all("not today" in each["because"] for each in graded["CannotFit"].values())


@pytest.mark.parametrize(
    ("name", "check"), [("Forgetful", "F2"), ("Remembers", "F3"), ("FixedAlpha", "F1"), ("InOrder", "F4")]
)
def test_each_lack_of_care_costs_its_own_check(graded, name, check):
    assert graded["Simple"][check]["fraction"] == 1
    assert graded[name][check]["fraction"] < 0.6
    assert not {other for other in lost(graded, name) if other[0] in "ABCD"}


def test_a_check_that_changes_the_detector_costs_that_and_not_saving(graded):
    assert {"F2", "F3"} & lost(graded, "Absorbs") == {"F3"}
