"""The declared checks: number, points, and what each audience is told."""

from __future__ import annotations

import re

import pytest

from grader.catalog.exercises import load_exercise

POINTS = {
    "A": (3, 4, 2),
    "B": (4, 3, 4, 3, 2),
    "C": (3, 3, 3, 2),
    "D": (3, 3, 5, 4, 3),
    "E": (4, 4, 4, 4),
    "F": (7, 4, 2, 3),
    "G": (4, 3, 2, 4, 1),
}


@pytest.fixture(scope="module")
def loaded(exercise):
    return load_exercise(exercise)


def test_there_are_thirty_checks_of_a_hundred_points(loaded):
    found = {check.id: int(check.points) for check in loaded.code_checks}
    assert found == {f"{group}{n}": points for group, each in POINTS.items() for n, points in enumerate(each, start=1)}
    assert len(found) == 30
    assert loaded.possible == 100


def test_the_brief_names_the_points_of_every_group(exercise):
    brief = (exercise / "brief.md").read_text(encoding="utf-8")
    for group, points in POINTS.items():
        assert re.search(rf"^\| {group} \S.* \| {sum(points)} \|", brief, re.MULTILINE), group


def test_the_brief_names_the_points_of_the_notebook(exercise, loaded):
    brief = (exercise / "brief.md").read_text(encoding="utf-8")
    for check in set(loaded.checks) - set(loaded.code_checks):
        assert re.search(rf"^\| {check.id} \| {check.points.normalize():f} \|", brief, re.MULTILINE), check.id


def test_feedback_names_a_rule_and_no_hidden_number(loaded):
    for check in loaded.checks:
        told = re.sub(
            r"RULES\.md( [\d.]+)?( and [\d.]+)*|Windows-1252|UTF-8|12-hour|exit status is not 3|3 million",
            "",
            check.feedback,
        )
        assert not re.search(r"\d", told), check.id
        assert check.feedback.endswith("."), check.id


def test_every_check_has_a_question_for_the_interview(loaded):
    questions = [check.question for check in loaded.checks]
    assert all("?" in question for question in questions)
    assert len(set(questions)) == len(questions)


def test_titles_hold_no_jargon(loaded):
    for check in loaded.checks:
        assert not re.search(r"[_`<>]|regex|dtype|UTC offset", check.title), check.id
