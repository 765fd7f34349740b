"""The solution ladder: how rungs are read and put together, and what an author is told when they are wrong."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from grader.catalog.ladder import RungKind, load_ladder, materialise
from grader.errors import ExerciseDefect, InfrastructureFault, UsageError
from grader.model.reasons import Rejection

REFERENCE = {"expected.toml": 'rung = "reference"\nband = [98, 100]\n', "clean.py": "one = 1\ntwo = 2\n"}
FLAW = '# Two is left out.\nrung = "flaw"\nparent = "reference"\nband = [90, 97.5]\nmust_fail = ["A2"]\n'
PATCH = '[[replace]]\nfile = "clean.py"\nold = "two = 2"\nnew = "two = 3"\n'


@pytest.fixture
def exercise(tmp_path: Path) -> Path:
    add(tmp_path, "reference", REFERENCE)
    return tmp_path


def add(exercise: Path, name: str, files: Mapping[str, str]) -> None:
    for path, text in files.items():
        target = exercise / "solutions" / name / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


def defect(exercise: Path) -> ExerciseDefect:
    with pytest.raises(ExerciseDefect) as caught:
        load_ladder(exercise)
    return caught.value


def test_rungs_come_in_alphabetical_order_with_their_expectations(exercise: Path) -> None:
    add(exercise, "broken", {"expected.toml": 'rung = "broken"\nstatus = "rejected"\nreason = "missing_package"\n'})
    broken, reference = load_ladder(exercise)
    assert (broken.name, broken.expected.reason) == ("broken", Rejection.MISSING_PACKAGE)
    assert (reference.expected.rung, reference.expected.band) == (RungKind.REFERENCE, (98, 100))


def test_what_describes_a_rung_is_not_handed_in(exercise: Path, tmp_path: Path) -> None:
    add(exercise, "reference", {"parts/more.py": "", "__pycache__/clean.pyc": "", "parts/expected.toml": ""})
    materialise(load_ladder(exercise)[0], tmp_path / "handed" / "in")
    written = sorted(
        path.relative_to(tmp_path / "handed" / "in").as_posix() for path in tmp_path.glob("handed/in/**/*")
    )
    assert written == ["clean.py", "parts", "parts/expected.toml", "parts/more.py"]


def test_a_patch_changes_its_parents_files_and_adds_its_own(exercise: Path) -> None:
    add(exercise, "flaw_two", {"expected.toml": FLAW, "patch.toml": PATCH, "more.py": "three = 3\n"})
    flaw, _ = load_ladder(exercise)
    assert flaw.files() == {"clean.py": b"one = 1\ntwo = 3\n", "more.py": b"three = 3\n"}


def test_a_patch_leaves_files_of_its_parent_out(exercise: Path) -> None:
    add(exercise, "reference", {"notes/why.md": "Because.\n"})
    add(exercise, "flaw_two", {"expected.toml": FLAW, "patch.toml": 'leave_out = ["notes/why.md"]\n' + PATCH})
    flaw, reference = load_ladder(exercise)
    assert set(reference.files()) - set(flaw.files()) == {"notes/why.md"}


def test_a_file_that_the_parent_does_not_have_cannot_be_left_out(exercise: Path) -> None:
    add(exercise, "flaw_two", {"expected.toml": FLAW, "patch.toml": 'leave_out = ["why.md"]\n' + PATCH})
    with pytest.raises(ExerciseDefect, match=r"leave_out names why.md, which 'reference' does not have") as caught:
        load_ladder(exercise)[0].files()
    assert caught.value.hint == "'reference' has clean.py."


def test_a_patch_may_start_from_a_patched_rung(exercise: Path) -> None:
    add(exercise, "flaw_two", {"expected.toml": FLAW, "patch.toml": PATCH})
    further = {"expected.toml": FLAW.replace('"reference"', '"flaw_two"'), "patch.toml": PATCH.replace("two", "one", 1)}
    further["patch.toml"] = PATCH.replace('old = "two = 2"', 'old = "two = 3"').replace('new = "two = 3"', 'new = ""')
    add(exercise, "flaw_further", further)
    assert load_ladder(exercise)[0].files() == {"clean.py": b"one = 1\n\n"}


def test_a_rung_without_a_patch_takes_nothing_from_its_parent(exercise: Path) -> None:
    add(exercise, "flaw_own", {"expected.toml": FLAW, "clean.py": "pass\n"})
    assert load_ladder(exercise)[0].files() == {"clean.py": b"pass\n"}


@pytest.mark.parametrize(("text", "times"), [("one = 1\n", 0), ("two = 2\ntwo = 2\n", 2)])
def test_a_replacement_must_match_exactly_once(exercise: Path, text: str, times: int) -> None:
    add(exercise, "reference", {"clean.py": text})
    add(exercise, "flaw_two", {"expected.toml": FLAW, "patch.toml": f"# why\n{PATCH}"})
    with pytest.raises(ExerciseDefect, match=f"stands {times} times in clean.py of 'reference'") as caught:
        load_ladder(exercise)[0].files()
    assert (caught.value.file, caught.value.line) == ("solutions/flaw_two/patch.toml", 2)


@pytest.mark.parametrize(
    ("before", "after", "line", "said"),
    [
        ("must_fail", "must_fall", 5, "must_fall: unknown key"),
        ('"flaw"', '"slip"', 2, "rung: Input should be 'reference'"),
        ("[90, 97.5]", "[97.5, 90]", 0, "band: the lower end comes first"),
        ("[90, 97.5]", "[90, 120]", 4, "less than or equal to 100"),
        ("[90, 97.5]", "[90, 97.5", 5, "not valid TOML"),
        ('["A2"]', "[]", 0, "a flaw names its parent and the checks that it must fail"),
        ('["A2"]', '["A2"]\nstatus = "rejected"', 0, "reason: needed for what is rejected"),
        ('["A2"]', '["A2"]\nreason = "empty"', 0, "reason: needed for what is rejected"),
        ('parent = "reference"', 'parent = "referent"', 3, "there is no rung 'referent'"),
        ('parent = "reference"', 'parent = "flaw_two"', 3, "leads back to itself"),
    ],
)
def test_a_wrong_expectation_is_named_with_its_line(
    exercise: Path, before: str, after: str, line: int, said: str
) -> None:
    add(exercise, "flaw_two", {"expected.toml": FLAW.replace(before, after), "patch.toml": PATCH})
    found = defect(exercise)
    assert said in found.message
    assert (found.file, found.line) == ("solutions/flaw_two/expected.toml", line)


def test_an_unknown_key_is_answered_with_those_that_are_known(exercise: Path) -> None:
    add(exercise, "flaw_two", {"expected.toml": FLAW.replace("must_fail", "must_fall"), "patch.toml": PATCH})
    assert defect(exercise).hint == "Known here: rung, band, notebook, must_fail, parent, status, reason."
    add(exercise, "flaw_two", {"expected.toml": FLAW, "patch.toml": f'{PATCH}\nolder = ""\n'})
    assert defect(exercise).hint == "Known here: file, old, new."


def test_a_missing_expectation_is_a_defect(exercise: Path) -> None:
    add(exercise, "flaw_two", {"patch.toml": PATCH})
    assert defect(exercise).message == "solutions/flaw_two/expected.toml: the file is missing"


def test_a_patch_needs_a_parent(exercise: Path) -> None:
    add(exercise, "plain", {"expected.toml": 'rung = "plain"\n', "patch.toml": PATCH})
    assert "patch.toml needs a parent" in defect(exercise).message


def test_an_exercise_without_solutions_is_a_defect(tmp_path: Path) -> None:
    assert defect(tmp_path).file == "solutions"


def test_a_link_among_the_files_is_a_defect(exercise: Path) -> None:
    (exercise / "solutions" / "reference" / "more.py").symlink_to("clean.py")
    with pytest.raises(ExerciseDefect, match=r"solutions/reference/more\.py: links are not accepted"):
        load_ladder(exercise)[0].files()


def test_nothing_is_written_over(exercise: Path, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="is not empty"):
        materialise(load_ladder(exercise)[0], tmp_path / "full")


def test_a_disk_that_refuses_is_nobodys_submission(exercise: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InfrastructureFault, match="cannot be written"):
        materialise(load_ladder(exercise)[0], tmp_path / "file" / "below")
