"""Runs the submission's program."""

from __future__ import annotations

from pathlib import Path

from grader.checker.command import Command


def ask(command: Command, given: Path) -> object:
    """Return the summary of the orders in a folder.

    Raises:
        SubmissionFailed: There is none.
    """
    run = command.run(["--data", "{data}", "--out", "{out}"], {"data": given})
    run.require_exit(0)
    return run.json("summary.json")
