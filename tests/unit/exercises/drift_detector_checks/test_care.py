"""The second alpha, comparing a detector with itself, and the windows of group F."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def window() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "row_id": ["a", "b", "c"],
            "event_ts": pd.to_datetime(["2025-01-06"] * 3, utc=True),
            "amount": [1.0, 2.0, None],
            "basket_items": [1, 2, 3],
            "device": ["ios", "web", "ios"],
        }
    )


def readings(checks, decisions: list[bool | None], alpha: float = 0.05):
    made = []
    for each in decisions:
        p = 1.0 if each is None else alpha / 2 if each else 0.9
        faults = {"flag": "drift contradicts p_value"} if each is None else {}
        made.append(checks.answers.Reading(flag=each, p=p, faults=faults))
    return made


def second(checks, before: list, after: list, alpha: float):
    asks = [checks.asking.Ask(kind="clean", mode="pooled", rows=500, number=place) for place in range(len(after))]
    return checks.care.compare_alphas(readings(checks, before), readings(checks, after, alpha), asks, alpha)


def test_an_honoured_alpha_moves_decisions(checks):
    found = second(checks, [True] * 5 + [False] * 95, [True] * 18 + [False] * 82, 0.2)
    assert (found.moved.count, found.clean.count, found.kept.count) == (13, 18, 100)
    assert found.credit == 1.0


def test_an_alpha_that_changes_nothing_earns_nothing(checks):
    same = [True] * 5 + [False] * 95
    assert second(checks, same, same, 0.2).credit == 0.0


def test_flags_that_contradict_the_p_value_at_the_second_alpha_earn_nothing(checks):
    assert second(checks, [True] * 5 + [False] * 95, [True] * 5 + [None] * 15 + [False] * 80, 0.2).credit == 0.0


def test_a_smaller_alpha_moves_the_other_way(checks):
    found = second(checks, [True] * 10 + [False] * 190, [True] * 2 + [False] * 198, 0.01)
    assert (found.moved.count, found.credit) == (8, 1.0)


def test_the_second_alpha_is_drawn_by_the_variant(checks):
    import random

    drawn = {checks.care.second_alpha(SimpleNamespace(random=random.Random)) for _ in range(3)}
    assert len(drawn) == 1
    seeds = [SimpleNamespace(random=lambda purpose, seed=seed: random.Random(f"{seed}{purpose}")) for seed in range(30)]
    assert {checks.care.second_alpha(each) for each in seeds} == set(checks.anchors.SECOND_ALPHAS)


def test_the_same_answer_is_the_same_decision_and_p_value(checks):
    one = checks.answers.Reading(flag=False, p=0.5)
    assert checks.care.same_answer(one, checks.answers.Reading(flag=False, p=0.5))
    assert not checks.care.same_answer(one, checks.answers.Reading(flag=False, p=0.5000001))
    assert checks.care.same_answer(one, checks.answers.Reading(flag=False, p=0.5000001), checks.care.P_TOLERANCE)


def test_malformed_answers_are_never_the_same(checks):
    odd = checks.answers.Reading(flag=None, p=None, faults={"answer": "raised KeyError"})
    assert not checks.care.same_answer(odd, odd)
    assert not checks.care.same_alarms([odd], [odd])
    assert not checks.care.same_alarms([], [])


def test_other_clothes_hold_the_same_rows(checks, window):
    rng = np.random.default_rng(1)
    for name, dress in checks.care.CLOTHES.items():
        dressed = dress(window, rng)
        assert set(window.columns) <= set(dressed.columns), name
        same = dressed.set_index("row_id").loc[list(window["row_id"])]
        for column in ("amount", "basket_items", "device"):
            assert list(same[column].astype(str)) == list(window[column].astype(str)), name


def test_dictionary_encoding_has_a_level_that_no_row_has(checks, window):
    encoded = checks.care.dictionary_encoded(window, np.random.default_rng(1))
    assert set(encoded["device"].cat.categories) - set(encoded["device"])


def test_edges_change_what_they_name(checks, window):
    care = checks.care
    assert care.emptied(window, "device")["device"].isna().all()
    assert care.emptied(window, "device")["device"].dtype == window["device"].dtype
    assert care.emptied(window, "basket_items")["basket_items"].isna().all()
    assert care.levelled(window, ["amount"])["amount"].nunique(dropna=False) == 1
    assert list(care.with_level(window, "device", 1)["device"]) == ["zz-new", "web", "ios"]
    assert care.spoiled(window, "event_ts")["event_ts"].iloc[0] == "not a value"


@pytest.mark.parametrize(("error", "expected"), [("ValueError", True), ("DateParseError", True), ("KeyError", False)])
def test_only_value_errors_are_refusals(checks, error, expected):
    assert checks.care.refused(SimpleNamespace(error=error)) is expected


def test_a_kind_of_value_error_counts_where_its_bases_are_told(checks):
    assert checks.care.refused(SimpleNamespace(error="EmptyWindow", bases=("EmptyWindow", "ValueError")))


def test_a_flag_at_odds_with_its_p_value_is_the_same_answer_when_it_comes_again(checks):
    odd = checks.answers.Reading(flag=True, p=0.03, faults={"agreement": "drift contradicts p_value"})
    assert odd.decision is None
    assert checks.care.same_answer(odd, odd)
    assert not checks.care.same_answer(odd, checks.answers.Reading(flag=False, p=0.03, faults=odd.faults))
