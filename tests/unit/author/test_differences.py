"""What changed between two versions, and what that means for scores."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from grader.author.differences import VERDICTS, Effect, Version, changes, verdict
from grader.catalog.exercises import load_exercise
from grader.catalog.versions import folder_of_version
from grader.cli.exercises import command
from grader.errors import UsageError
from tests.unit.author.conftest import TINY, Spoil

CHECKS = "checks/test_sums.py"
Commit = Callable[[], None]


def at(folder: Path) -> Version:
    return Version(exercise=load_exercise(folder), folder=folder)


@pytest.mark.parametrize(
    ("file", "old", "new", "effect", "what"),
    [
        (CHECKS, "points=6", "points=5", Effect.SCORES, "A1: 6 became 5"),
        (CHECKS, 'id="B2"', 'id="B3"', Effect.SCORES, "B2 is gone: Is quick"),
        (CHECKS, 'id="B2"', 'id="B3"', Effect.SCORES, "B3 is new: Is quick"),
        (CHECKS, 'competency="performance"', 'competency="engineering"', Effect.SCORES,
         "B2 counts for engineering, no longer for performance"),
        (CHECKS, 'id="B2"', 'id="B2", timed=True', Effect.SCORES, "B2 has the machine for itself now"),
        (CHECKS, "seconds < 5", "seconds < 4", Effect.SCORES, "checks/test_sums.py does something else"),
        ("data/generate.py", "range(50)", "range(60)", Effect.SCORES, "data/generate.py does something else"),
        ("exercise.toml", "pids = 32", "pids = 33", Effect.SCORES, "submission.pids: 32 became 33"),
        ("exercise.toml", 'entry = "add.py"', 'entry = "sum.py"', Effect.SCORES, "exercise.toml: another part"),
        ("exercise.toml", "hours = 1", 'hours = 1\ntiming = "exclusive"', Effect.SCORES,
         "exercise.toml: another timing"),
        ("exercise.toml", "hours = 1", "hours = 2", Effect.TASK, "exercise.toml: another hours"),
        ("brief.md", "", "\nBe quick.\n", Effect.TASK, "brief.md reads differently"),
        ("template/add.py", "", "\nprint()\n", Effect.TASK, "template/add.py does something else"),
        ("template/more.txt", "", "more", Effect.TASK, "template/more.txt is new"),
        (CHECKS, "Start less.", "Start fewer.", Effect.WORDS, "B2: another feedback"),
        ("exercise.toml", 'A = "Sums"', 'A = "Totals"', Effect.WORDS, "exercise.toml: another groups"),
    ],
)  # fmt: skip
def test_a_change_is_told_with_what_it_does_to_scores(
    spoil: Spoil, file: str, old: str, new: str, effect: Effect, what: str
) -> None:
    found = changes(at(TINY), at(spoil(file, old, new)))
    assert (what, effect) in [(each.what, each.effect) for each in found]
    assert {each.effect for each in found} == {effect}
    assert verdict(found) == VERDICTS[effect]


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        (CHECKS, '"""Checks of the sum and of care."""', '"""Checks."""\n\n# A remark.\n'),
        ("data/generate.py", "    numbers =", "\n    # fifty\n    numbers ="),
        ("NOTES.md", "", "Noted.\n"),
        ("solutions/reference/add.py", "", "\n# ready\n"),
    ],
)
def test_tidying_up_is_no_change(spoil: Spoil, file: str, old: str, new: str) -> None:
    assert changes(at(TINY), at(spoil(file, old, new))) == []
    assert verdict([]) == VERDICTS[Effect.WORDS]


def test_a_compared_reference_counts(exercise: Path, spoil: Spoil) -> None:
    before = at(spoil("exercise.toml", "[groups]", "[reference]\n\n[groups]")).exercise
    found = changes(at(TINY), Version(exercise=before, folder=exercise))
    assert [each.what for each in found] == ["the reference that submissions are compared with"]


@pytest.fixture
def commit(exercise: Path) -> Commit:
    def git(*arguments: str) -> None:
        who = ("-c", "user.name=a", "-c", "user.email=a@localhost", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *who, *arguments], cwd=exercise.parent, check=True, capture_output=True)

    def keep() -> None:
        git("add", "--all")
        git("commit", "--quiet", "--message", "A state")

    git("init", "--quiet")
    return keep


def test_versions_come_from_the_history(exercise: Path, spoil: Spoil, commit: Commit, tmp_path: Path) -> None:
    commit()
    spoil("brief.md", "", "\nSaid later, under the same version.\n")
    commit()
    spoil("exercise.toml", 'version = "1.0.0"', 'version = "1.1.0"')
    spoil(CHECKS, "points=6", "points=5")
    result = CliRunner().invoke(
        command, ["tiny_sum", "--diff", "1.0.0", "1.1.0", "--exercises", str(tmp_path)], catch_exceptions=False
    )
    assert "A1: 6 became 5" in result.output
    assert "brief.md" not in result.output
    assert VERDICTS[Effect.SCORES] in result.output.replace("\n", " ")


def test_the_present_version_is_the_folder_itself(exercise: Path, tmp_path: Path) -> None:
    assert folder_of_version(exercise, "1.0.0", tmp_path) == exercise


def test_a_version_that_never_was_and_a_folder_without_history(exercise: Path, commit: Commit, tmp_path: Path) -> None:
    commit()
    with pytest.raises(UsageError, match=r"no version 9\.9\.9 of tiny_sum") as caught:
        folder_of_version(exercise, "9.9.9", tmp_path)
    assert caught.value.hint == "There are: 1.0.0."
    (exercise.parent / ".git").rename(exercise.parent / "gone")
    with pytest.raises(UsageError, match="git log failed"):
        folder_of_version(exercise, "0.9.0", tmp_path)


def test_one_exercise_is_named() -> None:
    same = CliRunner().invoke(command, ["tiny_sum", "--diff", "1.0.0", "1.0.0"])
    assert "compares a version with itself" in str(same.exception)
    assert "about one exercise" in str(CliRunner().invoke(command, ["--diff", "1.0.0", "1.1.0"]).exception)
