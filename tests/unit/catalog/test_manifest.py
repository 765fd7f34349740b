"""exercise.toml: every complaint names the key, the line and what would be right."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.catalog.manifest import line_of, read_manifest
from grader.errors import ExerciseDefect

GOOD = """\
schema = 1
id = "tidy_up"
version = "1.2.0"
title = "Tidy up"
summary = "Tidy up."
hours = 2.5
public_seed = 7

[part]
kind = "command"
argv = ["python", "tidy.py"]
entry = "tidy.py"

[groups]
A = "Reading"

[limits]
command_seconds = 20

[limits.submission]
memory = "1GiB"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tidy_up").mkdir()
    return tmp_path / "tidy_up"


def defect(folder: Path, text: str | bytes) -> ExerciseDefect:
    (folder / "exercise.toml").write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(ExerciseDefect) as caught:
        read_manifest(folder)
    assert caught.value.file == "exercise.toml"
    return caught.value


def test_a_good_manifest_is_read(folder: Path) -> None:
    (folder / "exercise.toml").write_text(GOOD)
    manifest = read_manifest(folder)
    assert manifest.id == "tidy_up"
    assert manifest.limits.submission.memory == 1024**3
    assert manifest.limits.command_seconds == 20


@pytest.mark.parametrize(
    ("before", "after", "line", "said"),
    [
        ("hours = 2.5", "hours = -1", 6, "hours: should be greater than 0"),
        ("hours = 2.5", "huors = 2.5", 6, "huors: unknown key"),
        ('version = "1.2.0"', 'version = "1.2"', 3, "version: string should match"),
        ("schema = 1", "schema = 2", 1, "schema: should be 1"),
        ("schema = 1", 'schema = 1\n"$schema" = 1', 2, "$schema: should be a valid string"),
        ('kind = "command"', 'kind = "notebook"', 11, "part.argv: unknown key"),
        ('title = "Tidy up"\n', "", 0, "title: missing"),
        ('entry = "tidy.py"', "entry = 3", 12, "part.entry: should be a valid string"),
        ('argv = ["python", "tidy.py"]', "argv = []", 11, "part.argv: "),
        ('argv = ["python", "tidy.py"]', 'argv = ["python", 3]', 11, "part.argv.1: should be"),
        ('A = "Reading"', 'a = "Reading"', 15, "groups.a: string should match"),
        ('A = "Reading"', "", 0, "at least one check group must be named under [groups]"),
        ('memory = "1GiB"', 'memory = "a lot"', 21, "limits.submission.memory: "),
        ('memory = "1GiB"', 'memroy = "1GiB"', 21, "limits.submission.memroy: unknown key"),
        ("command_seconds", "comand_seconds", 18, "limits.comand_seconds: unknown key"),
        ('id = "tidy_up"', 'id = "other"', 2, "id is 'other', but the folder is named 'tidy_up'"),
        ("hours = 2.5", "hours = = 2", 6, "not valid TOML: "),
        ("schema = 1", "schema = 1\nschema = 1", 2, "not valid TOML: "),
    ],
)
def test_a_fault_is_named_with_its_line(folder: Path, before: str, after: str, line: int, said: str) -> None:
    assert before in GOOD
    found = defect(folder, GOOD.replace(before, after))
    assert said in found.message
    assert found.line == line


def test_a_misspelt_key_gets_the_nearest(folder: Path) -> None:
    found = defect(folder, GOOD.replace("hours", "huors"))
    assert found.hint.startswith("Did you mean 'hours'?")
    assert found.message.endswith("(and 1 more)")
    assert defect(folder, GOOD.replace("memory", "memroy")).hint.startswith("Did you mean 'memory'?")


def test_what_cannot_be_read_at_all_is_named(folder: Path) -> None:
    assert "UTF-8" in defect(folder, b"\xff\xfe").message
    assert "TOML" in defect(folder, "a = " + "[" * 5000).message
    (folder / "exercise.toml").unlink()
    (folder / "exercise.toml").mkdir()
    with pytest.raises(ExerciseDefect, match="cannot be read"):
        read_manifest(folder)
    (folder / "exercise.toml").rmdir()
    with pytest.raises(ExerciseDefect, match=r"exercise.toml: the file is missing"):
        read_manifest(folder)


def test_lines_are_found_by_section_and_key() -> None:
    assert line_of(GOOD, ("part", "argv", "1")) == 11
    assert line_of(GOOD, ("limits", "submission", "cpus")) == 20
    assert line_of(GOOD, ("nothing",)) == 0
