"""Mutants: one small change each, the same ones every time."""

from __future__ import annotations

import ast
import difflib
from pathlib import Path

from grader.author.mutants import mutants_of
from grader.catalog.ladder import rung_named

REFERENCE = rung_named(Path(__file__).parents[2] / "exercises" / "tiny_sum", "reference")
TEXT = REFERENCE.files()["add.py"].decode()


def test_each_is_one_change_that_means_something_else() -> None:
    mutants = mutants_of(REFERENCE, 10)
    assert len(mutants) == 10
    for mutant in mutants:
        changed = mutant.rung.files()["add.py"].decode()
        assert ast.dump(ast.parse(changed)) != ast.dump(ast.parse(TEXT))
        lines = [line for line in difflib.ndiff(TEXT.splitlines(), changed.splitlines()) if line.startswith("- ")]
        assert lines == [f"- {TEXT.splitlines()[mutant.line - 1]}"]
        assert mutant.before == TEXT.splitlines()[mutant.line - 1].strip()
        assert mutant.after in changed


def test_they_are_the_same_every_time_and_all_different() -> None:
    first, second = mutants_of(REFERENCE, 8), mutants_of(REFERENCE, 8)
    assert [each.rung.files() for each in first] == [each.rung.files() for each in second]
    assert len({each.rung.files()["add.py"] for each in first}) == 8
    assert [each.rung.name for each in first[:2]] == ["mutant_001", "mutant_002"]


def test_there_are_no_more_than_there_are() -> None:
    assert len(mutants_of(REFERENCE, 10_000)) < 1000
