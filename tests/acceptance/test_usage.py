"""Wrong usage: exit status 2, what is wrong, and what to do. Nothing is started for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.conftest import Grader
from tests.conftest import TINY

REFERENCE = TINY / "solutions" / "reference"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["grade", "tiny_sun", REFERENCE], "tiny_sum"),
        (["grade", "tiny_sum", "no/such/folder"], "no/such/folder does not exist"),
        (["grade", "tiny_sum"], "Name what to grade"),
        (["grade", "tiny_sum", REFERENCE, TINY, "--candidate", "ada"], "several submissions"),
        (["grade", "tiny_sum", REFERENCE, "--fail-under", "101"], "101"),
        (["grade", "tiny_sum", REFERENCE, "--exercises", "nowhere"], "nowhere"),
        (["grad"], "Did you mean 'grade'?"),
        (["exercises", "clean_parket"], "clean_parquet"),
        (["sheet", "show", "nothing.json"], "nothing.json cannot be read"),
        (["sheet", "verify", TINY / "brief.md"], "is not a score sheet"),
        (["preflight", "tiny_sum", "nowhere"], "nowhere does not exist"),
    ],
)
def test_says_what_is_wrong(grader: Grader, arguments: list[object], message: str) -> None:
    done = grader(*arguments)
    assert (done.status, done.out) == (2, "")
    assert message in done.err


def test_an_address_is_rejected_with_its_reason(grader: Grader) -> None:
    done = grader("grade", "tiny_sum", "https://example.org/ada.zip")
    assert done.status == 3
    assert "address" in done.err


def test_an_out_folder_that_cannot_be_written_is_said(grader: Grader, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    done = grader("grade", "tiny_sum", REFERENCE, "--out", tmp_path / "out")
    assert done.status == 2
    assert "--out" in done.err


@pytest.mark.parametrize("command", ["grade", "preflight"])
def test_no_engine_is_infrastructure_and_says_what_to_do(grader: Grader, command: str, tmp_path: Path) -> None:
    done = grader(command, "tiny_sum", REFERENCE, DOCKER_HOST=f"unix://{tmp_path}/nobody.sock")
    assert done.status == 4
    assert "grader setup" in done.err


def test_exercises_are_listed_and_shown(grader: Grader) -> None:
    assert {each["id"] for each in grader("exercises", "--json").data} >= {"tiny_sum", "clean_parquet"}
    shown = grader("exercises", "tiny_sum", "--json").data
    assert (shown["possible"], [check["id"] for check in shown["checks"]]) == (10, ["A1", "B1", "B2"])
    assert "Add up a file of numbers" in grader("exercises", "tiny_sum").out


def test_help_is_complete(grader: Grader) -> None:
    shown = grader("--help").out
    for command in ("doctor", "setup", "demo", "exercises", "kit", "preflight", "grade", "sheet"):
        assert f"\n  {command} " in shown
        assert grader(command, "--help").status == 0
