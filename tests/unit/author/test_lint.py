"""What lint finds: each rule on an exercise that breaks just that rule."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from grader.author.lint import fixtures, images, release
from grader.author.lint.findings import Finding, Level
from grader.author.lint.lint import lint
from grader.catalog.exercises import load_exercise
from grader.checker.fixtures import programs
from grader.errors import ExerciseDefect
from grader.sandbox.port import Role
from grader.sandbox.recipes import Recipe
from tests.unit.author.conftest import Spoil

CHECKS = "checks/test_sums.py"


def new_findings(before: list[Finding], after: list[Finding]) -> list[tuple[str, str, str]]:
    known = {(each.rule, each.message) for each in before}
    return [(each.rule, each.file, each.message) for each in after if (each.rule, each.message) not in known]


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        (CHECKS, 'question="Where does the time go?",', "", ("words", CHECKS, "B2 has no question")),
        (CHECKS, 'feedback="Start less.",', "", ("words", CHECKS, "B2 has no feedback")),
        (CHECKS, "Where does the time go?", "Tell me.", ("words", CHECKS, "B2: the question asks nothing")),
        (CHECKS, 'feedback="Start less.",', 'feedback="x", requirement="R7",',
         ("requirements", CHECKS, "B2 tests R7, which the brief does not state")),
        ("brief.md", "", "\n**R9** Be kind.\n", ("requirements", "brief.md", "requirement R9 has no check")),
        ("checks/conftest.py", "", "\nimport time\nNOW = time.time()\n",
         ("clock", "checks/conftest.py", "time.time() reads the clock")),
        ("checks/conftest.py", "", "\nimport datetime\nNOW = datetime.datetime.now()\n",
         ("clock", "checks/conftest.py", "datetime.datetime.now() reads the clock")),
        ("checks/conftest.py", "", "\nimport time\ntime.sleep(1)\n",
         ("sleep", "checks/conftest.py", "time.sleep() waits for nothing")),
        ("data/generate.py", "", "\nX = random.random()\n",
         ("randomness", "data/generate.py", "random.random() uses the global generator")),
        ("data/generate.py", "", "\nimport numpy as np\nX = np.random.default_rng()\n",
         ("randomness", "data/generate.py", "np.random.default_rng() has no seed")),
        ("data/generate.py", "", "\nfrom random import Random as Dice\nX = Dice(7)\n",
         ("seed", "data/generate.py", "Dice() can be computed backwards to its seed by who sees enough draws")),
        ("data/generate.py", "", "\nfrom numpy import random as drawn\nX = drawn.RandomState(7)\n",
         ("seed", "data/generate.py",
          "drawn.RandomState() can be computed backwards to its seed by who sees enough draws")),
        ("data/generate.py", "", "\nimport urllib.request\n",
         ("network", "data/generate.py", "imports urllib.request")),
        ("checks/conftest.py", "", "\nfrom time import sleep\nsleep(1)\n",
         ("sleep", "checks/conftest.py", "sleep() waits for nothing")),
        ("checks/conftest.py", "", "\nimport datetime as dt\nNOW = dt.datetime.now()\n",
         ("clock", "checks/conftest.py", "dt.datetime.now() reads the clock")),
        ("checks/conftest.py", "", "\nfrom datetime import datetime\nNOW = datetime.now()\n",
         ("clock", "checks/conftest.py", "datetime.now() reads the clock")),
        ("data/generate.py", "", "\nfrom numpy.random import default_rng as made\nX = made()\n",
         ("randomness", "data/generate.py", "made() has no seed")),
        ("data/generate.py", "", "\nfrom random import shuffle\nshuffle([])\n",
         ("randomness", "data/generate.py", "shuffle() uses the global generator")),
        ("data/generate.py", "", "\nfrom urllib import request\n",
         ("network", "data/generate.py", "imports urllib.request")),
        (CHECKS, "    award(1.0 if seconds", "    assert seconds\n    award(1.0 if seconds",
         ("reasons", CHECKS, "an assert that may cost all points gives no reason")),
        (CHECKS, "award(1.0 if right else 0.0, \"The sum is right.\" if right else \"The sum is wrong.\", evidence",
         "award(0.5, evidence", ("reasons", CHECKS, "an award that may be less than all points gives no reason")),
        (CHECKS, "    award(1.0 if seconds",
         "    seconds = main_run.seconds / yardstick(int)\n    award(1.0 if seconds",
         ("timed", CHECKS, "test_quick compares wall times, and is not declared as timed")),
        (CHECKS, "    award(1.0 if seconds", "    main_run.read('add.py')\n    award(1.0 if seconds",
         ("how", CHECKS, "main_run.read() looks at source code")),
        ("exercise.toml", 'B = "Care"', 'B = "Care"\nZ = "Nothing"',
         ("groups", "exercise.toml", "group Z (Nothing) has no check")),
        ("checks/generate.py", "", "X = 1\n", ("modules", "checks/generate.py", "data/ has a module generate, too")),
        ("checks/__init__.py", "", "\n",
         ("modules", "checks/__init__.py", "makes a package of the checks, which would shadow others")),
        (CHECKS, "award):", "awards):",
         ("fixtures", CHECKS, "test_quick asks for awards, and there is no such fixture")),
        (CHECKS, "main_run, award):", "main_run):",
         ("awards", CHECKS, "test_quick does not take award, so that it can earn nothing")),
        ("checks/conftest.py", "", "\n@pytest.fixture\ndef mine(comand):\n    return comand\n",
         ("fixtures", "checks/conftest.py", "mine asks for comand, and there is no such fixture")),
        (CHECKS, "award(1.0 if seconds", "award(1.2, 'x')\n    award(1.0 if seconds", ("awards", CHECKS, "awards 1.2")),
        ("brief.md", "", "\n**R1** Add.\n\n**R2** Be quick. **R1** Be kind.\n",
         ("requirements", "brief.md", "R1 is stated a second time; it is in brief.md line 5, too")),
        ("brief.md", "", "\n| Group | Points |\n|---|---|\n| A Sums | 70 |\n",
         ("points", "brief.md", "group A has 70 points here, and its checks give 6")),
        ("template/submission.toml", "add.py", "sum.py",
         ("files", "template/submission.toml",
          "it would be rejected: 'sum.py' is not in the submission, but 'python sum.py' needs it")),
        ("solutions/reference/submission.toml", "argv", "args",
         ("ladder", "solutions/reference/submission.toml",
          "it would be rejected: submission.toml has the unknown key 'command.args'")),
        ("solutions/reference/add.py", "", "\ndef (:\n",
         ("readable", "solutions/reference/add.py", "not valid Python: invalid syntax")),
        ("solutions/flaw/expected.toml", "", 'rung = "flaw"\nparent = "reference"\nmust_fail = ["A1"]\n',
         ("ladder", "solutions/flaw", "the rung has no files")),
        ("solutions/reference/expected.toml", "", 'must_fail = ["Z9"]\n',
         ("ladder", "solutions/reference/expected.toml", "must_fail names Z9, which there is not")),
    ],
)  # fmt: skip
def test_a_slip_is_found(
    exercise: Path, spoil: Spoil, file: str, old: str, new: str, expected: tuple[str, str, str]
) -> None:
    before = lint(exercise)
    assert expected in new_findings(before, lint(spoil(file, old, new)))


def test_what_only_a_cheat_fails_is_a_warning(exercise: Path, spoil: Spoil) -> None:
    expected = 'rung = "hostile"\nmust_fail = ["A1", "B1", "B2"]\n'
    spoil("solutions/hostile/expected.toml", "", expected)
    spoil("solutions/hostile/add.py", "", "pass\n")
    found = {each.message: each.level for each in lint(exercise) if each.rule == "ladder"}
    assert found["no rung that works fails A1"] is Level.WARNING
    spoil("solutions/reference/expected.toml", "", 'must_fail = ["A1"]\n')
    messages = {each.message for each in lint(exercise)}
    assert "no rung that works fails A1" not in messages
    assert "no rung that works fails B1" in messages


def test_a_replacement_that_does_not_match_is_found_before_anything_is_graded(exercise: Path, spoil: Spoil) -> None:
    spoil("solutions/flaw/expected.toml", "", 'rung = "flaw"\nparent = "reference"\nmust_fail = ["A1"]\n')
    spoil("solutions/flaw/patch.toml", "", '[[replace]]\nfile = "add.py"\nold = "nowhere"\nnew = ""\n')
    said = [(each.file, each.line, each.message) for each in lint(exercise) if "replacement" in each.message]
    message = "replacement 1: the old text stands 0 times in add.py of 'reference', not once"
    assert said == [("solutions/flaw/patch.toml", 1, message)]


START = {"command": {"argv": ["x"]}, "callable": {"entry": "a:B"}, "service": {"argv": ["x"]}, "notebook": {}}


@pytest.mark.parametrize("kind", START)
def test_the_fixtures_that_lint_knows_are_those_that_there_are(kind: str, tmp_path: Path) -> None:
    start = {"kind": kind, **START[kind]}
    limits = {"call": 1, "start": 1, "seconds": 1, "printed": 1, "file": 1}
    reference = start if kind in fixtures.OF_REFERENCE else None
    made = programs(None, {"limits": limits, "start": start, "reference": reference}, tmp_path)  # type: ignore[arg-type]
    assert {*made} == {"notebook", *fixtures.OF_KIND[kind], *fixtures.OF_REFERENCE.get(kind, ())}


@pytest.mark.parametrize(
    ("file", "old", "new", "line"),
    [
        ("exercise.toml", "hours = 1", 'hours = "one"', 6),
        ("exercise.toml", "hours = 1", "hours = 1\nhour = 2", 7),
        (CHECKS, "points=6", "points=0", 7),
        ("checks/conftest.py", "import pytest", "import (", 3),
    ],
)
def test_what_cannot_be_read_is_the_one_finding_and_names_the_line(
    spoil: Spoil, file: str, old: str, new: str, line: int
) -> None:
    (finding,) = lint(spoil(file, old, new))
    assert (finding.file, finding.line, finding.level) == (file, line, Level.ERROR)


@pytest.mark.parametrize(
    ("gone", "said"),
    [
        ("solutions/reference/expected.toml", "the file is missing"),
        ("exercise.toml", "the file is missing"),
        ("checks", "the exercise has no checks"),
        ("solutions", "the folder cannot be read: No such file or directory"),
        ("brief.md", "it is missing"),
        ("data/generate.py", "it is missing"),
        ("template/add.py", "it is missing"),
    ],
)
def test_what_is_missing_is_named(exercise: Path, gone: str, said: str) -> None:
    path = exercise / gone
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert (gone, said, Level.ERROR) in [(each.file, each.message, each.level) for each in lint(exercise)]


def test_a_text_that_is_not_utf_8_is_named_with_its_line(exercise: Path) -> None:
    (exercise / "brief.md").write_bytes((exercise / "brief.md").read_bytes() + "\nSehr sch\u00f6n.\n".encode("latin-1"))
    (found,) = [each for each in lint(exercise) if each.message == "is not UTF-8 text"]
    assert (found.file, found.line) == ("brief.md", len((exercise / "brief.md").read_bytes().splitlines()))


def test_a_rule_that_met_another_text_is_not_left_out_without_a_word(
    exercise: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(release, "version_is_unchanged", lambda *_: iter([b"sch\xf6n".decode()]))
    (found,) = [each for each in lint(exercise) if each.rule == "readable"]
    assert (found.level, found.message) == (
        Level.ERROR,
        "a text is not UTF-8 where it says b'\\xf6n'; a rule was not applied",
    )


def test_seeded_randomness_and_times_that_were_measured_are_fine(exercise: Path, spoil: Spoil) -> None:
    before = lint(exercise)
    spoil("data/generate.py", "", "\nimport numpy as np\nA = np.random.default_rng(3)\nB = random.Random(1).random()\n")
    spoil(
        "data/generate.py", "", "\nfrom urllib.parse import quote\n\ndef wait(sleep, time):\n    sleep(time.time())\n"
    )
    spoil(CHECKS, "    award(1.0 if seconds", '    assert seconds, "It takes no time."\n    award(1.0 if seconds')
    assert new_findings(before, lint(exercise)) == []


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        (CHECKS, 'id="B2"', 'id="B2", timed=True'),
        (CHECKS, "main_run.seconds / yardstick", "main_run.cpu_seconds / yardstick"),
        ("exercise.toml", "hours = 1", 'hours = 1\ntiming = "exclusive"'),
    ],
)
def test_durations_are_fine_where_nothing_else_is_graded_and_processor_time_everywhere(
    exercise: Path, spoil: Spoil, file: str, old: str, new: str
) -> None:
    spoil(
        CHECKS, "    award(1.0 if seconds", "    seconds = main_run.seconds / yardstick(int)\n    award(1.0 if seconds"
    )
    spoil(file, old, new)
    assert "timed" not in [each.rule for each in lint(exercise)]


def test_points_that_do_not_add_up_are_told(exercise: Path) -> None:
    assert "the code checks give 10 points together, not 100" in [each.message for each in lint(exercise)]


def test_errors_come_before_warnings(exercise: Path) -> None:
    levels = [each.level for each in lint(exercise)]
    assert levels == sorted(levels)
    assert set(levels) == {Level.ERROR, Level.WARNING}


def test_a_recorded_version_may_not_change(exercise: Path, spoil: Spoil) -> None:
    told = release.record(load_exercise(exercise), exercise)
    assert told is not None
    assert told.startswith("recorded version 1.0.0")
    assert [each for each in lint(exercise) if each.rule == "versions"] == []
    spoil("brief.md", "", "\nOne more rule.\n")
    (finding,) = [each for each in lint(exercise) if each.rule == "versions"]
    assert "version 1.0.0 was released as" in finding.message
    assert finding.level is Level.ERROR
    spoil("exercise.toml", 'version = "1.0.0"', 'version = "1.0.1"')
    release.record(load_exercise(exercise), exercise)
    assert list(release.released(exercise)) == ["1.0.0", "1.0.1"]
    assert [each for each in lint(exercise) if each.rule == "versions"] == []


def test_a_version_is_recorded_once(exercise: Path) -> None:
    release.record(load_exercise(exercise), exercise)
    assert release.record(load_exercise(exercise), exercise) is None


def test_a_broken_list_of_versions_is_a_defect(exercise: Path, spoil: Spoil) -> None:
    spoil("versions.toml", "", "not toml")
    with pytest.raises(ExerciseDefect, match=r"versions\.toml"):
        release.released(exercise)


def test_a_canary_in_what_images_are_made_from_is_found(exercise: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (exercise / "NOTES.md").write_text("canary-0123456789abcdef\n")
    assert [each for each in lint(exercise) if each.rule == "images"] == []
    whole = images.read_recipe

    def with_a_leak(role: Role, architecture: str) -> Recipe:
        recipe = whole(role, architecture)
        return replace(recipe, sources={**recipe.sources, "grader/agent/help.py": b"# canary-0123456789abcdef"})

    monkeypatch.setattr(images, "read_recipe", with_a_leak)
    found = [each.message for each in lint(exercise) if each.rule == "images"]
    assert len(found) == len(Role)
    assert all("holds a canary of this exercise, in grader/agent/help.py" in each for each in found)
