"""Rungs that need no author: complete submissions of every kind."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from grader.author.cheats import generated_rungs
from grader.catalog.exercises import load_exercise
from grader.catalog.ladder import materialise
from grader.errors import SubmissionRejected
from grader.intake.manifest import read_manifest
from grader.intake.receive import receive

EXERCISES = sorted(path.parent for path in (Path(__file__).parents[2] / "exercises").glob("*/exercise.toml"))


@pytest.mark.parametrize("source", EXERCISES, ids=lambda path: path.name)
def test_each_can_be_handed_in_and_is_started_as_its_kind_is(source: Path, tmp_path: Path) -> None:
    exercise = load_exercise(source)
    rungs = {rung.name: rung for rung in generated_rungs(exercise, source)}
    assert set(rungs) == {"untouched", "empty"} | {
        f"cheat_{name}" for name in ("early_exit", "skip", "constant", "planted")
    }
    for name, rung in rungs.items():
        materialise(rung, tmp_path / name)
        if name == "empty":
            with pytest.raises(SubmissionRejected):
                receive(tmp_path / name)
            continue
        submission = receive(tmp_path / name)
        read_manifest(submission, exercise.manifest.part)
        for file in submission.files:
            if file.path.endswith(".py"):
                ast.parse(file.content)


def test_the_planted_files_are_those_that_harnesses_have_fallen_for() -> None:
    source = EXERCISES[0]
    rungs = {rung.name: rung for rung in generated_rungs(load_exercise(source), source)}
    assert {"conftest.py", "sitecustomize.py", "pytest.ini", "results.json"} <= set(rungs["cheat_planted"].files())


def test_the_untouched_kit_is_the_template_without_what_nobody_hands_in() -> None:
    source = EXERCISES[0]
    rungs = {rung.name: rung for rung in generated_rungs(load_exercise(source), source)}
    template = {path.relative_to(source / "template").as_posix() for path in (source / "template").rglob("*.*")}
    assert set(rungs["untouched"].files()) == {name for name in template if "__pycache__" not in name}
