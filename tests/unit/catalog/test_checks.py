"""Declarations of checks: literals are read, and everything that could hide a check is a defect."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from grader.catalog.checks import read_checks
from grader.errors import ExerciseDefect

GROUPS = {"A": "Reading", "B": "Writing"}
COMPETENCIES = {"engineering": None, "data-quality": None}
HEAD = "import pytest\n\n"
MARK = '@pytest.mark.check(id="A1", points=3, competency="engineering", title="Reads")\n'
BODY = "def test_reads(award):\n    award(1)\n"
GOOD = HEAD + MARK + BODY


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "checks").mkdir()
    return tmp_path


def defect(folder: Path, text: str, name: str = "test_a.py") -> ExerciseDefect:
    (folder / "checks" / name).write_text(text)
    with pytest.raises(ExerciseDefect) as caught:
        read_checks(folder, GROUPS, COMPETENCIES)
    return caught.value


def test_declarations_are_read_without_running_anything(folder: Path) -> None:
    second = (
        MARK.replace("A1", "B2")
        .replace("3", "2.5")
        .replace(")\n", ', question="Why?",\n    feedback="So.", timed=True)\n')
    )
    (folder / "checks/test_b.py").write_text("raise SystemExit\n" + HEAD + second + "def test_writes(): ...\n")
    (folder / "checks/test_a.py").write_text(GOOD.replace("@pytest.mark", "@mark"))
    (folder / "checks/conftest.py").write_text("def helper(): ...\n")
    first, other = read_checks(folder, GROUPS, COMPETENCIES)
    assert (first.id, first.points, first.title, first.group) == ("A1", Decimal(3), "Reads", "A")
    assert (other.points, other.question, other.feedback) == (Decimal("2.5"), "Why?", "So.")
    assert (first.timed, other.timed) == (False, True)
    assert (other.file, other.line, other.function) == ("checks/test_b.py", 6, "test_writes")


@pytest.mark.parametrize(
    ("before", "after", "line", "said"),
    [
        ("points=3", "points=1 + 2", 3, "points is not a literal"),
        ('"Reads"', 'f"Reads {1}"', 3, "title is not a literal"),
        ('title="Reads"', "**TITLES", 3, "** hides"), (', title="Reads"', "", 3, "title is missing"),
        ("points=3, ", "", 3, "points is missing"), ('competency="engineering", ', "", 3, "competency is missing"),
        ('id="A1", ', "", 3, "id is missing"), ('"Reads"', '""', 3, "title is missing"),
        ("points=3", "points=0", 3, "above 0"), ("points=3", "points=True", 3, "a number"),
        ("points=3", "points=1e999", 3, "a number"), ("points=3", 'points="3"', 3, "a number"),
        ("points=3", "points=0.333", 3, "two decimals"), ("points=3", "points=-1", 3, "not a literal"),
        ('id="A1"', 'id="a1"', 3, "id: "), ('id="A1"', 'id="C1"', 4, "no group 'C'"), ('id="A1"', "id=1", 3, "id: "),
        ('"engineering"', '"cooking"', 4, "unknown competency 'cooking'"), ("points=3", "weight=3", 3, "'weight'"),
        ('id="A1"', '"A1"', 3, "with its name"), (MARK, "@pytest.mark.check\n", 3, "no arguments"),
        (MARK, "", 3, "test_reads has no check declaration"), (MARK, MARK + MARK, 4, "declared twice"),
        (MARK, MARK + "@pytest.mark.skip\n", 4, "skip is not accepted"), ("def", "async def", 4, "async"),
        (MARK, '@pytest.mark.parametrize("x", [1, 2])\n' + MARK, 3, "parametrize is not accepted"),
        (MARK, MARK + '@pytest.mark.requires("B9")\n', 4, "requires the check 'B9'"),
        (MARK, MARK + "@pytest.mark.requires(OTHER)\n", 4, "not a literal"),
        ("def test_reads", "def reads", 4, "reads would not be run"),
        ("def test_reads(", "def test_reads(((", 4, "Python"),
        (BODY, BODY + MARK.replace("A1", "A2") + BODY, 7, "test_reads is defined twice"),
        (BODY, BODY + MARK + BODY.replace("reads", "more"), 7, "already used in checks/test_a.py:4"),
        (BODY, BODY + "class TestMore:\n    pass\n", 6, "not methods"), ('"Reads"', '"Re\\nads"', 3, "title: "),
        ("points=3", 'points=3, timed="often"', 3, "timed: "),
    ],
)  # fmt: skip
def test_a_fault_is_named_with_its_line(folder: Path, before: str, after: str, line: int, said: str) -> None:
    assert before in GOOD
    found = defect(folder, GOOD.replace(before, after, 1))
    assert said in found.message
    assert (found.file, found.line) == ("checks/test_a.py", line)


@pytest.mark.parametrize("around", ["if True:\n", "def outer():\n", "class Group:\n"])
def test_a_check_that_is_not_at_the_top_level_is_a_defect(folder: Path, around: str) -> None:
    inner = "".join(f"    {line}\n" for line in (MARK + BODY).splitlines())
    assert "not at the top level" in defect(folder, HEAD + around + inner).message


def test_a_check_in_a_file_that_is_not_collected_is_a_defect(folder: Path) -> None:
    assert "would not be run" in defect(folder, GOOD, "helpers.py").message


def test_an_id_used_in_two_files_names_both(folder: Path) -> None:
    (folder / "checks/test_a.py").write_text(GOOD)
    found = defect(folder, GOOD, "test_b.py")
    assert (found.file, found.line) == ("checks/test_b.py", 4)
    assert "checks/test_a.py:4" in found.message


@pytest.mark.parametrize("text", [None, "", "def helper(): ...\n"])
def test_no_checks_at_all_is_a_defect(folder: Path, text: str | None) -> None:
    if text is not None:
        (folder / "checks/test_a.py").write_text(text)
    with pytest.raises(ExerciseDefect, match="no checks"):
        read_checks(folder, GROUPS, COMPETENCIES)


@pytest.mark.parametrize("content", [b"\0", b"\xff", b"x = " + b"(" * 5000, b"x = " + b"-" * 100_000 + b"1"])
def test_what_is_not_python_is_a_defect(folder: Path, content: bytes) -> None:
    (folder / "checks/test_a.py").write_bytes(content)
    with pytest.raises(ExerciseDefect, match="not valid Python"):
        read_checks(folder, GROUPS, COMPETENCIES)


def test_checks_that_require_each_other_are_a_defect_of_the_first(folder: Path) -> None:
    one = MARK + '@pytest.mark.requires("A2")\n' + BODY
    two = MARK.replace("A1", "A2") + '@pytest.mark.requires("A1")\n' + BODY.replace("reads", "more")
    found = defect(folder, HEAD + one + two)
    assert "checks require each other: A" in found.message
    assert (found.file, found.line) in [("checks/test_a.py", 4), ("checks/test_a.py", 4 + one.count("\n"))]


def test_a_check_may_build_on_another(folder: Path) -> None:
    later = MARK.replace("A1", "A2") + '@pytest.mark.requires("A1")\n' + BODY.replace("reads", "more")
    (folder / "checks/test_a.py").write_text(GOOD + later)
    assert [check.id for check in read_checks(folder, GROUPS, COMPETENCIES)] == ["A1", "A2"]
