"""Marks of kits: one for each person and exercise, in what is handed in, and in nothing that counts."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import nbformat
import pytest

from grader.catalog.exercises import load_exercise
from grader.catalog.kit_files import Person
from grader.catalog.leaks import find_leaks
from grader.catalog.marks import kit_mark, marked, marks_in, without_mark
from grader.intake.manifest import read_manifest
from grader.intake.receive import receive
from tests.conftest import TINY
from tests.unit.catalog.conftest import BuildKit

KEY = b"k" * 32
NOTEBOOK = TINY.parent / "tiny_notebook" / "solutions" / "reference" / "decision.ipynb"


def person(name: str) -> Person:
    return Person(name=name, mark=kit_mark(KEY, "tiny_sum", name))


def files(kit: Path) -> dict[str, bytes]:
    paths = [path for path in kit.rglob("*") if path.is_file() and ".git" not in path.parts]
    return {path.relative_to(kit).as_posix(): path.read_bytes() for path in paths}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A copy of tiny_sum with a notebook, public checks and a page in its template."""
    folder = Path(shutil.copytree(TINY, tmp_path / "exercises" / "tiny_sum"))
    shutil.copy(NOTEBOOK, folder / "template")
    (folder / "template" / "checks").mkdir()
    (folder / "template" / "checks" / "test_public.py").write_text("def test_it():\n    pass\n")
    (folder / "template" / "RULES.md").write_text("# Rules\n")
    return folder


def test_a_mark_belongs_to_a_person_an_exercise_and_a_key() -> None:
    mark = kit_mark(KEY, "tiny_sum", "Ada Lovelace")
    assert mark == kit_mark(KEY, "tiny_sum", " ada  LOVELACE")
    others = {
        kit_mark(KEY, "tiny_sum", "Ada"),
        kit_mark(KEY, "tiny", "Ada Lovelace"),
        kit_mark(b"l" * 32, "tiny_sum", "Ada Lovelace"),
    }
    assert len(others | {mark}) == 4


def test_a_mark_is_found_in_any_bytes() -> None:
    mark = kit_mark(KEY, "tiny_sum", "Ada")
    assert marks_in(b"\0\xff" + mark.encode() + b'"') == {mark}
    assert marks_in(f"x{mark} {mark}a {mark[:-1]}".encode()) == set()


def test_what_is_handed_in_carries_the_mark_and_works_as_before(make_kit: BuildKit, source: Path) -> None:
    ada = person("Ada L.")
    kit = make_kit(source, person=ada)
    carrying = {name for name, content in files(kit).items() if marks_in(content)}
    assert carrying == {"README.md", "kit.toml", "add.py", "submission.toml", "decision.ipynb"}
    assert {mark for name in carrying for mark in marks_in(files(kit)[name])} == {ada.mark}
    read_manifest(receive(kit), load_exercise(source).manifest.part)
    compile((kit / "add.py").read_bytes(), "add.py", "exec", dont_inherit=True)
    notebook = nbformat.read(kit / "decision.ipynb", as_version=4)  # type: ignore[no-untyped-call]
    nbformat.validate(notebook)  # type: ignore[no-untyped-call]
    assert notebook.cells == nbformat.read(NOTEBOOK, as_version=4).cells  # type: ignore[no-untyped-call]


def test_kits_of_two_people_differ_in_mark_and_name_and_in_nothing_else(make_kit: BuildKit, source: Path) -> None:
    found = []
    for name in ("Ada L.", "Eve L."):
        each = person(name)
        kit = make_kit(source, name=name, person=each)
        assert each.mark is not None
        plain = {path: content.replace(each.mark.encode(), b"MARK") for path, content in files(kit).items()}
        found.append(plain | {"README.md": plain["README.md"].replace(name.encode(), b"NAME")})
    assert found[0] == found[1]


def test_a_kit_for_nobody_has_no_mark_and_files_as_they_were_written(make_kit: BuildKit, source: Path) -> None:
    kit = make_kit(source, person=Person())
    assert not any(marks_in(content) for content in files(kit).values())
    assert (kit / "decision.ipynb").read_bytes() == NOTEBOOK.read_bytes()


def test_a_mark_gives_nothing_away_and_hides_no_module_that_is_given(
    make_kit: BuildKit, source: Path, data: Path
) -> None:
    given = "".join(f"the_answer_to_everything_number_{number} = {number} * 42\n" for number in range(5))
    for place in ("template", "solutions/reference"):
        (source / place / "given.py").write_text(given)
    kit = make_kit(source, person=person("Ada L."))
    assert marks_in((kit / "given.py").read_bytes())
    assert find_leaks(kit, load_exercise(source), source, data) == ()


@pytest.mark.parametrize("text", ["", "x = 1\n", "x = 1", "# kit-a is no mark\n"])
def test_a_mark_can_be_taken_away_again(text: str) -> None:
    mark = kit_mark(KEY, "tiny_sum", "Ada")
    for name in ("a.py", "a.toml", "a.sql"):
        assert without_mark(marked(name, text.encode(), mark).decode()) in (text, f"{text}\n")
    assert marked("a.csv", text.encode(), mark) == text.encode()


def test_jupyter_metadata_stay() -> None:
    before = {"metadata": {"kernelspec": {"name": "python3"}}, "cells": []}
    after = json.loads(marked("a.ipynb", json.dumps(before).encode(), "kit-x"))
    assert after == {**before, "metadata": {"kernelspec": {"name": "python3"}, "grader": {"kit": "kit-x"}}}
