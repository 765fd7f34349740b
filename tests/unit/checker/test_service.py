"""Waiting for a server: as long as it says that it is not ready yet, and not long where it says something else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grader.checker import service as module
from grader.checker.api import SubmissionFailed
from grader.checker.service import Service, Started
from grader.frames import REPLY, Frame
from grader.model.reasons import Reason

Wait = Callable[[Callable[[float], int]], Started]


@pytest.fixture
def told() -> list[dict[str, Any]]:
    """What the host is told when a server is ready."""
    return []


@pytest.fixture
def wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: list[dict[str, Any]]) -> Wait:
    """Wait up to 60 s, on a clock of our own, for a server whose answers a function of the time gives."""
    now = [0.0]

    class Line:
        """A line to a server that runs, and says nothing but statuses."""

        status: Callable[[float], int]

        def ask(self, op: str, header: dict[str, Any], body: bytes = b"") -> Frame:
            if op == "http.request":
                return Frame(REPLY, 0, {"status": self.status(now[0]), "headers": []}, b"")
            if op == "service.ready":
                told.append(header)
            return Frame(REPLY, 0, {"running": True}, b"")

    def pass_time(seconds: float) -> None:
        now[0] += 0.5

    monkeypatch.setattr(module, "monotonic", lambda: now[0])
    monkeypatch.setattr(module.time, "sleep", pass_time)

    def run(status: Callable[[float], int]) -> Started:
        line = Line()
        line.status = status
        return Service(line, "submission", ["serve"], 60.0, tmp_path).restart()  # type: ignore[arg-type]

    return run


@pytest.mark.parametrize("early", [0, 404, 500, 503])
def test_what_becomes_ready_after_a_while_is_waited_for(wait: Wait, early: int) -> None:
    assert wait(lambda now: 200 if now >= 10 else early).seconds == 10


def test_the_host_is_told_how_long_it_took(wait: Wait, told: list[dict[str, Any]]) -> None:
    wait(lambda now: 200 if now >= 10 else 503)
    assert told == [{"box": "submission", "seconds": 10.0, "given": 60.0}]


@pytest.mark.parametrize("status", [0, 500, 503])
def test_what_may_still_become_ready_is_waited_for_to_the_end(wait: Wait, status: int) -> None:
    with pytest.raises(SubmissionFailed, match=f"not ready within 60 s: /ready answered {status or 'nothing'}"):
        wait(lambda now: status)


@pytest.mark.parametrize("status", [302, 404])
def test_what_is_no_not_yet_is_given_up_sooner(wait: Wait, status: int) -> None:
    with pytest.raises(SubmissionFailed, match=f"/ready answered {status} for 15 s"):
        wait(lambda now: status)


def test_an_early_404_is_forgiven_when_it_turns_into_not_yet(wait: Wait) -> None:
    assert wait(lambda now: 404 if now < 10 else 503 if now < 50 else 200).seconds == 50


def test_what_fails_beside_a_load_is_told_and_not_that_the_load_is_gone(tmp_path: Path) -> None:
    class Line:
        def ask(self, op: str, header: dict[str, Any], body: bytes = b"") -> Frame:
            if op == "load.stop":
                raise SubmissionFailed(Reason.CRASHED, "The program ended its box.")
            return Frame(REPLY, 0, {}, b"")

    service = Service(Line(), "submission", ["serve"], 60.0, tmp_path)  # type: ignore[arg-type]
    with pytest.raises(SubmissionFailed, match="wrong value"), service.background([]):
        raise SubmissionFailed(Reason.WRONG_ANSWER, "It answered with a wrong value.")
