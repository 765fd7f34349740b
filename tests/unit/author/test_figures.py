"""Figures of merit, each beside a number that can be worked out by hand."""

from __future__ import annotations

import pytest

from grader.author import figures
from grader.author.expectations import Earned


def run(name: str, percent: float = 100.0, status: str = "graded", **shares: float | None) -> Earned:
    return Earned(
        rung=name, candidate="v1", submission="", exercise="", status=status, percent=percent, shares=shares,
        notebook_checks=("N1",),
    )  # fmt: skip


def test_spread_is_that_of_a_sample() -> None:
    found = figures.spread([90.0, 92.0, 97.0])
    assert found is not None
    assert (found.n, found.low, found.high) == (3, 90.0, 97.0)
    assert (found.mean, found.sd) == (pytest.approx(93.0), pytest.approx(3.6055513))
    assert figures.spread([90.0]) is None


def test_a_ladder_in_order_is_consistent_and_a_ladder_upside_down_is_not() -> None:
    bands = [(90.0, 100.0), (60.0, 80.0), (10.0, 20.0), (0.0, 5.0)]
    good = [(band, 100.0 - 20 * place) for place, band in enumerate(bands)]
    bad = [(band, 20.0 * place) for place, band in enumerate(bands)]
    assert figures.order_consistency(good) == pytest.approx(1.0)
    assert figures.order_consistency(bad) == pytest.approx(-1.0)
    assert figures.pairs_in_order(good) == (6, 6)
    assert figures.pairs_in_order(bad) == (0, 6)


def test_ties_take_average_ranks() -> None:
    top = (98.0, 100.0)
    ladder = [(top, 100.0), (top, 100.0), ((60.0, 80.0), 70.0), ((0.0, 15.0), 75.0)]
    # ranks 2.5 2.5 1 0 against 2.5 2.5 0 1
    assert figures.order_consistency(ladder) == pytest.approx(0.7777778)
    assert figures.pairs_in_order(ladder) == (4, 5)


def test_bands_that_overlap_say_nothing_about_the_order_of_a_pair() -> None:
    assert figures.pairs_in_order([((90.0, 96.0), 91.0), ((94.0, 98.0), 90.0)]) == (0, 0)


def test_order_needs_three_rungs() -> None:
    assert figures.order_consistency([((98.0, 100.0), 1.0), ((0.0, 15.0), 0.0)]) is None


def test_a_check_tells_apart_who_fails_it_and_who_passes_it() -> None:
    found = figures.discrimination("A1", [run("x", A1=1.0), run("y", A1=0.49), run("z", A1=0.7), run("u", A1=None)])
    assert (found.failed_by, found.passed_by) == (("y",), ("x",))


def test_what_moved_is_told_in_points() -> None:
    runs = [run("x", A1=1.0, A2=0.5), run("x", A1=0.9, A2=0.5), run("x", A1=None, A2=0.5)]
    assert figures.moved(runs, {"A1": 4.0, "A2": 4.0}) == {"A1": pytest.approx(0.4)}


@pytest.mark.parametrize(
    ("mutant", "survived"),
    [
        (run("m", A1=1.0, A2=0.5), True),
        (run("m", A1=0.98, A2=0.5), False),
        (run("m", A1=1.0, A2=None), False),
        (run("m", A1=1.0, A2=0.5, N1=0.0), True),
        (run("m", status="rejected"), False),
    ],
)
def test_a_mutant_survives_when_no_check_of_the_code_noticed_it(mutant: Earned, survived: bool) -> None:
    assert figures.survives(mutant, run("reference", A1=1.0, A2=0.5, N1=1.0)) is survived


def test_a_repeat_that_gives_other_points_is_a_flake() -> None:
    first = Earned(rung="r", candidate="v1", submission="", exercise="", status="graded", shares={"A1": 1.0, "A2": 0.5})
    other = first.model_copy(update={"shares": {"A1": 0.9, "A2": 0.5}})
    assert figures.flakes([first, first, other, other], {"A1": 3, "A2": 1}) == 2
    assert figures.flakes([first], {"A1": 3, "A2": 1}) == 0
    assert figures.flakes([first, first.model_copy(update={"status": "rejected", "shares": {}})], {"A1": 3}) == 1
