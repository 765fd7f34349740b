"""The decision notebook: it runs, it computes, it can be believed, and it says what the detector does."""

from __future__ import annotations

import pytest
from claims import probe

from grader.checker.decision import Study


@pytest.fixture(scope="session")
def study(notebook, variant) -> Study:
    """The notebook on the tables of six other worlds."""
    return Study(notebook, variant.path / "decision")


@pytest.mark.check(
    id="N1",
    points=3,
    competency="engineering",
    requirement="R18",
    title="Notebook runs from top to bottom",
    question="What did you do to be sure that your notebook runs on a machine that is not yours?",
    feedback="Restart the kernel and run all cells in a clean copy of your folder; every code cell must run.",
)
def test_runs(study, award):
    study.runs().give(award)


@pytest.mark.check(
    id="N2",
    points=1,
    competency="engineering",
    requirement="R19",
    title="Notebook decides the same twice",
    question="Where does chance enter your analysis, and how would a colleague get your figures again?",
    feedback="Run on the same data twice, your decision.json was not the same.",
)
def test_repeats(study, award):
    study.repeats().give(award)


@pytest.mark.check(
    id="N3",
    points=1,
    competency="communication",
    requirement="R20",
    title="Decision has the form that the brief asks for",
    question="Who or what would read decision.json in your company, and what would it do with a missing key?",
    feedback="Compare your decision.json with the table in the brief, key by key.",
)
def test_keeps_form(study, award):
    study.keeps_form("auc").give(award)


@pytest.mark.check(
    id="N4",
    points=2,
    competency="statistics",
    requirement="R21",
    title="Notebook computes its figures from the data",
    question="What would your estimate be on the labels of next month, and what would have to hold for that?",
    feedback="Run on other tables, the estimate did not follow them, or its interval missed the truth.",
)
def test_computes(study, award):
    study.computes().give(award)


@pytest.mark.check(
    id="N5",
    points=1,
    competency="statistics",
    requirement="R21",
    title="Interval is neither too narrow nor useless",
    question="Which method gave your interval, what does it assume, and how did you check that it holds here?",
    feedback="On other tables your interval misses the truth too often, or is far wider than it need be.",
)
def test_is_honest(study, award):
    study.is_honest().give(award)


@pytest.mark.check(
    id="N6",
    points=1,
    competency="communication",
    requirement="R22",
    title="Decision says what the detector does",
    question="How would you keep a document and a program in step over a year?",
    feedback="The comparison, or the alpha that holds when none is given, is not the one that your notebook states.",
)
def test_agrees(study, submission, world, variant, award):
    study.claims()
    habits = probe(submission, world, variant)
    study.agrees(habits.method, habits.alpha).give(award)
