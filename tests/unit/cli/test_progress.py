"""The lines of a batch: one for each entry at work, and in a log one for each step."""

from __future__ import annotations

import io
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from grader.cli.progress import BatchProgress
from grader.engine.batch import Done, Entry
from grader.engine.ordering import Forecast
from grader.intake.receive import receive


def test_an_entry_that_is_tried_again_keeps_its_line_and_says_a_thing_once(tmp_path: Path) -> None:
    told = io.StringIO()
    with Progress(console=Console(file=told), disable=True) as bar:
        shown = BatchProgress(bar, ["ada", "grace"], 3, Forecast({}, 1))
        entry = Entry(path=tmp_path, place="ada", label="ada", who="ada", read=lambda: receive(tmp_path))
        for _ in range(3):
            shown.watch(entry).step("another process is grading it")
        assert [task.description for task in bar.tasks] == ["all", "ada"]
        shown.watch(entry).step("graded")
        shown.done(Done(entry=entry), "graded", 1.0)
        assert [task.description for task in bar.tasks] == ["all"]
    assert told.getvalue() == "ada: another process is grading it\nada: graded\n"
