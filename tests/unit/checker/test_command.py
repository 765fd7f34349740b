"""The `command` fixture's copies of what a program wrote."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from grader.agent.stream import Refused
from grader.checker.api import SubmissionFailed
from grader.checker.command import Command, CommandLimits
from grader.checker.link import Link
from grader.frames import Frame
from grader.model.reasons import Reason

MEASURED = {"seconds": 1.0, "cpu_seconds": 1.0, "peak_memory": 1}


class Host:
    """Answers as the host would for a program that writes one file, or others that are listed here."""

    def __init__(self, entries: tuple[tuple[str, str, int], ...] = (("a.txt", "file", 3),), content: bytes = b"abc"):
        self._entries = [list(entry) for entry in entries]
        self._content = content
        self.refused: dict[str, str] = {}

    def request(self, op: str, header: dict[str, Any], body: bytes = b"") -> Frame:
        if op == "file.get" and header["path"] in self.refused:
            raise Refused(self.refused[header["path"]], "no")
        replies: dict[str, tuple[dict[str, Any], bytes]] = {
            "command.run": ({"status": 0, "stdout": 0, "measured": MEASURED}, b""),
            "file.list": ({"entries": self._entries}, b""),
            "file.get": ({"end": True}, self._content),
        }
        return Frame(2, 1, *replies.get(op, ({}, b"")))


def command_of(host: Host, folder: Path) -> Command:
    return Command(Link(host), ["x"], CommandLimits(seconds=5, printed=100, file=100), folder)  # type: ignore[arg-type]


def test_copies_of_a_runs_files_go_with_it(tmp_path: Path) -> None:
    command = command_of(Host(), tmp_path)
    run, other = command.run([], {}), command.run([], {})
    assert run.text("a.txt") == other.text("a.txt") == "abc"
    assert len(list(tmp_path.iterdir())) == 2
    del other
    assert [path.read_text() for path in tmp_path.iterdir()] == ["abc"]
    assert run.text("a.txt") == "abc"


def test_a_file_that_holds_more_than_was_claimed_leaves_nothing_here(tmp_path: Path) -> None:
    command = command_of(Host(content=b"x" * 101), tmp_path)
    with pytest.raises(SubmissionFailed, match="more than 100 bytes"):
        command.run([], {})
    assert list(tmp_path.iterdir()) == []


def test_files_of_a_run_are_counted_by_what_they_hold(tmp_path: Path) -> None:
    claimed = tuple((f"{number}.txt", "file", 0) for number in range(9))
    with pytest.raises(SubmissionFailed, match="more than 0 bytes"):
        command_of(Host(claimed, b"x" * 100), tmp_path).run([], {})


def test_all_runs_that_are_kept_share_what_there_is(tmp_path: Path) -> None:
    full = Host(tuple((f"{number}.txt", "file", 100) for number in range(4)), b"x" * 100)
    command = command_of(full, tmp_path)
    runs = [command.run([], {}) for _ in range(3)]
    assert [len(run._fetched) for run in runs] == [4, 4, 0]
    with pytest.raises(SubmissionFailed) as failed:
        runs[2].text("0.txt")
    assert failed.value.reason is Reason.TOO_LARGE
    del runs[0]
    assert len(command.run([], {})._fetched) == 4


@pytest.mark.parametrize("reason", [Reason.CRASHED, Reason.MISSING_OUTPUT, Reason.FORMAT])
def test_a_file_that_cannot_be_opened_costs_only_the_checks_that_need_it(tmp_path: Path, reason: Reason) -> None:
    host = Host((("a.txt", "file", 3), ("closed.txt", "file", 3), ("link", "link", 0)))
    host.refused["output/out/closed.txt"] = reason.value
    run = command_of(host, tmp_path).run([], {})
    assert (run.text("a.txt"), run.odd) == ("abc", ("link", "closed.txt"))
    with pytest.raises(SubmissionFailed, match=r"closed.txt is not a regular file that can be read") as failed:
        run.text("closed.txt")
    assert failed.value.reason is Reason.FORMAT
    assert len(list(tmp_path.iterdir())) == 1


def test_a_box_that_is_lost_meanwhile_is_no_odd_file(tmp_path: Path) -> None:
    host = Host()
    host.refused["output/out/a.txt"] = Reason.OOM.value
    with pytest.raises(SubmissionFailed) as failed:
        command_of(host, tmp_path).run([], {})
    assert failed.value.reason is Reason.OOM
