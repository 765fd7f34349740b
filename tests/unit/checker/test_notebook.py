"""What is said of a notebook that did not end in its time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from grader.checker.notebook import Notebook
from grader.frames import REPLY, Frame
from grader.model.reasons import Reason

CELLS = [{"number": 1, "status": "ok", "seconds": 1.0}, {"number": 2, "status": "timeout", "seconds": 9.0}]


class FakeLink:
    """A host that cut the run after so many seconds."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def ask(self, op: str, header: dict[str, Any] | None = None) -> Frame:
        measured = {"seconds": self._seconds, "cpu_seconds": 1.0, "peak_memory": 1}
        return Frame(REPLY, 1, {"timed_out": op == "notebook.run", "measured": measured})

    def put_tree(self, source: Path, path: str) -> None:
        raise AssertionError("there are no data")

    def get_file(self, path: str, target: Path, cap: int) -> None:
        target.write_text(json.dumps({"cells": CELLS, "total": 4} if path.endswith("report.json") else {"estimate": 1}))


@pytest.mark.parametrize(
    ("seconds", "limit"), [(301.0, "300 s"), (60.0, "the time that was left for all runs together")]
)
def test_the_limit_that_ended_it_is_the_one_that_is_named(tmp_path: Path, seconds: float, limit: str) -> None:
    run = Notebook(FakeLink(seconds), "decision.ipynb", tmp_path).execute({})  # type: ignore[arg-type]
    assert run.failure is not None
    assert run.failure.reason is Reason.TIMEOUT
    assert run.failure.because == f"The notebook did not end within {limit}. It ended at code cell 2 of 4."
