from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.model.exercise import BoxLimits
from grader.sandbox import reaper
from grader.sandbox.port import BoxSpec, Role
from grader.sandbox.reaper import GRACE_SECONDS, LABEL_DEADLINE, LABEL_OWNER, LABEL_RUN, Process

HERE = "boot.4026531836"
OWNER = Process(machine=HERE, pid=123, started="456")
LABELS = {LABEL_RUN: "r", LABEL_OWNER: str(OWNER), LABEL_DEADLINE: "1000"}


def why(now: float = 999, machine: str = HERE, alive: bool = True, **labels: str) -> str:
    return reaper.why_remove({**LABELS, **labels}, now=now, machine=machine, alive=lambda _: alive)


def test_a_box_in_use_stays() -> None:
    assert why() == ""


def test_a_box_past_its_deadline_goes_though_its_process_lives() -> None:
    assert why(now=1001) == "its time is over"


def test_a_box_of_a_dead_process_goes() -> None:
    assert why(alive=False) == "the process that opened it has ended"


@pytest.mark.parametrize("machine", ["another boot.4026531836", "boot.4026532999", ""])
def test_a_process_elsewhere_is_not_taken_for_dead(machine: str) -> None:
    assert why(machine=machine, alive=False) == ""


@pytest.mark.parametrize("labels", [{LABEL_OWNER: "nonsense"}, {LABEL_OWNER: ""}, {LABEL_DEADLINE: "soon"}])
def test_a_box_with_labels_that_say_nothing_goes(labels: dict[str, str]) -> None:
    assert why(**labels) == "nobody knows whose it is"


@given(st.text("abc-.0123456789"), st.integers(0, 2**22), st.text("0123456789"))
def test_a_process_survives_being_written_as_a_label(machine: str, pid: int, started: str) -> None:
    process = Process(machine=machine, pid=pid, started=started)
    assert Process.parse(str(process)) == process


def test_this_process_is_alive_and_its_namesake_is_not() -> None:
    me = reaper.this_process()
    assert me.pid == os.getpid()
    assert reaper.is_alive(me)
    assert not reaper.is_alive(Process(machine=me.machine, pid=me.pid, started="1"))


def test_a_process_that_died_is_dead_before_and_after_it_is_reaped() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    process = Process(machine="", pid=child.pid, started=reaper._started(child.pid))
    assert reaper.is_alive(process)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # dead, but not reaped
    assert not reaper.is_alive(process)
    with child:
        child.wait()
    assert not reaper.is_alive(process)


def test_a_new_box_is_labelled_with_run_role_owner_and_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = BoxSpec(role=Role.CHECKER, image="i", limits=BoxLimits(), run="ab" * 16, seconds=100)
    labels = reaper.labels_for(spec)
    assert (labels["grader.run"], labels["grader.role"]) == ("ab" * 16, "checker")
    assert Process.parse(labels[LABEL_OWNER]) == reaper.this_process()
    assert reaper.clock.now().timestamp() + 100 <= int(labels[LABEL_DEADLINE]) + 2
    assert int(labels[LABEL_DEADLINE]) <= reaper.clock.now().timestamp() + 100 + GRACE_SECONDS


class StubbornEngine:
    """One box of a dead process cannot be removed; the other one can."""

    def __init__(self) -> None:
        self.api = self
        self.removed: list[str] = []

    def containers(self, **_: Any) -> list[dict[str, Any]]:
        return [{"Id": name, "Labels": LABELS} for name in ("stuck", "loose")]

    def remove_container(self, container: str, **_: Any) -> None:
        if container == "stuck":
            raise TimeoutError
        self.removed.append(container)


def test_a_box_that_cannot_go_does_not_keep_the_others() -> None:
    engine = StubbornEngine()
    assert [reaped.container for reaped in reaper.reap(engine)] == ["loose"]  # type: ignore[arg-type]
    assert engine.removed == ["loose"]
