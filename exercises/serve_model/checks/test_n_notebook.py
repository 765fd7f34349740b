"""The decision notebook: it runs, it computes, it can be believed, and it says what the service does."""

from __future__ import annotations

import pytest
from claims import probe
from world import VERSIONS

from grader.checker.decision import Study


@pytest.fixture(scope="session")
def study(notebook, variant) -> Study:
    """The notebook on artefacts and histories of six other worlds."""
    return Study(notebook, variant.path / "decision")


@pytest.mark.check(
    id="N1",
    points=3,
    competency="engineering",
    requirement="R29",
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
    requirement="R30",
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
    requirement="R31",
    title="Decision has the form that the brief asks for",
    question="Who or what would read decision.json in your company, and what would it do with a missing key?",
    feedback="Compare your decision.json with the table in the brief, key by key.",
)
def test_keeps_form(study, award):
    study.keeps_form("late_rate_approved").give(award)


@pytest.mark.check(
    id="N4",
    points=2,
    competency="statistics",
    requirement="R32",
    title="Notebook computes its figures from the data",
    question="What would your estimate be on the labels of next month, and what would have to hold for that?",
    feedback="Run on other artefacts, the estimate did not follow them, or its interval missed the truth.",
)
def test_computes(study, award):
    study.computes().give(award)


@pytest.mark.check(
    id="N5",
    points=1,
    competency="statistics",
    requirement="R33",
    title="Interval is neither too narrow nor useless",
    question="Which method gave your interval, what does it assume, and how did you check that it holds here?",
    feedback="On other artefacts your interval misses the truth too often, or is far wider than it need be.",
)
def test_is_honest(study, award):
    study.is_honest().give(award)


@pytest.mark.check(
    id="N6",
    points=1,
    competency="communication",
    requirement="R34",
    title="Decision says what the service does",
    question="How would you keep a document and a service in step over a year?",
    feedback="With the version that your notebook chose, the service's decision turns at another threshold.",
)
def test_agrees(study, bench, names, variant, award):
    chosen = study.claims().method
    if chosen not in VERSIONS:
        award(0.0, "It chooses none of the versions that there are.")
        return
    found = probe(bench, names, variant.path, chosen)
    study.agrees(found.version, found.threshold, together=True).give(award)
