"""The `command` fixture's copies of what a program wrote."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from grader.checker.command import Command, CommandLimits
from grader.checker.link import Link
from grader.frames import Frame

MEASURED = {"seconds": 1.0, "cpu_seconds": 1.0, "peak_memory": 1}


class Host:
    """Answers as the host would for a program that writes one file."""

    def request(self, op: str, header: dict[str, Any], body: bytes = b"") -> Frame:
        replies: dict[str, tuple[dict[str, Any], bytes]] = {
            "command.run": ({"status": 0, "stdout": 0, "measured": MEASURED}, b""),
            "file.list": ({"entries": [["a.txt", "file", 3]]}, b""),
            "file.get": ({"end": True}, b"abc"),
        }
        return Frame(2, 1, *replies.get(op, ({}, b"")))


def test_copies_of_a_runs_files_go_with_it(tmp_path: Path) -> None:
    link = Link(Host())  # type: ignore[arg-type]
    command = Command(link, ["x"], CommandLimits(seconds=5, printed=100, file=100), tmp_path)
    run, other = command.run([], {}), command.run([], {})
    assert run.text("a.txt") == other.text("a.txt") == "abc"
    assert len(list(tmp_path.iterdir())) == 2
    del other
    assert [path.read_text() for path in tmp_path.iterdir()] == ["abc"]
    assert run.text("a.txt") == "abc"
