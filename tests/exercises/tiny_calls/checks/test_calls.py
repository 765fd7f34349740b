"""Checks of a class that remembers the largest number."""

import json

import numbers_of
import pandas as pd
import pytest

from grader.checker.api import Reason, linear


@pytest.fixture(scope="session")
def numbers(variant):
    """The hidden numbers, drawn once more as the generator did."""
    table = pd.read_parquet(variant.path / "numbers.parquet")
    assert table.equals(numbers_of.table(variant.number))
    assert json.loads((variant.path / "reference.json").read_text()) is True
    return table


@pytest.fixture(scope="session")
def fitted(submission, numbers):
    """Two processes that know the numbers."""
    with submission.open(workers=2) as session:
        session.construct()
        session.call("fit", table=numbers)
        yield session


@pytest.fixture(scope="session")
def another(submission, numbers):
    """A process of a later session."""
    with submission.open() as session:
        session.construct()
        session.call("fit", table=numbers)
        yield session


@pytest.mark.check(id="A1", points=4, competency="statistics", title="Tells larger numbers")
def test_above(fitted, numbers, award):
    largest = float(numbers["number"].max())
    answers = fitted.map("above", [{"number": largest + (-1) ** place} for place in range(300)])
    right = sum(answer.value is (place % 2 == 0) for place, answer in enumerate(answers))
    reasons = {str(answer.reason or answer.error) for answer in answers if not answer.ok}
    reason = next((answer.reason for answer in answers if answer.reason), Reason.WRONG_ANSWER)
    award(linear(right / 300, 0, 1), f"{right} of 300 are right.", reason=reason, evidence={"gone wrong": reasons})


@pytest.mark.check(id="B1", points=1, competency="engineering", title="Refuses what is no number")
def test_refuses(fitted, award):
    answer = fitted.ask("above", number="x")
    award(float("ValueError" in answer.bases), f"It gave {answer.error or answer.value!r}.")


@pytest.mark.check(id="B2", points=1, competency="performance", title="Takes no longer than the reference")
def test_quick(fitted, reference, numbers, award):
    calls = [{"number": 1.0}] * 50
    fitted.map("above", calls)
    with reference.open() as session:
        session.construct()
        session.call("fit", table=numbers)
        session.map("above", calls)
        theirs = session.last.seconds
    award(1.0 if fitted.last.seconds < 100 * theirs + 10 else 0.0, metrics={"reference": theirs})


@pytest.mark.check(id="C1", points=2, competency="statistics", title="Counts from nothing on every copy")
def test_fresh(another, numbers, award):
    largest = float(numbers["number"].max())
    steps = [{"number": largest + 1}, {"number": largest - 1}, {"number": largest + 1}]
    found = another.map_fresh("update", [steps] * 5)
    award(float(all([each.value for each in run] == [1, 1, 2] for run in found)), str(found[0]))


@pytest.mark.check(id="C2", points=2, competency="engineering", title="Goes on in a new process")
def test_restored(another, award):
    another.call("save", path=another.path("state"))
    another.restart()
    another.load("load", path=another.path("state"))
    award(float(another.ask("above", number=1e9).value is True))
