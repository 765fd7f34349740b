"""Measures: intervals, gates, anchors, attribution and delays."""

from __future__ import annotations

import math

import pytest
from scipy.stats import binomtest


@pytest.mark.parametrize(("count", "total"), [(0, 20), (1, 400), (32, 400), (20, 20)])
def test_intervals_are_those_of_clopper_and_pearson(checks, count, total):
    expected = binomtest(count, total).proportion_ci(0.95, method="exact")
    assert checks.measures.Share(count=count, total=total).interval == pytest.approx((expected.low, expected.high))


def test_nothing_counted_says_nothing(checks):
    nothing = checks.measures.Share(count=0, total=0)
    assert (nothing.value, nothing.interval) == (0.0, (0.0, 1.0))


def share(checks, value: float):
    return checks.measures.Share(count=round(1000 * value), total=1000)


@pytest.mark.parametrize(("seen", "gate"), [(0.0, 0.0), (0.25, 0.0), (0.45, 0.5), (0.65, 1.0), (1.0, 1.0)])
def test_silence_counts_where_clear_drift_is_noticed(checks, seen, gate):
    assert checks.measures.activity(share(checks, seen)) == pytest.approx(gate)


@pytest.mark.parametrize(("rate", "gate"), [(0.05, 1.0), (0.1, 1.0), (0.175, 0.5), (0.25, 0.0), (1.0, 0.0)])
def test_power_counts_where_clean_windows_are_quiet(checks, rate, gate):
    assert checks.measures.validity(share(checks, rate)) == pytest.approx(gate)


@pytest.mark.parametrize(
    ("clear", "clean", "gate"), [(1, 1, 0), (0, 0, 0), (1, 0.05, 1), (1, 0.3, 1), (0.6, 0.05, 0.5)]
)
def test_care_counts_where_answers_differ(checks, clear, clean, gate):
    shares = [share(checks, 0.0), share(checks, clear)]
    assert checks.measures.alive(shares, share(checks, clean)) == pytest.approx(gate)


def test_power_is_measured_against_the_reference(checks):
    credit = checks.measures.power_credit
    assert credit(0.85 * 0.7, 0.7) == 1.0
    assert credit(0.08, 0.7) == 0.0
    assert credit((0.08 + 0.85 * 0.7) / 2, 0.7) == pytest.approx(0.5)


def test_a_reference_without_power_gives_nothing_away(checks):
    assert checks.measures.power_credit(0.05, 0.02) == 0.0
    assert checks.measures.power_credit(0.13, 0.02) == pytest.approx(0.5)


def test_the_drifted_feature_must_stand_alone_in_front(checks):
    first = checks.measures.ranked_first
    scores = {"a": 3.0, "b": 2.0, "c": 1.0}
    assert first(scores, ["a"], pair=False)
    assert not first(scores, ["b"], pair=False)
    assert not first({"a": 1.0, "b": 1.0}, ["a"], pair=False)
    assert not first(None, ["a"], pair=False)


def test_both_of_a_pair_must_be_in_front(checks):
    first = checks.measures.ranked_first
    assert first({"a": 3.0, "b": 2.0, "c": 1.0}, ["b", "a"], pair=True)
    assert not first({"a": 3.0, "b": 2.0, "c": 2.0}, ["b", "a"], pair=True)


def test_chance_is_that_of_a_random_order(checks):
    assert checks.measures.chance(["a"], 10, pair=False) == 0.1
    assert checks.measures.chance(["a", "b"], 10, pair=True) == pytest.approx(1 / 45)


def runs(checks, *rows: str):
    flags = {"x": True, ".": False, "?": None}
    return [[checks.answers.Reading(flag=flags[each]) for each in row] for row in rows]


def test_delays_count_from_the_onset_and_leave_early_alarms_out(checks):
    found = checks.measures.delays(runs(checks, "..x.", "...x", "x..x", "...."), [2, 2, 2, 2])
    assert found.windows == (1, 2, math.inf)
    assert (found.early, found.median) == (1, 2)


def test_mostly_early_alarms_are_no_delay(checks):
    assert math.isinf(checks.measures.delays(runs(checks, "x...", "x...", "..x."), [2, 2, 2]).median)


def test_a_stream_with_a_malformed_answer_is_not_quiet(checks):
    assert checks.measures.any_alarm(runs(checks, "....", "..?.", "..x.")).count == 2


def test_no_alarm_earns_nothing(checks):
    assert checks.measures.delay_credit(math.inf, (20.0, 10.0)) == 0.0
    assert checks.measures.delay_credit(15.0, (20.0, 10.0)) == 0.5


def test_spells_of_alarms_are_drawn_as_strips(checks):
    assert checks.figures.spells([True, True, False, None, True], True) == [(0, 2), (4, 1)]
    assert checks.figures.spells([True, True, False, None, True], None) == [(3, 1)]
