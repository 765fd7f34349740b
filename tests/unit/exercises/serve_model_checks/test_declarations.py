"""The declared checks: number, points, and what each audience is told."""

from __future__ import annotations

import re

import pytest

from grader.catalog.exercises import load_exercise

POINTS = {
    "A": (2, 3, 4, 4, 2, 3, 2, 4),
    "B": (5, 4, 3, 1, 4, 3, 4, 3, 4),
    "C": (4, 2, 4, 3, 4, 3),
    "D": (6, 4, 4, 2, 3, 2),
    "E": (4,),
}


@pytest.fixture(scope="module")
def declared(exercise):
    return [check for check in load_exercise(exercise).checks if check.id[0] in POINTS]


def test_there_are_thirty_checks_of_a_hundred_points(declared):
    found = {check.id: int(check.points) for check in declared}
    assert found == {f"{group}{n}": points for group, each in POINTS.items() for n, points in enumerate(each, start=1)}
    assert len(found) == 30
    assert sum(found.values()) == 100


def test_feedback_holds_no_hidden_number(declared):
    for check in declared:
        assert not re.search(r"\d", check.feedback.replace("422", "").replace("exit status 0", "")), check.id
        assert check.feedback.endswith("."), check.id


def test_every_check_has_a_question_for_the_interview(declared):
    questions = [check.question for check in declared]
    assert all("?" in question for question in questions)
    assert len(set(questions)) == len(questions)


def test_titles_hold_no_jargon(declared):
    for check in declared:
        assert not re.search(r"[_`<>]|regex|dtype|p95|NaN|RSS|JSONL", check.title), check.id
