"""Public checks that call a right solution wrong are the exercise's fault, and found before anything is graded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from grader.author.proof import Proof
from grader.author.scaffolding import write_exercise
from grader.engine.grade import Harness
from grader.errors import ExerciseDefect
from tests.unit.author.conftest import TINY

SPELLED = """
from pathlib import Path


def test_no_sql() -> None:
    for file in Path(__file__).parents[1].glob("*.py"):
        assert "partition by" not in file.read_text(), "this is SQL"
"""


@pytest.fixture
def harness(process_harness: Harness, tmp_path: Path) -> Harness:
    return replace(process_harness, cache=tmp_path / "cache")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_exercise("order_values", "callable", tmp_path).folder


def verify(source: Path, harness: Harness, rungs: str = "") -> list[str]:
    told: list[str] = []
    Proof.of(source, source.parent, rungs).verify_public_checks(harness, told.append)
    return [line for line in told if "public checks on" in line]


def test_they_are_run_on_what_should_earn_everything_and_once(source: Path, harness: Harness) -> None:
    rungs = "reference,alternate_gap,plain,naive"
    assert [line.rpartition(" ")[2] for line in verify(source, harness, rungs)] == ["reference", "alternate_gap"]
    assert verify(source, harness, rungs) == []
    with (source / "template" / "checks" / "test_public.py").open("a") as checks:
        checks.write("\n# Another word.\n")
    assert len(verify(source, harness, "reference")) == 1


def test_a_right_solution_that_they_call_wrong_is_named_with_the_check(source: Path, harness: Harness) -> None:
    file = source / "template" / "checks" / "test_more.py"
    file.write_text(SPELLED)
    with pytest.raises(ExerciseDefect) as caught:
        verify(source, harness, "reference,alternate_sql")
    said = "template/checks: alternate_sql should earn everything, and fails public checks (1): test_no_sql: "
    assert caught.value.message == f"{said}AssertionError: this is SQL"


def test_what_they_cannot_do_is_told(source: Path, harness: Harness) -> None:
    for file in (source / "template" / "checks").glob("test_*.py"):
        file.unlink()
    with pytest.raises(ExerciseDefect, match=r"cannot be run on reference: pytest finds none in checks/"):
        verify(source, harness)


def test_where_there_is_nothing_to_pass_no_sample_is_made(source: Path, harness: Harness) -> None:
    assert verify(TINY, harness) == []
    assert verify(source, harness, "naive") == []
    assert not (harness.cache / "variants").exists()
