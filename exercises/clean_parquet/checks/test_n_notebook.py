"""The decision notebook: it runs, it computes, it can be believed, and it says what the program does."""

from __future__ import annotations

import pytest
from claims import repaired_distance, which_state_wins

from grader.checker.decision import Study


@pytest.fixture(scope="session")
def study(notebook, variant) -> Study:
    """The notebook on the exports of six other worlds."""
    return Study(notebook, variant.path / "decision")


@pytest.mark.check(
    id="N1",
    points=3,
    competency="engineering",
    title="Notebook runs from top to bottom",
    requirement="R22",
    question="What did you do to be sure that your notebook runs on a machine that is not yours?",
    feedback="Restart the kernel and run all cells in a clean copy of your folder; every code cell must run.",
)
def test_runs(study, award):
    study.runs().give(award)


@pytest.mark.check(
    id="N2",
    points=1,
    competency="engineering",
    title="Notebook decides the same twice",
    requirement="R23",
    question="Where does chance enter your analysis, and how would a colleague get your figures again?",
    feedback="Run on the same data twice, your decision.json was not the same.",
)
def test_repeats(study, award):
    study.repeats().give(award)


@pytest.mark.check(
    id="N3",
    points=1,
    competency="communication",
    title="Decision has the form that the brief asks for",
    requirement="R24",
    question="Who or what would read decision.json in your company, and what would it do with a missing key?",
    feedback="Compare your decision.json with the table in the brief, key by key.",
)
def test_keeps_form(study, award):
    study.keeps_form("quarantine_rate").give(award)


@pytest.mark.check(
    id="N4",
    points=2,
    competency="statistics",
    title="Notebook computes its figures from the data",
    requirement="R25",
    question="What in your estimate would change if the exports of next month came in?",
    feedback="Run on other exports, the estimate did not follow them, or its interval missed the truth.",
)
def test_computes(study, award):
    study.computes().give(award)


@pytest.mark.check(
    id="N5",
    points=1,
    competency="statistics",
    title="Interval is neither too narrow nor useless",
    requirement="R26",
    question="What is the unit that repeats here: the row, the file or the shop? What does your interval assume?",
    feedback="On other exports your interval misses the truth too often, or is far wider than it need be.",
)
def test_is_honest(study, award):
    study.is_honest().give(award)


@pytest.mark.check(
    id="N6",
    points=1,
    competency="communication",
    title="Decision says what the program does",
    requirement="R27",
    question="How would you keep a document and a program in step over a year?",
    feedback="The state that wins, or the edit distance that is repaired, is not the one that your notebook states.",
)
def test_agrees(study, command, variant, standing, award):
    study.claims()
    method, distance = which_state_wins(standing), repaired_distance(command, variant.path / "probe", standing)
    study.agrees(method, distance).give(award)
