"""Names of files for what strangers have named: accepted everywhere, and one for each."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.intake.file_names import LONGEST, file_name, file_names
from grader.intake.paths import folded


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("Ada Lovelace", "Ada_Lovelace"),
        ("../../etc/passwd", "etc_passwd"),
        ("Zoe\u0308", "Zo\u00eb"),
        ("CON", "_CON"),
        ("nul.tar", "_nul.tar"),
        ("\uff43\uff4f\uff4e", "_\uff43\uff4f\uff4e"),
        ("console", "console"),
        ("a" * 79 + ".b", "a" * 79),
        ("\U00020000" * 80, "\U00020000" * 50),
        ("\u3164\u115f", "submission"),
        ("..", "submission"),
    ],
)
def test_a_name_is_accepted_by_every_system(label: str, name: str) -> None:
    assert file_name(label) == name


def test_names_differ_where_capitals_or_forms_of_letters_do_not_count() -> None:
    labels = ["Ada", "ada", "\uff21da", "Zoe\u0308", "Zo\u00eb", "ada-2"]
    assert file_names(labels) == ["Ada", "ada-2", "\uff21da-3", "Zo\u00eb", "Zo\u00eb-2", "ada-2-2"]


def test_names_that_are_taken_are_left_alone() -> None:
    assert file_names(["previous", "Summary.CSV"], taken=("previous", "SUMMARY.csv")) == ["previous-2", "Summary.CSV-2"]


@given(st.lists(st.text(max_size=100), max_size=6))
def test_whatever_the_labels_are(labels: list[str]) -> None:
    names = file_names(labels)
    assert len(set(map(folded, names))) == len(labels)
    for name in names:
        assert 0 < len(name) <= LONGEST + 2
        assert len(name.encode()) <= 210
        assert name[-1] not in ". "
        assert not set(name) & set('/\\:*?"<>|\0')
