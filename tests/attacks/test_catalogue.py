"""Every row of the catalogue is held by something that exists, or somebody answers for it by name."""

from __future__ import annotations

from datetime import date

import pytest

from tests.attacks.cases import CASES, load_cases, reference
from tests.attacks.catalogue import ROWS, SECTIONS, WAIVED, index, missing, waivers

MOST_WAIVERS = 10
ATTACKED = {row for case in load_cases() for row in case.expected.rows}


def test_the_index_has_every_row_of_sections_a_to_i() -> None:
    assert list(index()) == list(ROWS)
    assert [row for rows in SECTIONS.values() for row in rows] == list(ROWS)


@pytest.mark.parametrize("row", ROWS)
def test_a_row_is_held_or_waived(row: int) -> None:
    held = row in ATTACKED or bool(index()[row].tests)
    assert held != (row in waivers()), "it must be the one or the other"


def test_every_test_that_is_named_exists() -> None:
    wrong = {test: missing(test) for row in index().values() for test in row.tests if missing(test)}
    assert wrong == {}


def test_a_test_that_does_not_exist_is_noticed() -> None:
    here = "tests/attacks/test_catalogue.py"
    assert missing(f"{here}::test_a_row_is_held_or_waived[row]") == ""
    assert missing("tests/nowhere.py::test_x") == "tests/nowhere.py does not exist"
    assert missing(f"{here}::test_x") == f"{here} has no test_x"
    assert missing(f"{here}::test_a_row_is_held_or_waived[{'x' * 9}]").endswith(f"has no parameter '{'x' * 9}'")


def test_waivers_are_few_and_each_has_a_name_a_date_and_a_reason() -> None:
    found = waivers()
    assert len(found) == WAIVED.read_text().count("\n## ") <= MOST_WAIVERS
    assert all(by and why and date(2026, 1, 1) < on for by, on, why in found.values())


@pytest.mark.parametrize("case", load_cases(), ids=lambda case: case.name)
def test_an_attack_differs_from_an_honest_submission(case: object) -> None:
    assert case.files() != reference(case.expected.exercise)  # type: ignore[attr-defined]
    assert set(case.expected.rows) <= set(ROWS)  # type: ignore[attr-defined]


def test_no_folder_of_an_attack_is_empty() -> None:
    assert {folder.name for folder in CASES.iterdir()} == {case.name for case in load_cases()}
