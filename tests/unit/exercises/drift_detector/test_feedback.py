"""Labels: what is concept drift changes P(y | x), and what is not leaves it alone."""

from __future__ import annotations

import functools

import numpy as np
import pytest

MANY = 60_000


@functools.cache
def feedback(world, kind, n=MANY):
    return world.feedback(n, np.random.default_rng(2), kind)


def log_odds(rate: float) -> float:
    return float(np.log(rate / (1 - rate)))


def inputs_changed(clean, rows) -> set[str]:
    return {name for name in clean.columns if name not in ("y", "score") and not clean[name].equals(rows[name])}


@pytest.mark.parametrize("kind", ["intercept_s", "intercept_l", "slope_half", "slope_reversed"])
def test_concept_drift_leaves_the_inputs_alone(worlds, kind):
    for world in worlds:
        clean, rows = feedback(world, None), feedback(world, kind)
        assert inputs_changed(clean, rows) == set()
        assert clean["score"].equals(rows["score"])
        assert not clean["y"].equals(rows["y"])


def test_a_higher_intercept_raises_the_rate(worlds):
    for world in worlds:
        rates = [feedback(world, kind)["y"].mean() for kind in (None, "intercept_s", "intercept_l")]
        assert rates[1] - rates[0] > 0.02
        assert rates[2] - rates[1] > 0.02


@pytest.mark.parametrize("kind", ["slope_half", "slope_reversed"])
def test_another_slope_hardly_moves_the_rate_and_spoils_the_ranking(data, worlds, kind):
    for world in worlds:
        clean, rows = feedback(world, None), feedback(world, kind)
        assert abs(clean["y"].mean() - rows["y"].mean()) < 0.012
        areas = [data.ranking.area(each["score"].to_numpy(), each["y"].to_numpy())[0] for each in (clean, rows)]
        assert areas[0] - areas[1] > 0.03


@pytest.mark.parametrize(("kind", "most"), [("covariate", 1), ("country", 1)])
def test_a_changed_mix_moves_one_input_and_keeps_the_law(worlds, kind, most):
    for world in worlds:
        clean, rows = feedback(world, None), feedback(world, kind)
        moved = inputs_changed(clean, rows)
        assert len(moved) == most
        assert moved == {"country"} or kind == "covariate"
        assert abs(clean["y"].mean() - rows["y"].mean()) > 0.004
        # Labels of rows whose inputs stayed are what they were: one law made both.
        stayed = (clean[sorted(moved)] == rows[sorted(moved)]).all(axis=1)
        assert clean["y"][stayed].equals(rows["y"][stayed])
        # And over bins of the score the gap between labels and score is that of the reference.
        gaps = [gap_by_score(each) for each in (clean, rows)]
        assert np.abs(gaps[0] - gaps[1]).max() < 0.035


def gap_by_score(rows) -> np.ndarray:
    edges = [0.1, 0.2, 0.35]
    return (rows["y"] - rows["score"]).groupby(np.searchsorted(edges, rows["score"])).mean().to_numpy()


def test_label_shift_doubles_the_odds_and_keeps_each_class(worlds):
    for world in worlds:
        clean, rows = feedback(world, None), feedback(world, "label_shift")
        assert len(rows) == MANY
        assert log_odds(rows["y"].mean()) - log_odds(clean["y"].mean()) == pytest.approx(np.log(2), abs=0.05)
        for y in (0, 1):
            medians = [each.loc[each["y"] == y, "amount"].median() for each in (clean, rows)]
            assert medians[0] == pytest.approx(medians[1], rel=0.04)


def test_labels_and_score_differ_so_much_that_a_thousand_rows_show_it_in_every_world(data):
    for seed in range(60, 72):
        labels = data.world.World(seed).reference_labels()
        gap = abs(labels["y"].mean() - labels["score"].mean())
        chance = np.sqrt((labels["score"] * (1 - labels["score"])).mean() / 1000)
        assert 2.0 * chance < gap < 4.5 * chance, "whoever compares them raises alarms on half of clean rows at least"


def test_an_unknown_kind_is_refused(worlds):
    with pytest.raises(ValueError, match="'weather'"):
        worlds[0].feedback(10, np.random.default_rng(1), "weather")
