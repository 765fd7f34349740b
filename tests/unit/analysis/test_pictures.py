"""Pictures of a cohort: bars that hold what they seem to hold, and names that can be read."""

from __future__ import annotations

import pytest

from grader.analysis.items import Item
from grader.analysis.pictures import bar_edges, item_map


@pytest.mark.parametrize(
    ("values", "span", "edges"),
    [
        ([20, 21, 23], None, [20, 21, 22, 23, 24]),
        ([7.5], None, [7.5, 8.5]),
        ([12.0], (0, 100), list(range(0, 101, 5))),
    ],
)
def test_whole_seconds_have_a_bar_each_and_percents_five(values, span, edges):
    assert bar_edges(values, span) == edges


def test_long_times_have_twenty_bars_that_hold_them_all():
    edges = bar_edges([0, 1_000])
    assert len(edges) == 22
    assert edges[0] == 0
    assert edges[-1] > 1_000


def item(check: str, *flags: str) -> Item:
    known = dict.fromkeys(("difficulty_low", "difficulty_high", "discrimination_low", "discrimination_high"), 0.5)
    return Item(
        check=check, title="", points=1, n=60, difficulty=0.5, discrimination=0.5, upper_lower=0.5, flags=flags, **known
    )


def test_of_many_checks_only_those_are_named_that_need_a_person():
    many = [item(f"A{number}") for number in range(20)] + [item("B7", "nobody passes")]
    assert ">B7</text>" in item_map(many)
    assert ">A3</text>" not in item_map(many)
    assert ">A3</text>" in item_map(many[:5])
