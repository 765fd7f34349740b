"""Numbers in words, the same in every format."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.model.result import Outcome
from grader.model.run import Party
from grader.model.sheet import Audience, Subtotal
from grader.render import words
from tests.factories import make_check_line, make_faulted_sheet, make_rejected_sheet, make_sheet


@pytest.mark.parametrize(
    ("value", "shown"), [("72.40", "72.4"), ("3.00", "3"), ("0.05", "0.05"), ("100", "100"), ("0", "0")]
)
def test_points_have_no_needless_zeros(value: str, shown: str) -> None:
    assert words.points(Decimal(value)) == shown


def test_points_that_nobody_knows_are_a_dash() -> None:
    assert words.points(None) == words.DASH


@pytest.mark.parametrize(
    ("earned", "possible", "shown"),
    [("50", "100", "50 %"), ("99.9", "100", "99 %"), ("0.01", "100", "1 %"), ("0", "5", "0 %"), ("5", "5", "100 %")],
)
def test_only_everything_is_a_hundred_percent_and_only_nothing_is_zero(earned: str, possible: str, shown: str) -> None:
    assert words.percent(Decimal(earned), Decimal(possible)) == shown


def test_a_share_of_nothing_is_a_dash() -> None:
    assert words.percent(Decimal(0), Decimal(0)) == words.percent(None, Decimal(3)) == words.DASH


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.0, "0.0 s"), (0.44, "0.4 s"), (12.3, "12 s"), (94.7, "1 min 35 s"), (120, "2 min"), (7500, "2 h 5 min"),
     (3600, "1 h")],
)  # fmt: skip
def test_durations_are_written_as_people_say_them(value: float, shown: str) -> None:
    assert words.seconds(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0 B"), (999, "999 B"), (1023, "1 KiB"), (1_254_096_896, "1.17 GiB"), (512 * 1024**2, "512 MiB"),
     (2 * 1024**3, "2 GiB"), (96 * 1024**2 + 600_000, "96.6 MiB"), (5000 * 1024**4, "5000 TiB")],
)  # fmt: skip
def test_sizes_have_three_digits(value: int, shown: str) -> None:
    assert words.size(value) == shown


@given(st.integers(min_value=0, max_value=2**60))
def test_sizes_are_never_longer_than_a_table_cell(value: int) -> None:
    assert len(words.size(value)) <= 11


def test_losses_are_ordered_by_points_and_then_as_on_the_sheet() -> None:
    checks = tuple(make_check_line(id=name, earned=earned) for name, earned in (("A1", 3), ("A2", 1), ("A3", 3)))
    assert [check.id for check in words.losses(make_sheet(checks=checks))] == ["A2", "A1", "A3"]


def test_a_check_without_an_answer_lost_nothing() -> None:
    assert words.lost(make_check_line(earned=None, outcome=None)) == 0


def subtotal(name: str, earned: int | None, possible: int = 10) -> Subtotal:
    return Subtotal(id=name, title=name.title(), earned=earned, possible=possible)


def test_strongest_and_weakest_compare_shares_not_points() -> None:
    found = words.extremes((subtotal("large", 50, 100), subtotal("small", 9), subtotal("unknown", None)))
    assert found is not None
    assert [each.id for each in found] == ["small", "large"]


@pytest.mark.parametrize(
    "rows",
    [(), (subtotal("one", 5),), (subtotal("one", 5), subtotal("two", 5)), (subtotal("one", 5), subtotal("x", None))],
)
def test_without_a_difference_there_is_no_strongest(rows: tuple[Subtotal, ...]) -> None:
    assert words.extremes(rows) is None


def test_little_is_nobodys_strongest() -> None:
    low, half = subtotal("one", 0), subtotal("two", 5)
    sheet = make_sheet().model_copy(update={"competencies": (low, half)})
    assert "Strongest: " in words.headline(sheet)
    poor = sheet.model_copy(update={"competencies": (low, subtotal("two", 4))})
    assert "Strongest" not in words.headline(poor)
    assert "Weakest: " in words.headline(poor)


def test_headlines_of_all_situations() -> None:
    full = (make_check_line(earned=4, outcome=Outcome.PASSED),)
    assert words.headline(make_sheet(checks=full)) == "4 of 4 points: nothing was lost."
    assert words.headline(make_sheet(checks=(make_check_line(),))) == "2 of 4 points."
    assert words.headline(make_rejected_sheet()) == "This submission could not be graded."
    assert words.headline(make_faulted_sheet()) == (
        "No total yet: 2 of 30 checks could not be measured. It will be between 69.8 and 77.8 of 100 points."
    )
    assert words.headline(make_faulted_sheet(checks=())).startswith("No total yet: the checks could not be measured.")


def test_the_candidate_is_not_told_of_a_weakest() -> None:
    assert "Most room to grow: Production operations" in words.headline(make_sheet(audience=Audience.CANDIDATE))


def test_every_outcome_and_party_has_words() -> None:
    assert words.OUTCOME_WORDS.keys() == words.OUTCOME_SYMBOLS.keys() == {*Outcome, None}
    assert words.WHO_ACTS.keys() == set(Party)
    assert len(set(words.OUTCOME_SYMBOLS.values())) == len(Outcome) + 1
