"""The decision notebook."""

import pytest

from grader.checker.decision import Study


@pytest.fixture(scope="session")
def study(notebook, variant):
    """The notebook on six data sets."""
    return Study(notebook, variant.path / "decision")


@pytest.mark.check(id="N1", points=3, competency="engineering", title="Runs from top to bottom", feedback="Run it.")
def test_runs(study, award):
    study.runs().give(award)


@pytest.mark.check(id="N2", points=1, competency="engineering", title="Decides the same twice", feedback="Seed it.")
def test_repeats(study, award):
    study.repeats().give(award)


@pytest.mark.check(id="N3", points=1, competency="communication", title="Keeps the form", feedback="Read the brief.")
def test_form(study, award):
    study.keeps_form("mean").give(award)


@pytest.mark.check(id="N4", points=2, competency="statistics", title="Computes", feedback="Compute it.")
def test_computes(study, award):
    study.computes().give(award)


@pytest.mark.check(id="N5", points=1, competency="statistics", title="Is honest", feedback="Is the interval right?")
def test_honest(study, award):
    study.is_honest().give(award)


@pytest.mark.check(id="N6", points=1, competency="communication", title="Agrees with the code", feedback="Compare.")
def test_agrees(study, award):
    study.agrees("half-even", 0.5).give(award)
