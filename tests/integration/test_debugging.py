"""Checks under a debugger: a process of this machine, with a terminal, and a sheet that is no graded result."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from grader.cli import debugging
from grader.cli.grade import command
from grader.engine.grade import GradingRun, Harness, Watcher
from grader.model.exercise import Exercise
from grader.model.run import RunStatus
from grader.sandbox.process_box import ProcessSandbox
from tests.conftest import TINY


def test_a_debugger_gets_the_terminal_and_pytest_its_options(
    process_harness: Harness, tiny: Exercise, submission: Callable[..., Path], tmp_path: Path
) -> None:
    (tmp_path / "typed").write_text("p 41 + 1\nc\n")
    with (tmp_path / "typed").open() as typed, (tmp_path / "shown").open("w+") as shown:
        terminal = tuple(os.dup(each.fileno()) for each in (typed, shown, shown))
        harness = replace(process_harness, sandbox=ProcessSandbox(terminal=terminal))
        options = ["--trace", "-k", "test_quick"]
        sheet = GradingRun(harness, tiny, TINY, None, Watcher(), options=options).grade(submission()).sheet
        for each in terminal:
            os.close(each)
    text = (tmp_path / "shown").read_text()
    assert "(Pdb) 42" in text
    assert "1 passed, 2 deselected" in text
    assert sheet.status is RunStatus.FAULTED
    assert [fault.message for fault in sheet.faults] == [
        "This is not a graded result: the checks ran as a process of this machine with --trace -k test_quick, "
        "to be debugged."
    ]
    assert {line.id: line.outcome for line in sheet.checks} == {"A1": None, "B1": None, "B2": "passed"}


def test_without_options_every_check_answers_and_there_is_still_no_total(
    process_harness: Harness, tiny: Exercise, submission: Callable[..., Path]
) -> None:
    sheet = GradingRun(process_harness, tiny, TINY, None, Watcher(), options=[]).grade(submission()).sheet
    assert (sheet.status, sheet.earned, sheet.lowest, sheet.highest) == (RunStatus.FAULTED, None, 10, 10)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--checker", "process", "--", "--pdb", "-k", "name"], ["--pdb", "-k", "name"]),
        (["--checker=process"], []),
        (["--checker", "process", "--candidate", "ada", "--"], []),
    ],
)
def test_what_follows_two_dashes_is_for_pytest(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, words: list[str], expected: list[str]
) -> None:
    told: list[object] = []
    monkeypatch.setattr(debugging, "debug", lambda _settings, *rest: told.extend(rest) or 0)
    CliRunner().invoke(command, ["tiny_sum", str(tmp_path), *words], catch_exceptions=False)
    assert (told[0], told[1], told[3]) == ("tiny_sum", tmp_path, expected)


def test_several_paths_cannot_be_debugged(tmp_path: Path) -> None:
    result = CliRunner().invoke(command, ["tiny_sum", str(tmp_path), str(tmp_path), "--checker", "process"])
    assert "is for one PATH" in str(result.exception)


def test_a_rung_that_is_a_patch_is_put_together(tmp_path: Path) -> None:
    source = tmp_path / "tiny_sum"
    shutil.copytree(TINY, source)
    flaw = source / "solutions" / "flaw_off"
    flaw.mkdir()
    (flaw / "expected.toml").write_text('rung = "flaw"\nparent = "reference"\nband = [0, 100]\nmust_fail = ["A1"]\n')
    (flaw / "patch.toml").write_text('[[replace]]\nfile = "add.py"\nold = "import sys"\nnew = "import sys  # off"\n')
    with debugging._put_together(source, flaw) as whole:
        assert "import sys  # off" in (whole / "add.py").read_text()
        assert (whole / "submission.toml").is_file()
    assert not whole.exists()
    for other in (source / "solutions" / "reference", tmp_path):
        with debugging._put_together(source, other) as as_it_is:
            assert as_it_is == other
