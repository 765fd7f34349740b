"""Winnowing as its paper describes it."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from grader.similarity.winnowing import WINDOW, K, kgram_hashes, winnow

TOKENS = st.lists(st.integers(0, 3), max_size=30)


def test_the_example_of_the_paper() -> None:
    """Figure 2 of Schleimer, Wilkerson, Aiken (2003)."""
    hashes = [77, 74, 42, 17, 98, 50, 17, 98, 8, 88, 67, 39, 77, 74, 42, 17, 98]
    chosen = winnow(hashes, 4)
    assert chosen == [3, 6, 8, 11, 15]
    assert [hashes[place] for place in chosen] == [17, 17, 8, 39, 17]


def test_a_short_row_is_one_window() -> None:
    assert winnow([5, 3, 4], 10) == [1]
    assert winnow([], 10) == []


def test_of_equal_hashes_the_rightmost_is_taken() -> None:
    assert winnow([1, 1, 1, 1], 3) == [2, 3]


@settings(max_examples=50)
@given(TOKENS, st.lists(st.integers(0, 3), min_size=K + WINDOW - 1, max_size=K + WINDOW + 5), TOKENS, TOKENS, TOKENS)
def test_what_is_long_enough_is_always_found(
    before: list[int], shared: list[int], after: list[int], start: list[int], end: list[int]
) -> None:
    one, other = kgram_hashes(before + shared + after), kgram_hashes(start + shared + end)
    assert {one[place] for place in winnow(one)} & {other[place] for place in winnow(other)}


@given(st.lists(st.integers(0, 2**32), max_size=12), st.lists(st.integers(0, 2**32), max_size=12))
def test_a_hash_is_that_of_its_tokens_wherever_they_stand(before: list[int], tokens: list[int]) -> None:
    assert kgram_hashes(before + tokens, 3)[len(before) :] == kgram_hashes(tokens, 3)
