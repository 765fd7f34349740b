"""What `grader author new` writes: complete, free of findings, and never over anything."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import jsonschema
import pytest

from grader.author.lint.lint import lint
from grader.author.scaffolding import KINDS, exercise_files, write_exercise
from grader.author.schema import FILE, schema_text
from grader.catalog.exercises import load_exercise
from grader.catalog.ladder import load_ladder, materialise
from grader.catalog.leaks import canaries
from grader.errors import SubmissionRejected, UsageError
from grader.intake.manifest import read_manifest
from grader.intake.receive import receive


@pytest.mark.parametrize("kind", KINDS)
def test_lint_finds_nothing_but_that_no_version_is_released_yet(kind: str, tmp_path: Path) -> None:
    written = write_exercise("order_values", kind, tmp_path)
    assert [(each.rule, each.level) for each in lint(written.folder)] == [("versions", "warning")]


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_what_was_asked_for(kind: str, tmp_path: Path) -> None:
    written = write_exercise("order_values", kind, tmp_path)
    exercise = load_exercise(written.folder)
    assert (exercise.id, exercise.manifest.part.kind, exercise.possible) == ("order_values", kind, 100)
    assert len(exercise.checks) == 3
    assert written.files == sum(path.is_file() for path in written.folder.rglob("*"))


@pytest.mark.parametrize("kind", KINDS)
def test_every_rung_can_be_handed_in_and_started(kind: str, tmp_path: Path) -> None:
    source = write_exercise("order_values", kind, tmp_path).folder
    part = load_exercise(source).manifest.part
    for rung in load_ladder(source):
        materialise(rung, tmp_path / "rungs" / rung.name)
        submission = receive(tmp_path / "rungs" / rung.name)
        read_manifest(submission, part)
        assert part.entry_path in {file.path for file in submission.files}


@pytest.mark.parametrize("kind", KINDS)
def test_its_manifest_keeps_the_schema_that_lies_beside_it(kind: str, tmp_path: Path) -> None:
    folder = write_exercise("order_values", kind, tmp_path).folder
    values = tomllib.loads((folder / "exercise.toml").read_text())
    assert (folder / values["$schema"]).resolve() == (tmp_path / FILE).resolve()
    jsonschema.validate(values, json.loads((tmp_path / FILE).read_text()))


def test_python_of_every_file_is_python_and_no_word_of_the_templates_is_left() -> None:
    for kind in KINDS:
        for name, text in exercise_files("order_values", kind).items():
            assert "{{" not in text, name
            assert "{%" not in text, name
            if name.endswith(".py"):
                compile(text, name, "exec")


def test_every_id_has_a_sample_of_its_own() -> None:
    seeds = {tomllib.loads(exercise_files(name, "command")["exercise.toml"])["public_seed"] for name in ("aa", "ab")}
    assert len(seeds) == 2


@pytest.mark.parametrize("there", ["folder", "file", "link to nowhere"])
def test_nothing_is_ever_overwritten(there: str, tmp_path: Path) -> None:
    target = tmp_path / "order_values"
    if there == "folder":
        target.mkdir()
    elif there == "file":
        target.write_text("mine")
    else:
        target.symlink_to(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="is there already"):
        write_exercise("order_values", "command", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["order_values"]
    assert not target.is_dir() or not any(target.iterdir())
    assert not target.is_file() or target.read_text() == "mine"


@pytest.mark.parametrize("name", ["", "A", "a", "Order", "order-values", "1st", "../up", "a" * 42, "über"])
def test_an_id_that_manifests_would_refuse_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be the id"):
        write_exercise(name, "command", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be written"):
        write_exercise("order_values", "command", tmp_path / "file")


def test_a_schema_of_another_version_is_kept_and_told_of(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("{}")
    (note,) = write_exercise("order_values", "command", tmp_path).notes
    assert "is of another version" in note
    assert (tmp_path / FILE).read_text() == "{}"
    (tmp_path / FILE).write_text(schema_text())
    assert write_exercise("order_values2", "command", tmp_path).notes == ()


def test_the_untouched_kit_is_no_answer(tmp_path: Path) -> None:
    """The stub runs, so that candidates can begin; it is none of the rungs."""
    source = write_exercise("order_values", "callable", tmp_path).folder
    stub = (source / "template" / "shop_values.py").read_bytes()
    assert stub not in [rung.files()["shop_values.py"] for rung in load_ladder(source)]


def test_broken_is_refused_before_it_is_graded_where_programs_can_be_looked_at() -> None:
    expected = {kind: exercise_files("order_values", kind)["solutions/broken/expected.toml"] for kind in KINDS}
    refused = {kind for kind, text in expected.items() if "missing_package" in text}
    assert refused == {"callable", "service", "command"}
    assert SubmissionRejected.exit_code == 3


def test_every_exercise_has_a_canary_of_its_own_where_only_authors_read(tmp_path: Path) -> None:
    marks = {name: canaries(write_exercise(name, "command", tmp_path).folder) for name in ("aa", "ab")}
    assert [len(each) for each in marks.values()] == [1, 1]
    assert marks["aa"] != marks["ab"]
