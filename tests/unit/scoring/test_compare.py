"""Ranks with ties, percentiles, pseudonyms, and how exactly totals measure."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.scoring.compare import percentiles, pseudonym, ranks
from grader.scoring.reliability import cronbach_alpha, half_band, standard_error


def test_who_overlaps_is_tied() -> None:
    assert [str(rank) for rank in ranks([90, 84, 70, 50], [4, 4, 4, 4])] == ["1–2", "1–2", "3", "4"]
    assert [str(rank) for rank in ranks([50, 90, 70], [0, 0, 0])] == ["3", "1", "2"]
    assert [str(rank) for rank in ranks([70, 70], [0, 0])] == ["1–2", "1–2"]


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 20)), min_size=1, max_size=12))
def test_ranks_are_what_counting_gives(people: list[tuple[float, float]]) -> None:
    found = ranks([total for total, _ in people], [half for _, half in people])
    for (total, half), rank in zip(people, found, strict=True):
        assert rank.best == 1 + sum(other - width > total + half for other, width in people)
        assert rank.worst == len(people) - sum(other + width < total - half for other, width in people)


def test_percentiles_need_thirty_people() -> None:
    assert percentiles([1.0] * 29) is None
    found = percentiles([float(value) for value in range(30)])
    assert found is not None
    assert (found[0], found[29]) == (pytest.approx(100 / 60), pytest.approx(100 - 100 / 60))
    assert percentiles([5.0] * 40) == [50.0] * 40


def test_pseudonyms_are_stable_and_differ() -> None:
    names = {pseudonym(b"k" * 32, f"{number:032x}") for number in range(2000)}
    assert len(names) == 2000
    assert pseudonym(b"k" * 32, "1") == pseudonym(b"k" * 32, "1") != pseudonym(b"l" * 32, "1")


def test_alpha_of_a_worked_example() -> None:
    # Three parts, four people; by hand: parts vary 1.0, 1.0 and 2/3, totals 6.25 - so 3/2 * (1 - (8/3) / (20/3)).
    columns = [[1, 2, 3, 1], [1, 2, 3, 1], [1, 1, 2, 2]]
    variances = [math.fsum((v - sum(c) / 4) ** 2 for v in c) / 3 for c in columns]
    totals = [3, 5, 8, 4]
    whole = math.fsum((value - 5) ** 2 for value in totals) / 3
    assert cronbach_alpha(columns) == pytest.approx(1.5 * (1 - sum(variances) / whole))


def test_parts_that_say_the_same_are_wholly_reliable_and_equal_totals_tell_nothing() -> None:
    assert cronbach_alpha([[1, 2, 3], [1, 2, 3]]) == pytest.approx(1)
    assert cronbach_alpha([[1, 2], [2, 1]]) is None
    assert cronbach_alpha([[1, 2]]) is None
    assert standard_error(15, 0.8) == pytest.approx(6.708, abs=0.001)
    assert (half_band(3, 4), half_band(7, None)) == (5, 7)
