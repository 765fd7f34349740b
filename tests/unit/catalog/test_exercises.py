"""Finding and loading exercises, and what their digest depends on."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from grader.catalog.exercises import find_exercises, load_competencies, load_exercise, resolve
from grader.catalog.files import digest
from grader.errors import ExerciseDefect, UsageError

MANIFEST = """\
schema = 1
id = "tidy_up"
version = "1.2.0"
title = "Tidy up"
summary = "Tidy up."
hours = 2
public_seed = 7
part = {kind = "command", argv = ["python", "tidy.py"], entry = "tidy.py"}
groups = {A = "Reading"}
"""
CHECK = '@pytest.mark.check(id="A1", points=3, competency="engineering", title="Reads")\ndef test_reads(): ...\n'


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """A folder that holds the exercise tidy_up, a file and a folder that is no exercise."""
    for name, text in {
        "exercise.toml": MANIFEST,
        "checks/test_a.py": CHECK,
        "data/generate.py": "",
        "brief.md": "",
    }.items():
        path = tmp_path / "shelf/tidy_up" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "shelf/other").mkdir()
    (tmp_path / "shelf/README.md").touch()
    return tmp_path / "shelf"


def test_an_exercise_is_loaded_whole(shelf: Path) -> None:
    exercise = load_exercise(shelf / "tidy_up")
    assert exercise.id == "tidy_up"
    assert exercise.possible == 3
    assert [competency.id for competency in exercise.competencies] == ["engineering"]
    assert re.fullmatch(r"[0-9a-f]{64}", exercise.digest)


def test_the_shipped_list_of_competencies_is_valid() -> None:
    ids = [competency.id for competency in load_competencies()]
    assert "data-quality" in ids
    assert len(ids) == len(set(ids))


def test_exercises_are_found_in_every_folder(shelf: Path, tmp_path: Path) -> None:
    shutil.copytree(shelf / "tidy_up", tmp_path / "more/be_quick")
    found = find_exercises([shelf, tmp_path / "more", tmp_path / "nowhere", shelf])
    assert found == {"be_quick": tmp_path / "more/be_quick", "tidy_up": shelf / "tidy_up"}


def test_one_id_in_two_folders_is_not_guessed_at(shelf: Path, tmp_path: Path) -> None:
    shutil.copytree(shelf, tmp_path / "copy")
    with pytest.raises(UsageError, match="'tidy_up' is in"):
        find_exercises([shelf, tmp_path / "copy"])


def test_a_known_exercise_is_resolved(shelf: Path) -> None:
    assert resolve("tidy_up", [shelf]) == shelf / "tidy_up"


@pytest.mark.parametrize("asked", ["tidy-up", "tidyup", "Tidy_Up", "tidy_upp"])
def test_a_misspelt_exercise_gets_the_nearest(shelf: Path, asked: str) -> None:
    with pytest.raises(UsageError) as caught:
        resolve(asked, [shelf])
    assert caught.value.hint == "Did you mean 'tidy_up'? There are: tidy_up. Exercises elsewhere: --exercises DIR."


@pytest.mark.parametrize("asked", ["", "zebra", "../tidy_up", "tidy_up/", "/etc", "."])
def test_an_unknown_exercise_gets_the_list(shelf: Path, asked: str) -> None:
    with pytest.raises(UsageError, match="There is no exercise") as caught:
        resolve(asked, [shelf])
    assert "There are: tidy_up." in caught.value.hint


def test_no_exercises_at_all_says_where_was_looked(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        resolve("tidy_up", [tmp_path])
    assert str(tmp_path) in caught.value.hint


@pytest.mark.parametrize(
    "name", ["exercise.toml", "checks/test_a.py", "data/generate.py", "brief.md", "template/new.py"]
)
def test_the_digest_changes_with_what_matters(shelf: Path, name: str) -> None:
    before = digest(shelf / "tidy_up")
    (shelf / "tidy_up" / name).parent.mkdir(exist_ok=True)
    with (shelf / "tidy_up" / name).open("a") as file:
        file.write("#")
    assert digest(shelf / "tidy_up") != before


@pytest.mark.parametrize(
    "name", ["NOTES.md", "CHANGELOG.md", "solutions/plain/a.py", "checks/__pycache__/a.pyc", ".DS_Store"]
)
def test_the_digest_does_not_change_with_what_does_not(shelf: Path, name: str) -> None:
    before = digest(shelf / "tidy_up")
    (shelf / "tidy_up" / name).parent.mkdir(parents=True, exist_ok=True)
    (shelf / "tidy_up" / name).write_text("new")
    assert digest(shelf / "tidy_up") == before


def test_the_digest_depends_on_names_too(shelf: Path) -> None:
    before = digest(shelf / "tidy_up")
    (shelf / "tidy_up/data/generate.py").rename(shelf / "tidy_up/data/other.py")
    assert digest(shelf / "tidy_up") != before


def test_a_link_in_an_exercise_is_a_defect(shelf: Path) -> None:
    (shelf / "tidy_up/data/link").symlink_to("generate.py")
    with pytest.raises(ExerciseDefect, match="data/link: links are not accepted"):
        load_exercise(shelf / "tidy_up")
