"""Every exercise ships a ladder that can be put together and says what each rung must earn. No Docker, no runs."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from grader.author.lint.findings import Level
from grader.author.lint.lint import lint
from grader.catalog.exercises import load_exercise
from grader.catalog.ladder import Rung, RungKind, load_ladder

EXERCISES = sorted(path.parent for path in (Path(__file__).parents[2] / "exercises").glob("*/exercise.toml"))
RUNGS = [
    pytest.param(exercise, rung, id=f"{exercise.name}-{rung.name}")
    for exercise in EXERCISES
    for rung in load_ladder(exercise)
]


@pytest.mark.parametrize(("exercise", "rung"), RUNGS)
def test_a_rung_is_a_complete_submission(exercise: Path, rung: Rung) -> None:
    files = rung.files()
    assert "submission.toml" in files
    part = load_exercise(exercise).manifest.part
    if part.kind != "service":  # a service is started by whatever command it names
        assert part.entry_path in files
    for path, content in files.items():
        if path.endswith(".py"):
            ast.parse(content)


@pytest.mark.parametrize(("exercise", "rung"), RUNGS)
def test_a_rung_names_checks_that_exist(exercise: Path, rung: Rung) -> None:
    assert set(rung.expected.must_fail) <= {check.id for check in load_exercise(exercise).checks}


@pytest.mark.parametrize(("exercise", "rung"), [each for each in RUNGS if each.values[1].expected.rung == "flaw"])
def test_a_flaw_is_a_small_change_that_can_lose_what_its_band_says(exercise: Path, rung: Rung) -> None:
    points = {check.id: float(check.points) for check in load_exercise(exercise).code_checks}
    lost = sum(points.get(check, 0.0) for check in rung.expected.must_fail)
    assert rung.base is not None
    assert rung.base.files() != rung.files()
    assert sum(len(each.new.splitlines()) for each in rung.patch.replace) <= 40
    # Between half of the named points and all of them plus what a tolerated loss elsewhere costs.
    assert rung.expected.band[1] >= 100 - lost
    assert rung.expected.band[0] <= 100 - lost / 2


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda path: path.name)
def test_a_ladder_has_every_kind_of_rung(exercise: Path) -> None:
    kinds = [rung.expected.rung for rung in load_ladder(exercise)]
    assert set(kinds) == set(RungKind)
    assert kinds.count(RungKind.REFERENCE) == 1
    assert kinds.count(RungKind.ALTERNATE) >= 2


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda path: path.name)
def test_lint_finds_no_error(exercise: Path) -> None:
    assert [each for each in lint(exercise) if each.level is Level.ERROR] == []


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda path: path.name)
def test_every_check_is_failed_by_a_rung(exercise: Path) -> None:
    failed = {check for rung in load_ladder(exercise) for check in rung.expected.must_fail}
    assert {check.id for check in load_exercise(exercise).checks} <= failed


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda path: path.name)
def test_code_has_a_hundred_points_and_the_notebook_nine(exercise: Path) -> None:
    loaded = load_exercise(exercise)
    notebook = [check for check in loaded.checks if check not in loaded.code_checks]
    assert loaded.possible == 100
    assert [(check.id, check.points) for check in notebook] == [
        ("N1", 3), ("N2", 1), ("N3", 1), ("N4", 2), ("N5", 1), ("N6", 1),
    ]  # fmt: skip


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda path: path.name)
def test_reference_and_alternates_have_a_notebook_that_earns_its_points(exercise: Path) -> None:
    for rung in load_ladder(exercise):
        if rung.expected.rung in (RungKind.REFERENCE, RungKind.ALTERNATE):
            assert "decision.ipynb" in rung.files()
            assert rung.expected.notebook is not None
            assert rung.expected.notebook[0] >= 8
